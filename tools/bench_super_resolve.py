"""Measures super-resolution as a SavedModel against the same weights in Keras, and prints one JSON object.

    python tools/bench_super_resolve.py --rounds=20

The paper's generator (random weights) and the shipped `srgan`; three ways to call them: the exported signature,
`model.predict`, and the model called eagerly. The calls take turns, so that a busy neighbour disturbs all alike. The
product of two float32 matrices of 2048 x 2048, timed in the same turns, says what the machine can do at best.
"""

import dataclasses
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lrfr_tf.config import option, versions
from lrfr_tf.errors import UserError
from lrfr_tf.main import run
from lrfr_tf.models.srgan import generator_paper
from lrfr_tf.recognition.export import export_saved_model
from lrfr_tf.recognition.export_super_resolution import servable_super_resolver
from lrfr_tf.recognition.saved_model import find_version
from lrfr_tf.recognition.super_resolution import SuperResolver, save_super_resolver

MATRIX_SIZE = 2048


@dataclasses.dataclass(frozen=True)
class Config:
    batches: tuple[int, ...] = option((1, 32), "faces in a call")
    rounds: int = option(20, "turns; the median of each way counts", at_least=1)
    shipped: str = option("saved_models/srgan", "the export that ships; passed over where it is not there")


def main(config: Config) -> None:
    rows = []
    with tempfile.TemporaryDirectory() as name:
        paper = generator_paper()
        cases = [("paper", paper, exported(paper, Path(name)))]
        shipped = find_version(Path(config.shipped))
        if shipped is not None:
            cases.append(("srgan", shipped_generator(shipped), shipped))
        for title, network, saved_model in cases:
            for batch in config.batches:
                rows.append({"generator": title, "batch": batch, **measure(network, saved_model, batch, config.rounds)})
    result = {
        "benchmark": "super-resolution, one call",
        "rows": rows,
        "cpu_cores": os.cpu_count(),
        "versions": versions(),
    }
    print(json.dumps(result))


def measure(network: keras.Model, saved_model: Path, batch: int, rounds: int) -> dict[str, Any]:
    """Median seconds of each way to super-resolve one batch, and what follows from them."""
    faces = np.random.default_rng(0).integers(0, 256, (batch, 16, 16, 3), dtype=np.uint8)
    as_float = faces.astype(np.float32)
    signature = tf.saved_model.load(str(saved_model)).signatures["super_resolve"]
    matrix = tf.random.normal((MATRIX_SIZE, MATRIX_SIZE))
    ways: dict[str, Callable[[], Any]] = {
        "saved_model": lambda: signature(images=tf.constant(faces))["images"].numpy(),
        "predict": lambda: network.predict(as_float, batch_size=batch, verbose=0),
        "eager": lambda: network(as_float, training=False).numpy(),
        "matrix_product": lambda: tf.matmul(matrix, matrix).numpy(),
    }
    both = [np.clip(np.rint(ways[way]()), 0, 255).astype(int) for way in ("saved_model", "predict")]
    if np.abs(both[0] - both[1]).max() > 1:
        raise UserError(f"{saved_model} and the Keras model give different images; they cannot be compared.")
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for turn in range(rounds + 3):
        for way, call in ways.items():
            started = time.perf_counter()
            call()
            if turn >= 3:
                seconds[way].append(time.perf_counter() - started)
    median = {way: statistics.median(values) for way, values in seconds.items()}
    row = {
        "saved_model_ms": round(1000 * median["saved_model"], 2),
        "predict_ms": round(1000 * median["predict"], 2),
        "eager_ms": round(1000 * median["eager"], 2),
        "times_predict": round(median["predict"] / median["saved_model"], 2),
        "times_eager": round(median["eager"] / median["saved_model"], 2),
        "faces_per_second": round(batch / median["saved_model"], 1),
    }
    gflop = gflop_a_face(network)
    product_rate = 2 * MATRIX_SIZE**3 / 1e9 / median["matrix_product"]
    rate = gflop * batch / median["saved_model"]
    return {
        **row,
        "gflop_a_face": round(gflop, 3),
        "gflops": round(rate, 1),
        "matrix_product_gflops": round(product_rate, 1),
        "share_of_matrix_product": round(rate / product_rate, 3),
    }


def gflop_a_face(network: keras.Model) -> float:
    """Twice the multiplications in all convolutions, in 10^9."""
    total = 0
    for layer in network.layers:
        if isinstance(layer, keras.layers.Conv2D):
            _, height, width, channels = layer.output.shape
            total += 2 * height * width * channels * int(np.prod(layer.kernel.shape[:3]))
    return total / 1e9


def exported(network: keras.Model, folder: Path) -> Path:
    """The network as the SavedModel that would be shipped."""
    save_super_resolver(folder / "model", SuperResolver("paper", network))
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
