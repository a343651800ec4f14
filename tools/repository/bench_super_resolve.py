"""Measures super-resolution as a SavedModel against the same weights in Keras; writes one JSON file.

    python tools/repository/bench_super_resolve.py --rounds=8

The paper's generator (random weights) and the shipped `srgan`; three ways to call them: the exported signature,
`model.predict`, and the model called eagerly. The calls take turns, so that a busy neighbor disturbs all alike. The
product of two float32 matrices of 2048 x 2048, timed in the same turns, says what the machine can do at best.
"""

import dataclasses
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lrfr_tf.quiet  # noqa: F401

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from lrfr_tf.config import option
from lrfr_tf.errors import UserError
from lrfr_tf.export.servable import export_saved_model
from lrfr_tf.export.super_resolution import servable_super_resolver
from lrfr_tf.files import check_result_file
from lrfr_tf.main import run
from lrfr_tf.models.srgan import generator_paper
from lrfr_tf.networks.saved_model import find_version
from lrfr_tf.networks.super_resolution import save_super_resolver
from lrfr_tf.networks.super_resolvers import KerasSuperResolver
from lrfr_tf.speed.interleaved import Times, time_calls_interleaved
from lrfr_tf.speed.matrix_product import GFLOP, MATRIX_SIZE, gflop_a_face, matrix_product
from lrfr_tf.speed.peers import MATRIX_PRODUCT, OURS
from lrfr_tf.speed.record import Row, row_of, write_result


@dataclasses.dataclass(frozen=True)
class Config:
    output: str = option("runs/bench/super_resolve.json", "the result")
    batches: tuple[int, ...] = option((1, 32), "faces in a call")
    rounds: int = option(8, "turns of each way", at_least=1)
    shipped: str = option("saved_models/srgan", "the export that ships; passed over where it is not there")


def main(config: Config) -> None:
    check_result_file(config.output)
    rows: list[Row] = []
    product_rates: dict[str, float] = {}
    gflop: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        paper = generator_paper()
        cases = [("paper's generator", paper, exported(paper, Path(name)))]
        shipped = find_version(Path(config.shipped))
        if shipped is not None:
            cases.append(("srgan", shipped_generator(shipped), shipped))
        for title, network, saved_model in tqdm(cases, desc="super_resolve", unit="network"):
            gflop[title] = gflop_a_face(network)
            for batch in config.batches:
                times = measure(network, saved_model, batch, config.rounds)
                product_rate = GFLOP / statistics.median(times.pop(MATRIX_PRODUCT).wall)
                product_rates[f"{title}, batch {batch}"] = round(product_rate, 1)
                rows += [
                    row_of("super_resolve", title, way, 0, batch=batch, times=some, units=batch)
                    for way, some in times.items()
                ]
    facts = {"gflop_a_face": gflop, "matrix_product_gflop_per_second": product_rates, "matrix_size": MATRIX_SIZE}
    write_result(config.output, "super_resolve", rows, facts)
    print(config.output)


def measure(network: keras.Model, saved_model: Path, batch: int, rounds: int) -> dict[str, Times]:
    """The times of each way to super-resolve one batch, and of a matrix product between them."""
    faces = np.random.default_rng(0).integers(0, 256, (batch, 16, 16, 3), dtype=np.uint8)
    as_float = faces.astype(np.float32)
    exported_model = tf.saved_model.load(str(saved_model))
    signature = exported_model.signatures["super_resolve"]
    ways: dict[str, Callable[[], Any]] = {
        OURS: lambda: signature(images=tf.constant(faces))["images"].numpy(),
        "model.predict": lambda: network.predict(as_float, batch_size=batch, verbose=0),
        "eager call": lambda: network(as_float, training=False).numpy(),
        MATRIX_PRODUCT: matrix_product(),
    }
    both = [np.clip(np.rint(ways[way]()), 0, 255).astype(int) for way in (OURS, "model.predict")]
    if np.abs(both[0] - both[1]).max() > 1:
        raise UserError(f"{saved_model} and the Keras model give different images; they cannot be compared.")
    return time_calls_interleaved(ways, rounds)


def exported(network: keras.Model, folder: Path) -> Path:
    """The network as the SavedModel that would be shipped."""
    save_super_resolver(folder / "model", KerasSuperResolver("paper", network))
    export_saved_model(servable_super_resolver(folder / "model"), folder, "paper", 1)
    return folder / "paper" / "1"


def shipped_generator(saved_model: Path) -> keras.Model:
    """The shipped generator as a Keras model with the export's weights."""
    network = generator_paper(16, 8, 96, batch_norm=False, upsampling_filters=32, outer_kernel=3)
    module = tf.saved_model.load(str(saved_model))
    # A running average is stored as weights that are not trained.
    for variable, value in zip(network.variables, [*module._trainable, *module._others], strict=True):
        variable.assign(value)
    return network


if __name__ == "__main__":
    run(main, Config)
