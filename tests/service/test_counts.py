"""Requests a minute: exact, however many threads count."""

import threading
import time

import pytest

from lrfr_tf.service.counts import CALLERS, Counts
from lrfr_tf.service.request_error import RequestError

THREADS, EACH = 8, 50


class Slow(str):
    """A name at which another thread takes its turn whenever it is looked up."""

    def __hash__(self) -> int:
        time.sleep(0)
        return 1


def is_taken(counts: Counts, most: int, who: str = "me") -> bool:
    try:
        counts.count(who, most)
    except RequestError:
        return False
    return True


def test_threads_that_count_at_once_miscount_nothing() -> None:
    most = THREADS * EACH // 2
    counts, taken = Counts(now=lambda: 5.0), []

    def ask() -> None:
        taken.append(sum(is_taken(counts, most, Slow("me")) for _ in range(EACH)))

    threads = [threading.Thread(target=ask) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(taken) == most


def test_a_minute_later_counting_begins_anew() -> None:
    now = 100.0
    counts = Counts(now=lambda: now)
    assert [is_taken(counts, 2) for _ in range(2)] == [True, True]
    now = 101.0
    with pytest.raises(RequestError) as refused:
        counts.count("me", 2)
    assert (refused.value.status, refused.value.code, refused.value.retry_after) == (429, "too_many_requests", 59.0)
    assert is_taken(counts, 2, "another")
    now = 159.9
    assert not is_taken(counts, 2)
    now = 160.0
    assert is_taken(counts, 2)


def test_callers_without_end_take_no_memory_without_end() -> None:
    counts = Counts(now=lambda: 0.0)
    for number in range(CALLERS + 5):
        counts.count(str(number), 1)
    assert len(counts._counts) <= CALLERS


def test_without_a_limit_nobody_is_counted() -> None:
    counts = Counts()
    assert all(is_taken(counts, 0) for _ in range(5))
    assert not counts._counts
