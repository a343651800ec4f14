"""Measures the way from one 16 px probe to a name, warm, one face at a time; writes one JSON file.

    python tools/repository/bench_identify.py

Two classifiers, exported with their parts joined into one graph: SRGAN, FaceNet and a softmax head; and the Siamese
network with a gallery. Heads are made up (100 persons): their time does not depend on what they learned. Then the
stages alone, so that one sees where the time goes. With --before, the Siamese network and another one side by side, one
probe and 32, each embedded and compared with the gallery.
"""

import dataclasses
import functools
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import lrfr_tf.quiet  # noqa: F401

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from lrfr_tf.config import option
from lrfr_tf.errors import UserError
from lrfr_tf.export.classifier import servable_classifier
from lrfr_tf.files import check_result_file
from lrfr_tf.main import run
from lrfr_tf.models.facenet import WhitenEach, facenet
from lrfr_tf.models.heads import linear_head
from lrfr_tf.networks.classifier import Classifier
from lrfr_tf.networks.embedders import KerasEmbedder
from lrfr_tf.networks.embedding import Embedder, load_embedder
from lrfr_tf.networks.heads import HeadNetwork, make_templates
from lrfr_tf.networks.super_resolution import SuperResolutionNetwork, load_super_resolver
from lrfr_tf.speed.interleaved import time_calls_interleaved
from lrfr_tf.speed.peers import OURS
from lrfr_tf.speed.record import Row, row_of, write_result
from lrfr_tf.weights.sample_package import cached_facenet_weights

PROBE_SIZE = 16
LARGE_BATCH = 32


@dataclasses.dataclass(frozen=True)
class Config:
    output: str = option("runs/bench/identify.json", "the result")
    rounds: int = option(8, "turns of each way", at_least=1)
    persons: int = option(100, "how many persons the heads know", at_least=2)
    super_resolver: str = option("saved_models/srgan", "the exported super-resolution network")
    siamese: str = option("saved_models/siamese", "the exported Siamese network")
    before: str | None = option(None, "another exported embedder, to compare its time with")


def main(config: Config) -> None:
    check_result_file(config.output)
    for folder in (config.super_resolver, config.siamese):
        if not Path(folder).is_dir():
            raise UserError(f"{folder} is missing; this measures the exports that ship.")
    random = np.random.default_rng(0)
    probe = random.integers(0, 256, (1, PROBE_SIZE, PROBE_SIZE, 3), np.uint8)
    names = [f"person {number}" for number in range(config.persons)]
    cached = cached_facenet_weights()
    face_net = load_embedder("facenet", cached) if cached else KerasEmbedder(facenet(128, WhitenEach), "facenet-random")
    siamese, srgan = load_embedder(config.siamese), load_super_resolver(Path(config.super_resolver))
    linear = linear_head(face_net.dimensions, len(names))
    softmax = Classifier("logistic", names, face_net.name, HeadNetwork("logistic", linear))
    faces = random.standard_normal((2 * len(names), siamese.dimensions), np.float32)
    faces /= np.linalg.norm(faces, axis=1, keepdims=True)
    templates = make_templates(faces, np.arange(2 * len(names)) % len(names), len(names))
    gallery = Classifier("cosine", names, siamese.name, templates)
    enlarged = srgan.super_resolve(probe)
    with tempfile.TemporaryDirectory() as name:
        ways: dict[str, Callable[[], Any]] = {
            "SRGAN + FaceNet + softmax head": identify(softmax, face_net, srgan, Path(name) / "1", probe),
            "Siamese + gallery": identify(gallery, siamese, None, Path(name) / "2", probe),
            "of which SRGAN alone": lambda: srgan.super_resolve(probe),
            "of which FaceNet alone, batch norm not folded": lambda: face_net.embed(enlarged),
            "of which Siamese alone": lambda: siamese.embed(probe),
        }
        with tqdm(total=1, desc="identify", unit="case") as progress:
            times = time_calls_interleaved(ways, config.rounds)
            progress.update()
    rows: list[Row] = [row_of("identify", way, OURS, 0, batch=1, times=some, units=1) for way, some in times.items()]
    if config.before is not None:
        rows += compare([siamese, load_embedder(config.before)], config)
    write_result(config.output, "identify", rows, {"persons": config.persons, "probe_size": PROBE_SIZE})
    print(config.output)


def compare(embedders: Sequence[Embedder], config: Config) -> list[Row]:
    """Both networks in turns; prints the first one's share of the other's CPU time."""
    random = np.random.default_rng(1)
    rows = []
    for count in (1, LARGE_BATCH):
        probes = random.integers(0, 256, (count, PROBE_SIZE, PROBE_SIZE, 3), np.uint8)
        ways = {}
        for embedder in embedders:
            gallery = random.standard_normal((embedder.dimensions, config.persons), np.float32)
            ways[embedder.name] = functools.partial(nearest, embedder, gallery, probes)
        times = time_calls_interleaved(ways, config.rounds)
        found = [row_of("identify", f"{name}, embed and gallery", OURS, 0, batch=count, times=some, units=count)
                 for name, some in times.items()]  # fmt: skip
        own, other = (row.cpu_ms_median for row in found)
        print(f"{count} probes: {own:.2f} ms of CPU time a probe against {other:.2f}, a share of {own / other:.2f}")
        rows += found
    return rows


def nearest(embedder: Embedder, gallery: np.ndarray, probes: np.ndarray) -> np.ndarray:
    """The person of each probe."""
    return np.argmax(embedder.embed(probes) @ gallery, axis=1)


def identify(
    head: Classifier, embedder: Embedder, resolver: SuperResolutionNetwork | None, folder: Path, probe: np.ndarray
) -> Callable[[], np.ndarray]:
    """The call of the exported classifier for one probe."""
    head.save(folder / "head")
    servable = servable_classifier(folder / "head", embedder, resolver)
    # Its check in a new process is that of tools/export_saved_model.py.
    tf.saved_model.save(servable.module, str(folder / "export"), signatures=servable.signatures)
    exported = tf.saved_model.load(str(folder / "export"))
    return lambda: exported.signatures["identify"](faces=tf.constant(probe))["identity"].numpy()


if __name__ == "__main__":
    run(main, Config)
