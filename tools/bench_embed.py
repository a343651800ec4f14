"""Measures how many faces a second FaceNet embeds on this machine, and prints one JSON object.

    python tools/bench_embed.py --batch=32 --rounds=10

Speed does not depend on the weights: where the real ones are not in the cache, random ones are used, and "weights" in
the result says so. Use an idle machine; cpu_seconds_per_face is the figure that neighbours disturb least.
"""

import json
import os
import statistics
import time
from dataclasses import dataclass

import numpy as np

from lrfr_tf.config import option, versions
from lrfr_tf.errors import UserError
from lrfr_tf.main import run
from lrfr_tf.models.facenet import FACENET_SIZE, WhitenEach, facenet
from lrfr_tf.recognition.embedding import Embedder, load_embedder
from lrfr_tf.weights.sample_package import cached_facenet_weights


@dataclass(frozen=True)
class Config:
    batch: int = option(32, "faces in a call")
    rounds: int = option(10, "timed calls; the median counts")


def main(config: Config) -> None:
    if config.batch < 1 or config.rounds < 1:
        raise UserError("--batch and --rounds must be at least 1.")
    cached = cached_facenet_weights()
    if cached is not None:
        embedder = load_embedder("facenet-128", cached)
    else:
        embedder = Embedder(facenet(128, WhitenEach), "facenet-128-random")
    faces = np.random.default_rng(0).integers(0, 256, (config.batch, FACENET_SIZE, FACENET_SIZE, 3), np.uint8)
    started = time.perf_counter()
    embedder.embed(faces)
    first_call = time.perf_counter() - started
    wall, cpu = [], []
    for _ in range(config.rounds):
        started, cpu_started = time.perf_counter(), time.process_time()
        embedder.embed(faces)
        wall.append(time.perf_counter() - started)
        cpu.append(time.process_time() - cpu_started)
    result = {
        "faces_per_second": round(config.batch / statistics.median(wall), 2),
        "cpu_seconds_per_face": round(statistics.median(cpu) / config.batch, 4),
        "first_call_seconds": round(first_call, 2),
        "batch": config.batch,
        "rounds": config.rounds,
        "threads": os.cpu_count(),
        "weights": embedder.name,
        "versions": versions(),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    run(main, Config)
