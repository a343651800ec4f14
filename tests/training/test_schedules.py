"""Learning rates against their formulas."""

import math

import keras
import pytest

from lrfr_tf.training.schedules import learning_rate
from lrfr_tf.training.settings import RATE_SCHEDULES


def rates(kind: str, steps: list[int], warm_up_steps: int = 0) -> list[float]:
    schedule = learning_rate(kind, 0.8, 100, warm_up_steps)
    return [float(schedule(step)) if callable(schedule) else schedule for step in steps]


def test_the_shapes() -> None:
    assert rates("constant", [0, 50, 99]) == [0.8, 0.8, 0.8]
    assert rates("steps", [0, 50, 51, 75, 76, 99]) == pytest.approx([0.8, 0.8, 0.4, 0.4, 0.2, 0.2])
    assert rates("tenth_at_half", [0, 50, 51, 99]) == pytest.approx([0.8, 0.8, 0.08, 0.08])
    cosine = [0.8 * (0.02 + 0.98 * (1 + math.cos(math.pi * step / 100)) / 2) for step in (0, 30, 100)]
    assert rates("cosine", [0, 30, 100]) == pytest.approx(cosine)
    with pytest.raises(ValueError, match="no learning rate schedule 'square'"):
        learning_rate("square", 1.0, 10)


@pytest.mark.parametrize("kind", RATE_SCHEDULES)
def test_warming_up_rises_along_a_line_to_the_same_schedule(kind: str) -> None:
    plain, warm = rates(kind, [0, 4, 9, 10, 60]), rates(kind, [0, 4, 9, 10, 60], warm_up_steps=10)
    assert warm[:2] == pytest.approx([plain[0] * 0.1, plain[1] * 0.5])
    assert warm[2:] == pytest.approx(plain[2:])
    optimizer = keras.optimizers.Adam(learning_rate(kind, 0.8, 100, 10))
    assert float(optimizer.learning_rate) == pytest.approx(warm[0])
