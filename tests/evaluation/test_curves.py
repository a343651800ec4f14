"""A picture of curves is a PNG that shows them."""

from pathlib import Path

import numpy as np
import pytest

from lrfr_tf.evaluation.curves import draw_curves
from lrfr_tf.images.decode import read_image


def test_the_curves_are_drawn(tmp_path: Path) -> None:
    x = np.array([0.0, 0.001, 0.1, 1.0])
    curves = {"5 $ a": (x, x), "other": (x, np.sqrt(x))}
    draw_curves(tmp_path / "both.png", "ROC", "FAR", "TAR", curves, log_x=True)
    draw_curves(tmp_path / "one.png", "ROC", "FAR", "TAR", {"5 $ a": (x, x)}, log_x=True)
    both, one = read_image(tmp_path / "both.png"), read_image(tmp_path / "one.png")
    assert both.shape == one.shape == (550, 800, 3)
    orange = (np.abs(both.astype(int) - (255, 127, 14)).sum(axis=2) < 30).sum()
    assert orange > 200
    assert (np.abs(one.astype(int) - (255, 127, 14)).sum(axis=2) < 30).sum() == 0


def test_mistakes_leave_no_picture(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="needs a curve"):
        draw_curves(tmp_path / "a.png", "", "", "", {})
    with pytest.raises(ValueError, match="The curve a has"):
        draw_curves(tmp_path / "a.png", "", "", "", {"a": (np.zeros(2), np.zeros(3))})
    assert not list(tmp_path.iterdir())
