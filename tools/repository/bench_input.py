"""Measures the input of super-resolution training alone: prints one JSON object with faces per second.

The faces are decoded once; their files are deleted before the first batch, so nothing can be read or decoded again.

    python tools/repository/bench_input.py
"""

import dataclasses
import json
import os
import statistics
import tempfile
import time
from pathlib import Path

import lrfr_tf.quiet  # noqa: F401

import numpy as np

from lrfr_tf.config import option, versions
from lrfr_tf.data.face_cache import load_faces
from lrfr_tf.data.folders import list_faces
from lrfr_tf.data.graph import face_batches
from lrfr_tf.images.decode import write_png
from lrfr_tf.main import run


@dataclasses.dataclass(frozen=True)
class Config:
    faces: int = option(2048, "64 x 64 faces in the cache")
    batch: int = option(16, "faces in a batch")
    rounds: int = option(7, "timed epochs; the median is reported")


def main(config: Config) -> None:
    random = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "train"
        for index in range(config.faces):
            write_png(folder / "1" / f"{index:05d}.png", random.integers(0, 256, (64, 64, 3), dtype=np.uint8))
        started = time.perf_counter()
        faces = load_faces(folder, list_faces(Path(name), "train"))
        load_seconds = time.perf_counter() - started
    batches = iter(face_batches(faces, config.batch, seed=0))
    steps = config.faces // config.batch
    rates = []
    for _ in range(config.rounds + 1):
        started = time.perf_counter()
        for _ in range(steps):
            next(batches)
        rates.append(steps * config.batch / (time.perf_counter() - started))
    result = {
        "benchmark": "input of super-resolution training",
        "faces_per_second": round(statistics.median(rates[1:])),
        "faces_decoded_per_second_once": round(config.faces / load_seconds),
        "faces": config.faces,
        "batch": config.batch,
        "cpu_cores": os.cpu_count(),
        "versions": versions(),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    run(main, Config)
