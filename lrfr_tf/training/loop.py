"""The training loop: compiled steps, one progress line, checkpoints."""

import dataclasses
import math
import time
from collections.abc import Callable
from typing import Protocol

import tensorflow as tf
from tqdm import tqdm

from lrfr_tf.errors import UserError
from lrfr_tf.training.checkpoint import CheckpointStore

Batch = dict[str, tf.Tensor]
Losses = dict[str, tf.Tensor]
Step = Callable[[Batch], Losses]


class Watcher(Protocol):
    """Whoever follows a run."""

    def report(self, step: int, values: dict[str, float]) -> None:
        """Takes the losses of the last interval."""

    def evaluate(self, step: int) -> None:
        """Looks at the network as it is now."""


@dataclasses.dataclass(frozen=True)
class Schedule:
    """When the loop stops, reports, evaluates and saves, in steps."""

    last_step: int
    log_every: int = 50
    evaluate_every: int = 500
    save_every: int = 500


def train(
    name: str,
    step: Step,
    batches: Callable[[int], tf.data.Dataset],
    store: CheckpointStore,
    first_step: int,
    schedule: Schedule,
    watcher: Watcher,
    jit_compile: bool = True,
) -> None:
    """Runs `step` from `first_step` (done already) to `schedule.last_step`.

    Args:
        name: the text of the progress line.
        step: batch -> named losses; updates the networks.
        batches: first step -> the dataset from there on.
        watcher: is told the mean losses and "images_per_second" every `log_every` steps, and to evaluate every
            `evaluate_every` steps and after the last.
        jit_compile: compile the step with XLA. On CPUs it depends: 1.8 times as fast on one, 3 times as slow on another
            with AVX-512.

    Raises:
        UserError: a loss became NaN or infinite; the last checkpoint is kept.
    """
    if first_step >= schedule.last_step:
        return
    compiled = tf.function(step, jit_compile=jit_compile)

    # Several steps run inside one graph, so that Python is asked once a log interval and not once a step.
    @tf.function(reduce_retracing=True)
    def several(iterator: tf.data.Iterator, count: tf.Tensor) -> Losses:
        losses = compiled(next(iterator))
        totals = {key: tf.cast(value, tf.float32) for key, value in losses.items()}
        for _ in tf.range(count - 1):
            losses = compiled(next(iterator))
            totals = {key: totals[key] + tf.cast(losses[key], tf.float32) for key in totals}
        return {key: total / tf.cast(count, tf.float32) for key, total in totals.items()}

    iterator = iter(batches(first_step))
    done = first_step
    batch_size = next(iter(iterator.element_spec.values())).shape[0]
    with tqdm(total=schedule.last_step, initial=first_step, desc=name, unit="step") as progress:
        while done < schedule.last_step:
            stops = (schedule.log_every, schedule.evaluate_every, schedule.save_every)
            count = min([schedule.last_step - done] + [every - done % every for every in stops])
            started = time.perf_counter()
            losses = {key: float(value) for key, value in several(iterator, tf.constant(count)).items()}
            seconds = time.perf_counter() - started
            done += count
            progress.update(count)
            progress.set_postfix({key: f"{value:.4g}" for key, value in losses.items()})
            wrong = [key for key, value in losses.items() if not math.isfinite(value)]
            if wrong:
                raise UserError(
                    f"The loss {wrong[0]!r} became {losses[wrong[0]]} between the steps {done - count} and {done}; the "
                    "last checkpoint is kept; try a lower learning rate."
                )
            if done % schedule.log_every == 0 or done == schedule.last_step:
                watcher.report(done, {**losses, "images_per_second": count * batch_size / seconds})
            # Evaluated before it is saved: a run that is stopped in between does both again.
            if done % schedule.evaluate_every == 0 or done == schedule.last_step:
                watcher.evaluate(done)
            if done % schedule.save_every == 0 or done == schedule.last_step:
                store.save(done)
