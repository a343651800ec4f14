"""The training loop: compiled steps on one device or many, one progress line, checkpoints, orderly ends."""

import contextlib
import dataclasses
import logging
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import tensorflow as tf
from tqdm import tqdm

from lrfr_tf.errors import UserError
from lrfr_tf.training.checkpoint import CheckpointStore
from lrfr_tf.training.strategy import is_chief, replica_share, report_lost_worker

Batch = dict[str, tf.Tensor]
Losses = dict[str, tf.Tensor]
Step = Callable[[Batch], Losses]

_logger = logging.getLogger(__name__)

# Exit code after SIGTERM, as a shell reports it: 128 + 15.
TERMINATED = 143


class TrainingObserver(Protocol):
    """Whoever follows a run."""

    def report(self, step: int, values: dict[str, float]) -> None:
        """Takes the losses of the last interval."""

    def evaluate(self, step: int) -> None:
        """Looks at the network as it is now."""


@dataclasses.dataclass(frozen=True)
class Schedule:
    """When the loop stops, reports, evaluates and saves, in steps.

    `steps_per_call` bounds the steps of one graph call. `profile` is a folder for TensorBoard's profiler, which records
    the third call.
    """

    last_step: int
    log_every: int = 50
    evaluate_every: int = 500
    save_every: int = 500
    steps_per_call: int = 10
    profile: Path | None = None

    def steps_from(self, done: int) -> int:
        """How many steps the next call takes: it ends where something is due."""
        stops = (self.log_every, self.evaluate_every, self.save_every)
        return min([self.last_step - done, self.steps_per_call] + [every - done % every for every in stops])

    def is_due(self, done: int, every: int) -> bool:
        """Whether something that happens every `every` steps, and at the end, happens now."""
        return done % every == 0 or done == self.last_step


def train(
    name: str,
    step: Step,
    batches: Callable[[int], tf.data.Dataset],
    store: CheckpointStore,
    *,
    first_step: int,
    schedule: Schedule,
    watcher: TrainingObserver | None,
    jit_compile: bool = False,
    strategy: tf.distribute.Strategy | None = None,
) -> None:
    """Runs `step` from `first_step` (done already) to `schedule.last_step`.

    Args:
        name: the text of the progress line.
        step: batch -> named losses; updates the networks. It runs in every replica, on that replica's share.
        batches: first step -> the dataset of global batches from there on, the same on every worker.
        watcher: is told the mean losses and "images_per_second" every `log_every` steps, and to evaluate every
            `evaluate_every` steps and after the last. None on workers that are not the chief.
        jit_compile: compile the step with XLA; one device only.
        strategy: the devices that train together; the networks were made in its scope.

    Raises:
        UserError: a loss became NaN or infinite (the last checkpoint is kept), or another worker was lost.
        SystemExit: SIGTERM came; the state was saved first.
    """
    if first_step >= schedule.last_step:
        return
    strategy = strategy or tf.distribute.get_strategy()
    chief = is_chief(strategy)
    call = CompiledSteps(step, batches(first_step), strategy, jit_compile)
    meter = _LossAverager()
    done = first_step
    with (
        _termination() as asked,
        report_lost_worker(strategy),
        tqdm(total=schedule.last_step, initial=first_step, desc=name, unit="step", disable=not chief) as progress,
    ):
        while done < schedule.last_step:
            if schedule.profile and chief and call.calls == 2:
                tf.profiler.experimental.start(str(schedule.profile))
            started = time.perf_counter()
            result = call(schedule.steps_from(done), asked.is_set())
            if schedule.profile and chief and call.calls == 3:
                tf.profiler.experimental.stop()
            done += result.steps
            progress.update(result.steps)
            if result.wrong:
                raise UserError(
                    f"{result.wrong!r} became {result.totals[result.wrong].numpy()} at step {done}; the last "
                    "checkpoint is kept; try a lower learning rate."
                )
            meter.add(result, time.perf_counter() - started)
            if schedule.is_due(done, schedule.log_every):
                values = meter.read(call.batch_size)
                progress.set_postfix({key: f"{value:.4g}" for key, value in values.items()})
                if watcher:
                    watcher.report(done, values)
            # Evaluated before it is saved: a run that is stopped in between does both again.
            if schedule.is_due(done, schedule.evaluate_every) and watcher:
                watcher.evaluate(done)
            if schedule.is_due(done, schedule.save_every) or result.terminate:
                store.save(done)
            if result.terminate and done < schedule.last_step:
                progress.close()
                if chief:
                    _logger.warning(
                        "%s: stopped by SIGTERM and saved after step %d of %d; start the same command again to go on.",
                        name, done, schedule.last_step,
                    )  # fmt: skip
                raise SystemExit(TERMINATED)


