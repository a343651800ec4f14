"""Measures the way from face crops on disk to embeddings on disk: memory after each 1,000 crops, and the rate.

    python tools/repository/bench_extract.py --crops=10000

The crops are PNG files of 160 x 160, made by code, embedded whole (no detector) by `lrfr_tf.study.extract`, as
tools/extract_embeddings.py does it. What the network alone takes is measured in the same calls.
"""

import dataclasses
import io
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lrfr_tf.quiet  # noqa: F401

import numpy as np
from PIL import Image

from lrfr_tf.config import option
from lrfr_tf.faces.detect import Detection
from lrfr_tf.files import check_result_file
from lrfr_tf.main import run
from lrfr_tf.models.facenet import FACENET_SIZE, WhitenEach, facenet
from lrfr_tf.networks.embedders import KerasEmbedder
from lrfr_tf.networks.embedding import Embedder, load_embedder
from lrfr_tf.speed.record import write_result
from lrfr_tf.speed.worker import resident_memory_mb
from lrfr_tf.study.extract import Extraction, extract_tree
from lrfr_tf.weights.sample_package import cached_facenet_weights

CROPS_A_PERSON = 100
STEP = 1000


@dataclasses.dataclass(frozen=True)
class Config:
    output: str = option("runs/bench/extract.json", "the result")
    crops: int = option(10_000, "how many crops", at_least=1)
    embedder: str = option("facenet", "a FaceNet by name, or the folder of an exported embedder")


class NoDetector:
    """Finds nothing: with the policy "whole" every image is embedded as it is."""

    def detect(self, images: Sequence[np.ndarray]) -> list[Detection]:
        nothing = Detection(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty((0, 5, 2), np.float32))
        return [nothing] * len(images)


class WatchedEmbedder:
    """An embedder that notes how long its calls took, and how large the process was after each 1,000 faces."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.name, self.dimensions, self.batch_size = embedder.name, embedder.dimensions, embedder.batch_size
        self.faces, self.seconds = 0, 0.0
        self.memory_mb: dict[str, float] = {}

    def embed(self, faces: Sequence[np.ndarray]) -> np.ndarray:
        started = time.perf_counter()
        embeddings = self._embedder.embed(faces)
        self.seconds += time.perf_counter() - started
        before, self.faces = self.faces, self.faces + len(faces)
        if before // STEP < self.faces // STEP:
            self.memory_mb[str(self.faces // STEP * STEP)] = resident_memory_mb()
        return embeddings


def main(config: Config) -> None:
    check_result_file(config.output)
    cached = cached_facenet_weights()
    if config.embedder == "facenet" and cached is None:  # as fast
        embedder: Embedder = KerasEmbedder(facenet(128, WhitenEach), "facenet-random")
    else:
        embedder = load_embedder(config.embedder, cached if config.embedder == "facenet" else None)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        people = write_crops(folder / "crops" / "test", config.crops)
        embedder.embed(np.zeros((embedder.batch_size, FACENET_SIZE, FACENET_SIZE, 3), np.uint8))
        watched = WatchedEmbedder(embedder)
        how: Any = Extraction(NoDetector(), watched, "whole", {"name": "none"})  # type: ignore[arg-type]
        started = time.perf_counter()
        extract_tree(folder / "crops", ["test"], people, how, output=folder / "embeddings", hr_output=None)
        seconds = time.perf_counter() - started
    facts = {
        "crops": config.crops,
        "embedder": embedder.name,
        "memory_mb": watched.memory_mb,
        "crops_per_second": round(config.crops / seconds, 2),
        "network_alone_crops_per_second": round(config.crops / watched.seconds, 2),
    }
    write_result(config.output, "extract", [], facts)
    print(config.output)


def write_crops(folder: Path, count: int) -> list[str]:
    """PNG files of colored blocks, 100 a person, each person with the same 100; returns the names of the persons."""
    random = np.random.default_rng(0)
    files = []
    for _ in range(CROPS_A_PERSON):
        blocks = Image.fromarray(random.integers(0, 256, (10, 10, 3), np.uint8)).resize((FACENET_SIZE, FACENET_SIZE))
        blocks.save(buffer := io.BytesIO(), "PNG")
        files.append(buffer.getvalue())
    for index in range(count):
        path = folder / str(index // CROPS_A_PERSON) / f"{index:06d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(files[index % CROPS_A_PERSON])
    return [str(person) for person in range(-(-count // CROPS_A_PERSON))]


if __name__ == "__main__":
    run(main, Config)
