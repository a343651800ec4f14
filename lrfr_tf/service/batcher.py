"""Images of many requests, computed together: a bounded queue in front of the threads that compute."""

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from lrfr_tf.service.request_error import RequestError

PIXELS_AT_ONCE = 40_000_000  # decoded for one batch, about; a single image may have as many


@dataclass(frozen=True, eq=False)
class Job:
    """One image to be computed, or the faces of a request to be decided about.

    Attributes:
        kind: what is wanted of it; jobs of one kind are computed together.
        data: the image, as it came; or an `Undecided`.
        pixels: how many the image has once it is decoded.
        since: when it was queued, by time.monotonic().
    """

    kind: str
    data: Any
    pixels: int = 0
    since: float = field(default_factory=time.monotonic)
    answer: "Future[Any]" = field(default_factory=Future)


Compute = Callable[[str, Sequence[Job]], Sequence[Any]]


class Batcher:
    """Computes jobs in batches, which are begun in the order in which the jobs came.

    Args:
        compute: takes a kind and jobs of it, and gives an answer for each, which may be an exception.
        places: how many images may be under way; more are refused.
        most: in one batch.
        wait: seconds for which a batch waits for more.
        threads: how many batches are computed at the same time.
        observe: told of each batch: how many images it has.
    """

    def __init__(
        self,
        compute: Compute,
        *,
        places: int = 64,
        most: int = 16,
        wait: float = 0.005,
        threads: int = 1,
        observe: Callable[[int], None] = lambda count: None,
    ) -> None:
        self._compute, self._observe = compute, observe
        self._places, self._most, self._wait = places, most, wait
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._taken = 0
        self._seconds_each = 0.1  # per image of a batch, a running mean
        self._count = threads
        self._threads: list[threading.Thread] = []

    @property
    def depth(self) -> int:
        """How many images are under way."""
        return self._taken

    def start(self) -> None:
        """Begins to compute, unless it does already."""
        if not self._threads:
            self._threads = [
                threading.Thread(target=self._run, name=f"batches {number}", daemon=True)
                for number in range(self._count)
            ]
            for thread in self._threads:
                thread.start()

    def stop(self) -> None:
        """Computes what is queued, and ends."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()
        self._threads = []

    @contextlib.contextmanager
    def places(self, count: int) -> Iterator[None]:
        """Keeps places for images while the block runs.

        Raises:
            RequestError: there are not so many; it says when to come again.
        """
        with self._lock:
            if self._taken + count > self._places:
                seconds = self._taken * self._seconds_each / self._count
                message, details = "The queue is full; try again later.", {"queue": self._places}
                raise RequestError(503, "busy", message, details, retry_after=seconds)
            self._taken += count
        try:
            yield
        finally:
            with self._lock:
                self._taken -= count

    def submit(self, job: Job) -> "Future[Any]":
        """Queues a job, for which a place was kept."""
        self._jobs.put(job)
        return job.answer

    def _run(self) -> None:
        running, left_over = True, None
        while running:
            batch, left_over, running = self._next_batch(left_over or self._jobs.get())
            batch = [job for job in batch if job.answer.set_running_or_notify_cancel()]
            if batch:
                began = time.monotonic()
                self._observe(len(batch))
                self._answer(batch)
                each = (time.monotonic() - began) / len(batch)
                with self._lock:
                    self._seconds_each += 0.1 * (each - self._seconds_each)

    def _next_batch(self, first: Job | None) -> tuple[list[Job], Job | None, bool]:
        """Jobs to compute together, the one after them if it was too large, and whether there may be more."""
        if first is None:
            return [], None, False
        batch, pixels = [first], first.pixels
        until = time.monotonic() + self._wait
        while len(batch) < self._most:
            try:
                job = self._jobs.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                break
            if job is None:
                return batch, None, False
            if pixels + job.pixels > PIXELS_AT_ONCE:
                return batch, job, True
            batch.append(job)
            pixels += job.pixels
        return batch, None, True

    def _answer(self, batch: Sequence[Job]) -> None:
        for kind in dict.fromkeys(job.kind for job in batch):
            jobs = [job for job in batch if job.kind == kind]
            try:
                answers = self._compute(kind, jobs)
            except Exception as error:
                answers = [error] * len(jobs)
            for job, answer in zip(jobs, answers, strict=True):
                if isinstance(answer, Exception):
                    job.answer.set_exception(answer)
                else:
                    job.answer.set_result(answer)
