"""The queue in front of the networks: bounded, in order, in batches."""

import threading
import time
from collections.abc import Sequence

import pytest

from lrfr_tf.service.batcher import PIXELS_AT_ONCE, Batcher, Job
from lrfr_tf.service.request_error import RequestError


class Slow:
    """Computes the lengths of the data; waits until it may."""

    def __init__(self) -> None:
        self.may = threading.Event()
        self.batches: list[tuple[str, int]] = []

    def compute(self, kind: str, jobs: Sequence[Job]) -> list[int | Exception]:
        assert self.may.wait(10)
        self.batches.append((kind, len(jobs)))
        return [len(job.data) if job.data else ValueError("empty") for job in jobs]


def test_what_waits_is_computed_together_and_each_gets_its_own_answer() -> None:
    slow = Slow()
    batcher = Batcher(slow.compute, most=4, wait=0.2)
    answers = [batcher.submit(Job("a", b"x" * length, 1)) for length in range(6)]
    slow.may.set()
    batcher.start()
    with pytest.raises(ValueError, match="empty"):
        answers[0].result(10)
    assert [answer.result(10) for answer in answers[1:]] == [1, 2, 3, 4, 5]
    assert slow.batches == [("a", 4), ("a", 2)]
    batcher.stop()


def test_kinds_are_computed_apart() -> None:
    slow = Slow()
    slow.may.set()
    batcher = Batcher(slow.compute, wait=0.2)
    answers = [batcher.submit(Job(kind, b"xx", 1)) for kind in "aba"]
    batcher.start()
    assert [answer.result(10) for answer in answers] == [2, 2, 2]
    assert slow.batches == [("a", 2), ("b", 1)]
    batcher.stop()


def test_large_images_are_not_decoded_together() -> None:
    slow = Slow()
    slow.may.set()
    batcher = Batcher(slow.compute, wait=0.2)
    answers = [batcher.submit(Job("a", b"x", PIXELS_AT_ONCE // 2)) for _ in range(5)]
    batcher.start()
    assert [answer.result(10) for answer in answers] == [1] * 5
    assert slow.batches == [("a", 2), ("a", 2), ("a", 1)]
    batcher.stop()


def test_a_full_queue_refuses_and_says_when_to_come_again() -> None:
    batcher = Batcher(Slow().compute, places=3)
    with batcher.places(2):
        assert batcher.depth == 2
        with pytest.raises(RequestError) as refused, batcher.places(2):
            pass
        with batcher.places(1):
            pass
    assert (refused.value.status, refused.value.code) == (503, "busy")
    assert int(refused.value.response("id").headers["retry-after"]) >= 1
    assert batcher.depth == 0


def test_what_is_queued_is_answered_before_it_ends() -> None:
    slow = Slow()
    batcher = Batcher(slow.compute, most=2, wait=0)
    batcher.start()
    answers = [batcher.submit(Job("a", b"x", 1)) for _ in range(5)]
    ending = threading.Thread(target=batcher.stop)
    ending.start()
    time.sleep(0.05)
    assert not any(answer.done() for answer in answers)
    slow.may.set()
    ending.join(10)
    assert [answer.result(0) for answer in answers] == [1] * 5


def test_a_failure_ends_its_batch_only() -> None:
    def compute(kind: str, jobs: Sequence[Job]) -> list[str]:
        if kind == "bad":
            raise RuntimeError("broken")
        return [kind for _ in jobs]

    batcher = Batcher(compute)
    batcher.start()
    with pytest.raises(RuntimeError, match="broken"):
        batcher.submit(Job("bad", b"", 1)).result(10)
    assert batcher.submit(Job("good", b"", 1)).result(10) == "good"
    batcher.stop()


def test_two_threads_compute_two_batches_at_the_same_time_and_both_end() -> None:
    both = threading.Barrier(2)

    def compute(kind: str, jobs: Sequence[Job]) -> list[str]:
        both.wait(10)  # raises where nobody else comes
        return [job.data for job in jobs]

    batcher = Batcher(compute, most=2, wait=0.2, threads=2)
    large = PIXELS_AT_ONCE // 2
    sizes = {"a": 1, "b": 1, "c": large, "d": large}
    answers = [batcher.submit(Job("a", name, pixels)) for name, pixels in sizes.items()]
    batcher.start()
    assert [answer.result(20) for answer in answers] == list(sizes)
    batcher.stop()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("batches")]