@dataclasses.dataclass(frozen=True)
class StepsResult:
    """What one graph call did: steps taken, the sums of their losses, the name of a loss that is not finite (the last
    step's), and whether any worker was asked to end."""

    steps: int
    totals: Losses
    wrong: str
    terminate: bool


class CompiledSteps:
    """Several steps inside one graph, so that Python is asked once a call and not once a step."""

    def __init__(
        self,
        step: Step,
        batches: tf.data.Dataset,
        strategy: tf.distribute.Strategy,
        jit_compile: bool,
    ) -> None:
        self.batch_size = next(iter(batches.element_spec.values())).shape[0]
        self.calls = 0
        self._iterator = iter(batches)
        self._names: list[str] = []

        def in_replica(batch: Batch) -> tf.Tensor:
            losses = step(replica_share(batch))
            self._names[:] = losses
            values = tf.stack([tf.cast(value, tf.float32) for value in losses.values()])
            if strategy.num_replicas_in_sync == 1:
                return values
            return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.MEAN, values)

        # All losses as one vector, the mean over the replicas: one more collective operation a step, not one a loss.
        @tf.function(jit_compile=jit_compile)
        def one_step(batch: Batch) -> tf.Tensor:
            return strategy.experimental_local_results(strategy.run(in_replica, (batch,)))[0]

        def is_asked(asked: tf.Tensor) -> tf.Tensor:
            replica = tf.distribute.get_replica_context()
            return replica.all_reduce(tf.distribute.ReduceOp.SUM, tf.cast(asked, tf.int32))

        @tf.function(reduce_retracing=True)
        def several(iterator: tf.data.Iterator, count: tf.Tensor, asked: tf.Tensor) -> tuple[tf.Tensor, ...]:
            values = one_step(next(iterator))
            totals, steps = values, tf.constant(1)
            # All replicas see the same values, so all of them stop after the same step.
            while steps < count and tf.reduce_all(tf.math.is_finite(values)):
                tf.autograph.experimental.set_loop_options(parallel_iterations=1)
                values = one_step(next(iterator))
                totals += values
                steps += 1
            anyone = strategy.experimental_local_results(strategy.run(is_asked, (asked,)))[0]
            return totals, values, steps, anyone

        self._several = several

    def __call__(self, count: int, asked: bool) -> StepsResult:
        """Takes `count` steps, or fewer if a loss of the last one taken is not finite."""
        self.calls += 1
        totals, values, steps, anyone = self._several(self._iterator, tf.constant(count), tf.constant(asked))
        wrong = [name for name, value in zip(self._names, values.numpy(), strict=True) if not math.isfinite(value)]
        named = dict(zip(self._names, tf.unstack(totals), strict=True))
        return StepsResult(int(steps), named, wrong[0] if wrong else "", int(anyone) > 0)


class _LossAverager:
    """Adds up losses and time between two reports."""

    def __init__(self) -> None:
        self._calls: list[tuple[StepsResult, float]] = []
        self._warm = False

    def add(self, result: StepsResult, seconds: float) -> None:
        self._calls.append((result, seconds))

    def read(self, batch_size: int) -> dict[str, float]:
        """Mean losses and images per second since the last reading."""
        results = [result for result, _ in self._calls]
        steps = sum(result.steps for result in results)
        values = {name: float(sum(result.totals[name] for result in results)) / steps for name in results[0].totals}
        # The very first call also builds the graph; it counts only where there is no other.
        timed = self._calls if self._warm or len(self._calls) == 1 else self._calls[1:]
        images = batch_size * sum(result.steps for result, _ in timed)
        values["images_per_second"] = images / sum(seconds for _, seconds in timed)
        self._calls, self._warm = [], True
        return values


@contextlib.contextmanager
def _termination() -> Iterator[threading.Event]:
    """An event that SIGTERM sets; the signal ends nothing by itself within the block."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked  # only the main thread may listen to signals
        return
    before: Any = signal.signal(signal.SIGTERM, lambda number, frame: asked.set())
    try:
        yield asked
    finally:
        signal.signal(signal.SIGTERM, before)
