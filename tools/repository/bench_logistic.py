"""Measures softmax regression at full scale on synthetic embeddings: seconds per pass, memory, and the whole fit.

Example: python tools/repository/bench_logistic.py --dimensions=128
A pass is one evaluation of loss and gradient over all rows. Memory is measured over the passes and over a true fit,
shortened to 12 iterations on two rows a class: it has as many parameters as the whole fit, its ten L-BFGS corrections
are all filled, and its chunks are as large.
"""

import dataclasses
import json
import resource
import sys
import time
from pathlib import Path

import lrfr_tf.quiet  # noqa: F401

import numpy as np
from tqdm import tqdm

from lrfr_tf.config import option, versions
from lrfr_tf.errors import UserError
from lrfr_tf.files import write_json
from lrfr_tf.main import run
from lrfr_tf.training.logistic import LogisticObjective, fit_logistic


@dataclasses.dataclass(frozen=True)
class Config:
    """The size of the problem."""

    rows: int = option(182_000, "training images; the default is all of CelebA with at least three images a person")
    classes: int = option(9_809, "identities")
    dimensions: int = option(128, "length of an embedding")
    chunk: int = option(4096, "rows per step")
    passes: int = option(3, "passes that are timed")
    iterations: int = option(100, "L-BFGS iterations of the whole fit that is extrapolated to")
    seed: int = option(0, "seed of the synthetic embeddings")
    output: str | None = option(None, "file for the same JSON")


def peak_memory() -> float:
    """Largest resident memory of this process so far, in GB (10^9 bytes)."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def synthetic_embeddings(config: Config) -> tuple[np.ndarray, np.ndarray]:
    """Unit-length embeddings float32 [rows, dimensions] around one random center a class, and labels int64 [rows]."""
    random = np.random.default_rng(config.seed)
    labels = np.arange(config.rows) % config.classes
    centers = random.standard_normal((config.classes, config.dimensions), dtype=np.float32)
    embeddings = random.standard_normal((config.rows, config.dimensions), dtype=np.float32)
    for start in range(0, config.rows, config.chunk):  # in chunks, so that making them does not set the peak memory
        rows = slice(start, start + config.chunk)
        embeddings[rows] += centers[labels[rows]]
        embeddings[rows] /= np.linalg.norm(embeddings[rows], axis=1, keepdims=True)
    return embeddings, labels


def main(config: Config) -> None:
    """Times the fit and prints what it took."""
    if config.passes < 1 or config.rows < 2 * config.classes:
        raise UserError("--passes must be at least 1, and --rows at least twice --classes.")
    embeddings, labels = synthetic_embeddings(config)
    memory_before = peak_memory()
    objective = LogisticObjective(embeddings, labels, config.classes, C=10.0, chunk=config.chunk)
    parameters = np.zeros((config.dimensions + 1) * config.classes)
    seconds = []
    for _ in tqdm(range(config.passes), desc="passes", leave=False):
        start = time.perf_counter()
        loss, gradient = objective(parameters)
        seconds.append(time.perf_counter() - start)
        parameters = parameters - gradient / np.linalg.norm(gradient)
    del objective, gradient, parameters
    few = slice(0, 2 * config.classes)
    fit_logistic(embeddings[few], labels[few], config.classes, chunk=config.chunk, max_iterations=12)
    report = {
        "settings": dataclasses.asdict(config),
        "seconds_per_pass": [round(value, 2) for value in seconds],
        "loss": loss,
        "embeddings_gb": round(embeddings.nbytes / 1e9, 2),
        "peak_memory_before_gb": round(memory_before, 2),
        "peak_memory_growth_gb": round(peak_memory() - memory_before, 2),
        # About six passes find the first step; after that an iteration costs one, sometimes two.
        "extrapolated_minutes": round(min(seconds) * (6 + 1.1 * config.iterations) / 60, 1),
        "versions": versions(),
    }
    print(json.dumps(report, indent=1))
    if config.output:
        write_json(Path(config.output), report)


if __name__ == "__main__":
    run(main, Config)
