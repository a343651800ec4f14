"""Measures a gallery on disk with made-up persons: opening, enrolling, searching, memory; writes one JSON file.

    python tools/repository/bench_gallery.py

Searches for the ten persons most alike take turns with the bare matrix product of the same probes and templates, by the
same library, so that their ratio says what exactness, blocks and the order of the answers cost. The largest gallery
needs 5 GB of disk and 6 GB of memory.
"""

import dataclasses
import gc
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lrfr_tf.quiet  # noqa: F401

import numpy as np
from tqdm import tqdm

from lrfr_tf.config import git_commit, option, versions
from lrfr_tf.files import check_result_file, write_json
from lrfr_tf.gallery.decide import InForce
from lrfr_tf.gallery.embedder import EmbedderIdentity
from lrfr_tf.gallery.new_file import random_id
from lrfr_tf.gallery.people import People
from lrfr_tf.gallery.references import Reference
from lrfr_tf.gallery.store import Store
from lrfr_tf.main import run
from lrfr_tf.speed.record import machine

AT_ONCE = 10_000  # persons in a transaction while the gallery is filled
TOP = 10
ENROLLED = 50
ROW = (
    "{:>9,} persons: open {:.2f} s, enroll {:.2f} ms, 1 probe {:.2f} ms, {} probes {:.1f} ms = {:.2f} x the matrix "
    "product; memory {:.2f} x the matrix"
)


@dataclasses.dataclass(frozen=True)
class Config:
    output: str = option("runs/bench/gallery.json", "the result")
    persons: tuple[int, ...] = option((1_000, 100_000, 1_000_000), "sizes of galleries")
    dimensions: int = option(512, "length of an embedding; 512 is that of the shipped embedder", at_least=1)
    probes: int = option(64, "faces that are asked about together", at_least=1)
    rounds: int = option(7, "turns of each way", at_least=1)
    folder: str | None = option(None, "where the galleries are made; default: a temporary folder")


def main(config: Config) -> None:
    check_result_file(config.output)
    rows = []
    for persons in config.persons:
        with tempfile.TemporaryDirectory(dir=config.folder) as folder:
            rows.append(measure(config, persons, Path(folder) / "people.db"))
        row = rows[-1]
        times = (row["open_s"], row["enroll_ms"], row["one_probe_ms"], config.probes, row["probes_ms"])
        print(ROW.format(persons, *times, row["ratio"], row["memory_ratio"]))
    settings = dataclasses.asdict(config)
    write_json(config.output, {"machine": machine(), "git_commit": git_commit(), "versions": versions(),
                               "settings": settings, "rows": rows})  # fmt: skip
    print(config.output)


def measure(config: Config, persons: int, path: Path) -> dict[str, Any]:
    """All figures of a gallery of one size."""
    fill(path, persons, config.dimensions)
    people = People(Store(path))
    gc.collect()
    before, start = resident(), time.perf_counter()
    in_force = InForce(people.store)
    assert in_force.persons() == persons
    opened = time.perf_counter() - start
    names = in_force._names
    name_bytes = sum(map(sys.getsizeof, names)) + sys.getsizeof(names)
    gc.collect()
    matrix_bytes = 4 * persons * config.dimensions
    growth = resident() - before - name_bytes
    random = np.random.default_rng(1)
    probes = units(random, config.probes, config.dimensions)
    index = in_force._index
    assert index is not None
    templates = index.templates(index.alive())
    ways: dict[str, Callable[[], Any]] = {
        "one": lambda: index.search(probes[:1], TOP),
        "many": lambda: index.search(probes, TOP),
        "bare": lambda: probes @ templates.T,
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    cpu_times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(config.rounds + 1):  # the first is not counted
        for name, call in ways.items():
            start, cpu_start = time.perf_counter(), time.process_time()
            call()
            times[name].append(1000 * (time.perf_counter() - start))
            cpu_times[name].append(1000 * (time.process_time() - cpu_start))
    best = {name: min(some[1:]) for name, some in times.items()}
    best_cpu = {name: min(some[1:]) for name, some in cpu_times.items()}
    enroll, seen = [], []
    for number in range(ENROLLED):
        start = time.perf_counter()
        people.add(f"late {number}", [Reference(units(random, 1, config.dimensions)[0], height=60.0)])
        written = time.perf_counter()
        assert in_force.persons() == persons + number + 1
        enroll.append(1000 * (written - start))
        seen.append(1000 * (time.perf_counter() - written))
    start = time.perf_counter()
    assert people.forget("late 0").cleaned
    forget = time.perf_counter() - start
    return {
        "persons": persons,
        "open_s": opened,
        "enroll_ms": statistics.median(enroll),
        "seen_by_the_next_decision_ms": statistics.median(seen),
        "forget_s": forget,
        "one_probe_ms": best["one"],
        "probes_ms": best["many"],
        "matrix_product_ms": best["bare"],
        "ratio": best["many"] / best["bare"],
        "ratio_of_cpu_time": best_cpu["many"] / best_cpu["bare"],
        "memory_ratio": growth / matrix_bytes,
        "matrix_mb": matrix_bytes / 1e6,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3),
        "file_mb": path.stat().st_size / 1e6,
    }


def fill(path: Path, persons: int, dimensions: int) -> None:
    """A gallery of so many persons with one reference each."""
    identity = EmbedderIdentity("", 0, "made-up", "0" * 64, dimensions)
    store = Store.create(path, {"id": "0" * 16, "pictures": 0, **identity.as_facts()})
    random = np.random.default_rng(0)
    for first in tqdm(range(0, persons, AT_ONCE), desc=f"fill {persons:,}", leave=False):
        count = min(AT_ONCE, persons - first)
        embeddings = units(random, count, dimensions)
        with store.writing() as change:
            numbers = range(first + 1, first + count + 1)
            store.connection.executemany(
                "INSERT INTO persons VALUES (?, ?, ?, '2026-11-30T12:00:00+00:00', NULL, ?)",
                ((number, random_id(), f"person {number}", change.number) for number in numbers),
            )
            store.connection.executemany(
                "INSERT INTO reference (person, state, height, embedding, id, enrolled) "
                "VALUES (?, 'active', 60, ?, ?, '2026-11-30T12:00:00+00:00')",
                ((number, row.tobytes(), random_id()) for number, row in zip(numbers, embeddings, strict=True)),
            )
    store.close()


def units(random: np.random.Generator, count: int, dimensions: int) -> np.ndarray:
    """float32 [count, dimensions] of unit length."""
    vectors = random.standard_normal((count, dimensions), np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def resident() -> int:
    """Bytes of this process in memory now; where the system does not tell, the most so far."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    run(main, Config)
