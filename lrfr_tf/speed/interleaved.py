"""Peers take turns: each runs in a process of its own, and only one of them works at a time."""

import contextlib
import dataclasses
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lrfr_tf.errors import UserError
from lrfr_tf.speed.worker import timed

ROOT = Path(__file__).parents[2]
SECONDS_PER_TURN = 0.4
MAX_CALLS_PER_TURN = 10


@dataclasses.dataclass(frozen=True)
class PeerProgram:
    """Who is measured: a module of this package that serves, the Python that runs it, and variables for that."""

    name: str
    module: str
    python: str = sys.executable
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Times:
    """Seconds of each measured call."""

    wall: list[float]
    cpu: list[float]
    peak_memory_mb: float = 0.0

    def milliseconds(self, units: int = 1) -> dict[str, float]:
        """Median and minimum, wall and CPU time, of one of the `units` (images, faces) that a call computes."""
        row = {}
        for name, seconds in (("wall", self.wall), ("cpu", self.cpu)):
            row[f"{name}_ms_median"] = round(1000 * statistics.median(seconds) / units, 3)
            row[f"{name}_ms_min"] = round(1000 * min(seconds) / units, 3)
        return row


class Peer:
    """The running process of a peer. `calls` are the names of what it can do, `facts` what it says of itself.

    Raises:
        UserError: the process ended; the message holds its last line.
    """

    def __init__(self, program: PeerProgram, inputs: Path, threads: int) -> None:
        self.name = program.name
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115  lives as long as the process
        command = [program.python, "-m", program.module, str(inputs), str(threads)]
        # Some libraries read their number of threads from the environment alone.
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": str(threads)}
        environment |= program.environment
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True, env=environment
        )
        try:
            ready = self._read()
        except UserError:
            self.close()
            raise
        self.calls: list[str] = ready["calls"]
        self.facts: dict[str, Any] = ready["facts"]

    def answer(self, call: str) -> dict[str, np.ndarray]:
        """What the call returns."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "answer.npz"
            self._ask({"call": call, "answer": str(file)})
            with np.load(file, allow_pickle=False) as arrays:
                return {name: arrays[name] for name in arrays.files}

    def time(self, call: str, times: int) -> Times:
        """Calls once unmeasured, then `times` times measured."""
        return Times(**self._ask({"call": call, "times": times}))

    def close(self) -> str:
        """Ends the process and returns what it wrote to stderr."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        self._process.wait()
        with self._log:
            self._log.seek(0)
            return self._log.read()

    def _ask(self, request: dict[str, Any]) -> Any:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # the log says why
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        return self._read()

    def _read(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if line:
            return json.loads(line)
        self._process.wait()
        self._log.seek(0)
        last = [line.strip() for line in self._log if line.strip()][-1:]
        raise UserError(f"The process of {self.name} ended: {' '.join(last) or 'it said nothing'}.")


@contextlib.contextmanager
def running_peers(programs: Sequence[PeerProgram], inputs: Path, threads: int) -> Iterator[list[Peer]]:
    """The peers, each started and ready; all are ended with the block."""
    peers: list[Peer] = []
    try:
        for program in programs:
            peers.append(Peer(program, inputs, threads))
        yield peers
    finally:
        for peer in peers:
            peer.close()


def time_interleaved(ways: Mapping[str, tuple[Peer, str]], rounds: int) -> dict[str, Times]:
    """Measures calls of peers: every round each has its turn (A B C A B C ...).

    A turn lasts about 0.4 seconds, and one call at least. Two calls before the first round warm up and tell how many
    calls make a turn, which differs between peers.

    Args:
        ways: name for the result -> whom to ask, and for which of its calls.

    Returns:
        The same names -> the times of all measured calls.
    """

    def turn_of(peer: Peer, call: str) -> Callable[[int], Times]:
        return lambda times: peer.time(call, times)

    return _time_interleaved({name: turn_of(peer, call) for name, (peer, call) in ways.items()}, rounds)


def time_calls_interleaved(calls: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, Times]:
    """The same for several ways to compute something in this process."""

    def turn_of(call: Callable[[], Any]) -> Callable[[int], Times]:
        return lambda times: Times(*timed(call, times))

    return _time_interleaved({name: turn_of(call) for name, call in calls.items()}, rounds)


def _time_interleaved(turns: Mapping[str, Callable[[int], Times]], rounds: int) -> dict[str, Times]:
    calls_per_turn = {
        name: min(MAX_CALLS_PER_TURN, max(1, round(SECONDS_PER_TURN / min(turn(1).wall))))
        for name, turn in turns.items()
    }
    found = {name: Times([], []) for name in turns}
    for _ in range(rounds):
        for name, turn in turns.items():
            new, before = turn(calls_per_turn[name]), found[name]
            found[name] = Times(before.wall + new.wall, before.cpu + new.cpu, new.peak_memory_mb)
    return found
