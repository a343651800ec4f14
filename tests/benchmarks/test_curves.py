"""A picture of curves is a PNG that shows them."""

from pathlib import Path

import numpy as np
import pytest

from lrfr_tf.benchmarks.curves import draw_curves, draw_panels
from lrfr_tf.images.decode import read_image


def test_the_curves_are_drawn(tmp_path: Path) -> None:
    x = np.array([0.0, 0.001, 0.1, 1.0])
    curves = {"5 $ a": (x, x), "other": (x, np.sqrt(x))}
    draw_curves(tmp_path / "both.png", "ROC", "FAR", "TAR", curves=curves, log_x=True)
    draw_curves(tmp_path / "one.png", "ROC", "FAR", "TAR", curves={"5 $ a": (x, x)}, log_x=True)
    both, one = read_image(tmp_path / "both.png"), read_image(tmp_path / "one.png")
    assert both.shape == one.shape == (550, 800, 3)
    orange = (np.abs(both.astype(int) - (255, 127, 14)).sum(axis=2) < 30).sum()
    assert orange > 200
    assert (np.abs(one.astype(int) - (255, 127, 14)).sum(axis=2) < 30).sum() == 0


def test_panels_lie_side_by_side_with_one_color_a_name(tmp_path: Path) -> None:
    x = np.array([8.0, 16.0, 64.0])
    curves = {"bicubic": (x, x), "other": (x, np.sqrt(x))}
    draw_panels(tmp_path / "two.png", "Pixels", "S", "%", panels={"clean": curves, "harsh": curves}, log_x=True)
    picture = read_image(tmp_path / "two.png").astype(int)
    assert picture.shape == (550, 960, 3)
    for half in (picture[:, :480], picture[:, 480:]):
        for color in ((31, 119, 180), (255, 127, 14)):
            assert (np.abs(half - color).sum(axis=2) < 30).sum() > 100
    draw_curves(tmp_path / "one.png", "Pixels", "S", "%", curves=curves)
    draw_panels(tmp_path / "panel.png", "Pixels", "S", "%", panels={"clean": curves})
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "panel.png").read_bytes()


def test_mistakes_leave_no_picture(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="needs a curve"):
        draw_curves(tmp_path / "a.png", "", "", "", curves={})
    with pytest.raises(ValueError, match="The curve a has"):
        draw_curves(tmp_path / "a.png", "", "", "", curves={"a": (np.zeros(2), np.zeros(3))})
    assert not list(tmp_path.iterdir())
