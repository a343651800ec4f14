"""Learning rates that change with the step."""

from typing import Any

import keras
from keras import ops


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
    schedule: float | keras.optimizers.schedules.LearningRateSchedule
    if kind == "constant":
        schedule = peak
    elif kind == "cosine":
        schedule = keras.optimizers.schedules.CosineDecay(peak, max(steps, 1), alpha=0.02)
    elif kind == "steps":
        schedule = keras.optimizers.schedules.PiecewiseConstantDecay(
            [steps // 2, steps * 3 // 4], [peak, peak / 2, peak / 4]
        )
    elif kind == "tenths":
        schedule = keras.optimizers.schedules.PiecewiseConstantDecay(
            [steps * 2 // 5, steps * 3 // 5, steps * 4 // 5], [peak, peak / 10, peak / 100, peak / 1000]
        )
    elif kind == "tenth_at_half":
        schedule = keras.optimizers.schedules.PiecewiseConstantDecay([steps // 2], [peak, peak / 10])
    else:
        raise ValueError(f"There is no learning rate schedule {kind!r}.")
    return WarmUp(schedule, warm_up_steps) if warm_up_steps > 0 else schedule


class WarmUp(keras.optimizers.schedules.LearningRateSchedule):
    """Another schedule, or a constant, times (step + 1) / steps until that reaches 1."""

    def __init__(self, schedule: float | keras.optimizers.schedules.LearningRateSchedule, steps: int) -> None:
        self._schedule = schedule
        self._steps = steps

    def __call__(self, step: Any) -> Any:
        rate = self._schedule(step) if callable(self._schedule) else self._schedule
        return rate * ops.minimum(1.0, (ops.cast(step, "float32") + 1.0) / self._steps)
