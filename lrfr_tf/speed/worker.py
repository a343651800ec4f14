"""The process of one peer: it makes its calls ready, then answers or times them as the other side asks.

It needs nothing but NumPy, since the environment of a peer holds nothing else of ours. Requests come as lines of JSON
on stdin and replies go as lines of JSON to what was stdout; what a library prints goes to stderr instead.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

Call = Callable[[], Mapping[str, np.ndarray]]
# Folder of the inputs, threads -> what can be called, by name, and facts about the peer such as its version.
Prepare = Callable[[Path, int], tuple[dict[str, Call], dict[str, Any]]]


def serve(prepare: Prepare) -> None:
    """Serves until stdin ends; the command line is `<folder of the inputs> <threads>`.

    Requests: {"call", "answer": file} stores what the call returns as .npz; {"call", "times": n} calls once unmeasured
    and n times measured and replies {"wall": [seconds], "cpu": [seconds of this process]}.
    """
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    calls, facts = prepare(Path(sys.argv[1]), int(sys.argv[2]))
    replies.write(json.dumps({"calls": list(calls), "facts": facts}) + "\n")
    for line in sys.stdin:
        replies.write(json.dumps(_reply(calls, json.loads(line))) + "\n")


def _reply(calls: dict[str, Call], request: dict[str, Any]) -> dict[str, Any]:
    call = calls[request["call"]]
    if "answer" in request:
        np.savez(request["answer"], **call())  # type: ignore[arg-type]  # keywords are arrays, but for allow_pickle
        return {}
    wall, cpu = timed(call, request["times"])
    return {"wall": wall, "cpu": cpu, "peak_memory_mb": peak_memory_mb()}


def timed(call: Callable[[], Any], times: int) -> tuple[list[float], list[float]]:
    """Calls once unmeasured, since another has just had the caches, then `times` times: wall and CPU seconds of each.

    CPU time is that of the whole process, with all of its threads.
    """
    call()
    wall, cpu = [], []
    for _ in range(times):
        started, cpu_started = time.perf_counter(), time.process_time()
        call()
        cpu.append(time.process_time() - cpu_started)
        wall.append(time.perf_counter() - started)
    return wall, cpu


def peak_memory_mb() -> float:
    """The largest resident memory of this process so far, in 10^6 bytes."""
    # getrusage would also count the process that this one was forked from.
    return _memory_mb("VmHWM")


def resident_memory_mb() -> float:
    """The resident memory of this process now, in 10^6 bytes; where no /proc tells it, the largest so far."""
    return _memory_mb("VmRSS")


def _memory_mb(name: str) -> float:
    status = Path("/proc/self/status")
    if status.is_file():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        return round(int(lines[name].split()[0]) * 1024 / 1e6, 1)
    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6, 1)


def read_lists(file: Path) -> dict[str, list[np.ndarray]]:
    """What `write_lists` wrote."""
    lists: dict[str, list[np.ndarray]] = {}
    with np.load(file, allow_pickle=False) as arrays:
        for name in arrays.files:
            lists.setdefault(name.rpartition("#")[0], []).append(arrays[name])
    return lists


def write_lists(file: Path, lists: Mapping[str, list[np.ndarray]]) -> None:
    """Stores lists of arrays of any sizes under their names."""
    arrays = {f"{name}#{index:04d}": array for name, some in lists.items() for index, array in enumerate(some)}
    np.savez(file, **arrays)  # type: ignore[arg-type]


def flattened_faces(boxes: list[np.ndarray]) -> dict[str, np.ndarray]:
    """Boxes [n, 4] of each image as one answer: `boxes` float64 [m, 4] (x1, y1, x2, y2) and their `image` [m]."""
    image = np.concatenate([np.full(len(some), index) for index, some in enumerate(boxes)])
    return {"boxes": np.concatenate([np.reshape(some, (-1, 4)) for some in boxes]).astype(float), "image": image}
