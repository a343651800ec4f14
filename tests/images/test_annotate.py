"""What is drawn for people to look at lies inside the picture, and beside the face."""

import numpy as np
import pytest

from lrfr_tf.images.annotate import KNOWN, UNKNOWN, draw_caption, draw_faces


@pytest.mark.parametrize(
    ("box", "rows"),
    [((50.0, 60.0, 90.0, 100.0), slice(40, 60)), ((50.0, 0.0, 90.0, 40.0), slice(41, 60)),
     ((50.0, 0.0, 90.0, 120.0), slice(100, 120))],
)  # fmt: skip
def test_a_label_lies_above_the_face_or_else_below(box: tuple[float, float, float, float], rows: slice) -> None:
    image = np.full((120, 160, 3), 200, np.uint8)
    drawn = draw_faces(image, [box], ["Zoë Ωμ"], [True])
    assert (image == 200).all()
    assert drawn.shape == image.shape
    label = (drawn[rows] == KNOWN).all(axis=-1)
    assert label.sum() > 300
    assert (drawn[rows].min(axis=-1) > 240).sum() > 20  # white letters
    assert (drawn[70, 50:52] == KNOWN).all() or box[3] == 40.0


def test_two_faces_and_a_long_name_at_the_edge() -> None:
    image = np.full((100, 100, 3), 200, np.uint8)
    drawn = draw_faces(image, [(5.0, 40.0, 45.0, 90.0), (70.0, 40.0, 99.0, 90.0)], ["a", "somebody"], [True, False])
    assert (drawn[60, 5] == KNOWN).all()
    assert (drawn[60, 70] == UNKNOWN).all()
    assert (drawn[25:40, 99] == UNKNOWN).all(axis=-1).sum() > 8  # the label ends at the edge
    np.testing.assert_array_equal(draw_faces(image, [], [], []), image)


@pytest.mark.parametrize(("shape", "times"), [((16, 16), 12), ((1, 1), 192), ((200, 150), 1), ((3, 2000), 1)])
def test_a_caption_stands_below_the_whole_face(shape: tuple[int, int], times: int) -> None:
    face = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    drawn = draw_caption(face, "somebody 0.51", known=False)
    height, width = shape[0] * times, shape[1] * times
    np.testing.assert_array_equal(drawn[:height:times, :width:times], face)
    assert (drawn[height + 1 :, 1] == UNKNOWN).all()
    assert (drawn[height:].min(axis=-1) > 240).any()
