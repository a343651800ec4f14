"""Learning rates that change with the step."""

from typing import Any

import keras
from keras import ops

# By what a rate is divided, and after which parts of the run.
DIVISIONS = {
    "steps": (2, ((1, 2), (3, 4))),
    "tenths": (10, ((2, 5), (3, 5), (4, 5))),
    "tenth_at_half": (10, ((1, 2),)),
}


def learning_rate(
    kind: str, peak: float, steps: int, warm_up_steps: int = 0
) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """The learning rate of a run.

    Args:
        kind: "constant"; "cosine", which falls from `peak` to a fiftieth of it along half a cosine (Loshchilov and
            Hutter, "SGDR", ICLR 2017, without restarts); "steps", halved at 1/2, and again at 3/4, of the
            run; "tenths", divided by ten at 2/5, 3/5 and 4/5 (Lai and Lam 2021: at 40, 60 and 80 of 100 thousand
            steps); or "tenth_at_half", divided by ten at 1/2 of it (Ledig et al., "SRGAN", CVPR 2017).
        peak: the highest rate.
        steps: length of the run.
        warm_up_steps: the rate rises to the schedule's own along a line over these first steps (Goyal et al., 2017).

    Raises:
        ValueError: the kind is not known.
    """
    schedule: float | keras.optimizers.schedules.LearningRateSchedule = peak
    if kind == "cosine":
        schedule = keras.optimizers.schedules.CosineDecay(peak, max(steps, 1), alpha=0.02)
    elif kind in DIVISIONS:
        last = divisions(kind, steps)
        rates = [peak / DIVISIONS[kind][0] ** count for count in range(len(last) + 1)]
        schedule = keras.optimizers.schedules.PiecewiseConstantDecay(last, rates)
    elif kind != "constant":
        raise ValueError(f"There is no learning rate schedule {kind!r}.")
    return WarmUp(schedule, warm_up_steps) if warm_up_steps > 0 else schedule


def divisions(kind: str, steps: int) -> list[int]:
    """The last step with each rate but the lowest, of a run of so many steps whose rate is divided now and then."""
    return [steps * part // of for part, of in DIVISIONS[kind][1]]


def begin_alike(kind: str, steps: int, others: int, done: int) -> bool:
    """Whether two runs, of `steps` and of `others` steps, have the same learning rates in their first `done` steps."""
    if done <= 1 or steps == others or kind == "constant":
        return True
    if kind == "cosine":
        return False
    first, second = ([last for last in divisions(kind, length) if last < done - 1] for length in (steps, others))
    return first == second


class WarmUp(keras.optimizers.schedules.LearningRateSchedule):
    """Another schedule, or a constant, times (step + 1) / steps until that reaches 1."""

    def __init__(self, schedule: float | keras.optimizers.schedules.LearningRateSchedule, steps: int) -> None:
        self._schedule = schedule
        self._steps = steps

    def __call__(self, step: Any) -> Any:
        rate = self._schedule(step) if callable(self._schedule) else self._schedule
        return rate * ops.minimum(1.0, (ops.cast(step, "float32") + 1.0) / self._steps)
