"""Peers in processes of their own: answers, times, turns, and what happens when one breaks."""

import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lrfr_tf.errors import UserError
from lrfr_tf.speed import interleaved
from lrfr_tf.speed.interleaved import Peer, PeerProgram, Times, running_peers, time_calls_interleaved, time_interleaved

QUICK = {"KERAS_BACKEND": "numpy"}  # so that `import lrfr_tf` does not import TensorFlow
ECHO = PeerProgram("echo", "tests.speed.echo", environment=QUICK)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    np.save(folder / "input.npy", np.arange(6).reshape(2, 3))
    return folder


@pytest.fixture(scope="module")
def peers(inputs: Path) -> Iterator[list[Peer]]:
    with running_peers([ECHO, dataclasses.replace(ECHO, name="other")], inputs, threads=2) as started:
        yield started


def test_a_peer_says_what_it_can_do_and_gives_whole_answers(peers: list[Peer]) -> None:
    assert peers[0].calls == ["echo", "burn", "fail"]
    assert peers[0].facts == {"threads": 2}
    np.testing.assert_array_equal(peers[0].answer("echo")["input"], [[0, 1, 2], [3, 4, 5]])


def test_times_are_those_of_the_calls_alone(peers: list[Peer]) -> None:
    burnt, echoed = peers[0].time("burn", 3), peers[0].time("echo", 3)
    assert len(burnt.wall) == len(burnt.cpu) == 3
    # A fiftieth of a second of arithmetic against a file of six numbers: no machine confuses them.
    assert min(burnt.cpu) > 3 * min(echoed.cpu)
    assert min(burnt.wall) >= 0.5 * min(burnt.cpu)
    assert 20 < burnt.peak_memory_mb < 10_000


def test_peers_take_turns(peers: list[Peer], inputs: Path) -> None:
    (inputs / "calls.txt").write_text("")
    times = time_interleaved({"first": (peers[0], "burn"), "second": (peers[1], "echo")}, rounds=2)
    calls = (inputs / "calls.txt").read_text()
    # Each turn is one call that is not counted and as many as make 0.4 seconds, ten at most.
    blocks = [len(block) for block in calls.replace("be", "b|e").replace("eb", "e|b").split("|")]
    burns, echoes = len(times["first"].wall) // 2, len(times["second"].wall) // 2
    assert calls.startswith("bb")
    assert 1 <= burns <= 10
    assert 1 <= echoes <= 10
    assert blocks == [2, 2, 1 + burns, 1 + echoes, 1 + burns, 1 + echoes]


def test_calls_in_this_process_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interleaved, "SECONDS_PER_TURN", 0.1)
    order: list[str] = []

    def slow() -> None:
        order.append("s")
        time.sleep(0.1)

    times = time_calls_interleaved({"slow": slow, "quick": lambda: order.append("q")}, rounds=2)
    assert len(times["slow"].wall) == 2
    assert min(times["slow"].wall) >= 0.1
    assert max(times["slow"].cpu) < min(times["slow"].wall)  # asleep, it takes no processor's time
    quick = len(times["quick"].wall) // 2
    assert "".join(order) == "ss" + "qq" + 2 * ("ss" + "q" * (1 + quick))


def test_milliseconds_are_of_one_image() -> None:
    row = Times(wall=[0.4, 0.2, 0.9], cpu=[0.8, 0.4, 0.6]).milliseconds(units=4)
    assert row == {"wall_ms_median": 100.0, "wall_ms_min": 50.0, "cpu_ms_median": 150.0, "cpu_ms_min": 100.0}


def test_a_peer_that_breaks_says_why(inputs: Path) -> None:
    with (
        running_peers([ECHO], inputs, 1) as (peer,),
        pytest.raises(UserError, match=r"echo ended: RuntimeError: this peer"),
    ):
        peer.time("fail", 1)
    with (
        pytest.raises(UserError, match=r"nobody ended: .*No module named"),
        running_peers([PeerProgram("nobody", "lrfr_tf.speed.nobody", environment=QUICK)], inputs, 1),
    ):
        pass


def test_processes_end_with_the_block(inputs: Path) -> None:
    with running_peers([ECHO], inputs, 1) as (peer,):
        process = peer._process
        assert process.poll() is None
    assert process.returncode == 0
