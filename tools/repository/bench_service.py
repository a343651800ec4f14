"""Measures a service under load beside the recognizer alone, on the sample photos with one face; writes one JSON file.

    python tools/repository/bench_service.py

The recognizer's own rate is that of one thread of one process, in batches of the number that does best, before and
after the loads; then a single client, and loads of many clients, each of which sends its next photo once it has its
answer. A client that is refused with 503 comes back after Retry-After, or at once with --keeps_away=false. Service and
clients share two processors. tools/repository/write_service_load.py writes the figures into docs/service.md.
"""

import contextlib
import dataclasses
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import lrfr_tf.quiet  # noqa: F401

from tqdm import tqdm

from lrfr_tf.config import option
from lrfr_tf.errors import UserError
from lrfr_tf.files import check_result_file
from lrfr_tf.gallery.gallery import Gallery
from lrfr_tf.images.decode import decode_image
from lrfr_tf.main import run
from lrfr_tf.recognition.recognizer import Recognizer
from lrfr_tf.speed.load import OK, Plan, run_clients
from lrfr_tf.speed.load_figures import answer_of, figures_of, load_targets
from lrfr_tf.speed.record import write_result
from lrfr_tf.speed.served import served
from lrfr_tf.weights.sample_package import fetch_sample_photos

ROUTE = "/v1/identify"
BATCHES = (1, 2, 4, 8, 16, 32)
UNLIMITED = 1e9  # seconds


@dataclasses.dataclass(frozen=True)
class Config:
    output: str = option("runs/bench/service.json", "the result")
    model: str = option("siamese", "the network of the gallery")
    clients: tuple[int, ...] = option((4, 32, 200), "how many clients at once, one load for each number")
    seconds: float = option(120.0, "of each load", above=0)
    processors: int = option(2, "that all processes together may use", at_least=1)
    queue: int = option(64, "images that may be under way in the service", at_least=1)
    keeps_away: bool = option(True, "whether a client that was refused comes back after Retry-After, or at once")
    own_rounds: int = option(2, "times that the recognizer goes over all photos, before and after", at_least=1)
    serve: tuple[str, ...] = option((), "more flags of lrfr serve, such as --batch=8")


def main(config: Config) -> None:
    check_result_file(config.output)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: config.processors])  # processes started here, too
    photos = fetch_sample_photos()
    recognizer = Recognizer(config.model)
    files = with_one_face(recognizer, sorted(photos.rglob("*.jpg")))
    random.Random(0).shuffle(files)  # those of one person have sizes in common
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Gallery.create(folder / "people.db", recognizer) as gallery:
            gallery.enroll_folder(photos / "train", "off")
            persons = len(gallery.names)
        own = own_rates(recognizer, files, config.own_rounds)
        best = max(BATCHES, key=lambda batch: statistics.median(own[batch]))
        facts = under_load(config, folder, files)
        after = own_rates(recognizer, files, config.own_rounds, [best])[best]
    facts |= {
        "photos": len(files),
        "persons": persons,
        "seconds": config.seconds,
        "keeps_away": config.keeps_away,
        "recognizer_batch": best,
        "recognizer_per_second": statistics.median(own[best] + after),
        "recognizer_per_second_of_each_round": {"before": own[best], "after": after},
        "recognizer_per_second_by_batch": {batch: statistics.median(rates) for batch, rates in own.items()},
        "service": [f"--queue={config.queue}", *config.serve],
        "queue": config.queue,
    }
    write_result(config.output, "service", [], facts)
    for target in load_targets(facts):
        print(f"{'held' if target.held else 'NOT HELD'}: {target.stage}: {target.must}: {target.reached}")
    print(config.output)


def with_one_face(recognizer: Recognizer, files: Sequence[Path]) -> list[Path]:
    """The photos that show exactly one face."""
    return [file for file in tqdm(files, desc="photos", leave=False) if len(recognizer.analyze(file)) == 1]


def own_rates(
    recognizer: Recognizer, files: Sequence[Path], rounds: int, batches: Sequence[int] = BATCHES
) -> dict[int, list[float]]:
    """Photos a second, decoded and recognized, of each round over all of them: batch -> rates."""
    data = [file.read_bytes() for file in files]

    def go_over(batch: int) -> float:
        began = time.perf_counter()
        for start in range(0, len(data), batch):
            recognizer.find([decode_image(one, "The photo") for one in data[start : start + batch]])
        return len(data) / (time.perf_counter() - began)

    rates: dict[int, list[float]] = {batch: [] for batch in batches}
    go_over(BATCHES[-1])  # not counted
    for _ in tqdm(range(rounds), desc="recognizer alone", leave=False):
        for batch in batches:
            rates[batch].append(go_over(batch))
    return rates


def under_load(config: Config, folder: Path, files: Sequence[Path]) -> dict[str, Any]:
    """What a single client sees, and what many see."""
    photos, result = [str(file) for file in files], folder / "load.json"
    words = [f"--gallery={folder / 'people.db'}", f"--queue={config.queue}", *config.serve]
    command = [sys.executable, "-m", "lrfr_tf.serve", "--port={port}", *words]
    with served(command, "/v1/health/ready", folder / "log") as (process, port):
        started = resident_mb(process)
        warm = Plan(port, ROUTE, photos, 1, UNLIMITED, len(photos))
        run_clients(warm, result)  # not counted
        alone = run_clients(dataclasses.replace(warm, requests=3 * len(photos)), result)
        serial = {one.photo: answer_of(one) for one in alone.sent if one.status == OK}
        if len(serial) < len(photos):
            raise UserError("The service did not answer a single client.")
        memory, loads = [resident_mb(process)], []
        for clients in tqdm(config.clients, desc="loads", leave=False):
            plan = Plan(port, ROUTE, photos, clients, config.seconds, keeps_away=config.keeps_away)
            cpu = cpu_seconds(process)
            with watched(process) as sizes:
                load = run_clients(plan, result)
            row = dataclasses.asdict(figures_of(clients, load, serial))
            row |= {"service_cpu": (cpu_seconds(process) - cpu) / load.seconds, "peak_mb": max(sizes)}
            memory.append(resident_mb(process))
            loads.append({**row, "memory_mb": memory[-1]})
    return {
        "single": dataclasses.asdict(figures_of(1, alone, serial)),
        "loads": loads,
        "memory_mb": {"start": started, "before_loads": memory[0], "after_first_load": memory[1], "end": memory[-1]},
    }


@contextlib.contextmanager
def watched(process: int) -> Iterator[list[float]]:
    """The resident memory of a process in 10^6 bytes, once a second while the block runs."""
    sizes = [resident_mb(process)]
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(1.0):
            sizes.append(resident_mb(process))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield sizes
    finally:
        ended.set()
        thread.join()


def resident_mb(process: int) -> float:
    """The resident memory of a process in 10^6 bytes."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)


def cpu_seconds(process: int) -> float:
    """CPU seconds of a process and its threads so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    run(main, Config)
