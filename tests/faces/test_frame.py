from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lrfr_tf.faces.align import template_points
from lrfr_tf.faces.detect import FaceDetector
from lrfr_tf.faces.frame import (
    box_in_square,
    celeba_face_box,
    celeba_template_box,
    crop,
    frame_face,
    frame_portrait,
    portrait_width,
)
from lrfr_tf.images.decode import read_image


def ramp(height: int, width: int) -> np.ndarray:
    """Each pixel tells its place: (row, column, 0)."""
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows, columns, np.zeros_like(rows)], axis=2).astype(np.uint8)


def test_a_square_inside_the_image_is_cut_out_and_resized_by_pillow(portrait: np.ndarray) -> None:
    framed = frame_face(portrait, (182, 64, 265, 171), scale=1.3)
    side = 139  # 1.3 * 107 = 139.1
    left, top = 154, 48  # center (223.5, 117.5) less 69.5
    square = Image.fromarray(portrait[top : top + side, left : left + side])
    assert framed.dtype == np.uint8
    np.testing.assert_array_equal(framed, np.array(square.resize((64, 64), Image.Resampling.BICUBIC)))


def test_outside_the_image_the_edge_is_repeated() -> None:
    image = ramp(10, 8)
    framed = frame_face(image, (-2, -3, 4, 3), scale=2.0, size=12)  # the square (-5, -6) to (7, 6)
    padded = np.pad(image, ((6, 6), (5, 5), (0, 0)), mode="edge")
    np.testing.assert_array_equal(framed, padded[0:12, 0:12])
    framed = frame_face(image, (5, 6, 9, 10), scale=2.0, size=8)  # the square (3, 4) to (11, 12)
    np.testing.assert_array_equal(framed, padded[10:18, 8:16])


def test_the_longest_side_decides_and_proportions_stay() -> None:
    image = ramp(40, 40)
    np.testing.assert_array_equal(frame_face(image, (10, 5, 14, 25), 1.0, 20), image[5:25, 2:22])
    np.testing.assert_array_equal(frame_face(image, (5, 10, 25, 14), 1.0, 20), image[2:22, 5:25])


def test_a_portrait_may_go_on_as_a_mirror_image() -> None:
    image = np.random.default_rng(0).integers(0, 256, (60, 50, 3), dtype=np.uint8)
    box = (10.0, 0.0, 40.0, 56.4)
    framed = frame_portrait(image, box, 109, mirror_edges=True)
    # It begins at column 25 - 44.5 and row 28.2 - 62, to whole pixels.
    padded = np.pad(image, ((34, 60), (19, 60), (0, 0)), mode="symmetric")
    np.testing.assert_array_equal(framed, padded[:109, :89])
    repeated = np.pad(image, ((34, 60), (19, 60), (0, 0)), mode="edge")
    np.testing.assert_array_equal(frame_portrait(image, box, 109), repeated[:109, :89])


@pytest.mark.parametrize("shift", [0.0, 0.2, -0.2])
def test_corners_are_rounded_to_whole_pixels(shift: float) -> None:
    image = ramp(40, 40)
    box = np.array([10, 12, 20, 22]) + shift
    np.testing.assert_array_equal(frame_face(image, box, 1.0, 10), image[12:22, 10:20])


def test_the_smallest_frame_is_one_pixel() -> None:
    assert np.all(frame_face(ramp(9, 9), (4.0, 5.0, 4.1, 5.1), 1.0, 4)[..., :2] == (5, 4))


@pytest.mark.parametrize("box", [(1, 1, 1, 5), (5, 1, 2, 9), (np.nan, 0, 4, 4), (0, 0, np.inf, 4)])
def test_impossible_boxes_cannot_be_framed(box: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="box"):
        frame_face(ramp(9, 9), box)


@pytest.mark.parametrize(("scale", "size"), [(0.0, 64), (-1.0, 64), (1.3, 0)])
def test_impossible_frames_are_refused(scale: float, size: int) -> None:
    with pytest.raises(ValueError, match="framed at scale"):
        frame_face(ramp(9, 9), (0, 0, 4, 4), scale, size)


def test_celeba_face_is_a_fixed_square() -> None:
    assert celeba_face_box(109, 89) == (12, 27, 77, 92)
    assert celeba_face_box(218, 178) == (24, 54, 154, 184)
    assert frame_face(ramp(218, 178), celeba_face_box(218, 178), 1.0, 130).shape == (130, 130, 3)
    np.testing.assert_array_equal(
        frame_face(ramp(109, 89), celeba_face_box(109, 89), 1.0, 65), ramp(109, 89)[27:92, 12:77]
    )


@pytest.mark.parametrize(
    ("box", "rows", "columns"),
    [
        ((2, 3, 6, 7), (3, 7), (2, 6)),
        ((2.9, 3.9, 5.1, 6.1), (3, 7), (2, 6)),  # every pixel touched
        ((-4, -5, 3, 2), (0, 2), (0, 3)),
        ((5, 6, 100, 100), (6, 10), (5, 8)),
        ((4, 4, 4, 4), (4, 5), (4, 5)),  # no area
        ((6, 6, 2, 2), (6, 7), (6, 7)),  # corners swapped
        ((-9, -9, -3, -3), (0, 1), (0, 1)),  # outside
        ((50, 50, 60, 60), (9, 10), (7, 8)),
    ],
)
def test_crop_rounds_outward_and_is_never_empty(
    box: tuple[float, ...], rows: tuple[int, int], columns: tuple[int, int]
) -> None:
    image = ramp(10, 8)
    cut = crop(image, box)
    np.testing.assert_array_equal(cut, image[slice(*rows), slice(*columns)])
    cut[:] = 255
    assert image.max() < 255  # a copy, not a window


def test_crop_refuses_nan() -> None:
    with pytest.raises(ValueError, match="not finite"):
        crop(ramp(10, 8), np.full(4, np.nan, np.float32))


def test_a_portrait_puts_the_detected_box_where_celeba_has_it() -> None:
    # A white box on black, as high as 3 times CelebA's 56.4 pixels.
    image = np.zeros((600, 600, 3), np.uint8)
    image[200:369, 240:360] = 255
    shown = frame_portrait(image, (240, 200, 360, 369.2))
    assert shown.shape == (109, 89, 3)
    rows = np.flatnonzero(shown[:, 44, 0] > 127)
    columns = np.flatnonzero(shown[62, :, 0] > 127)
    assert abs((rows[0] + rows[-1] + 1) / 2 - 62) < 1
    assert abs(len(rows) - 56.4) < 1.5
    assert abs((columns[0] + columns[-1] + 1) / 2 - 44.5) < 1
    assert abs(len(columns) - 40) < 1.5


def test_a_portrait_repeats_the_edge_and_refuses_an_empty_box() -> None:
    image = ramp(40, 40)
    shown = frame_portrait(image, (0, 0, 30, 40), height=109)
    assert (shown[0] == shown[20]).all()  # above the image its first row goes on
    with pytest.raises(ValueError, match="has no area"):
        frame_portrait(image, (5, 5, 5, 9))


def test_portraits_have_celebas_proportions() -> None:
    assert [portrait_width(height) for height in (218, 109, 64, 1)] == [178, 89, 52, 1]


@pytest.mark.facenet
def test_a_detector_sees_the_box_in_a_framed_square(sample_photos: Path) -> None:
    """On photos of five persons whose faces were framed at their box, the median is within two pixels of it."""
    found = []
    detector = FaceDetector(min_face_size=20)
    for path in sorted(sample_photos.rglob("*.jpg"))[::4]:
        photo = read_image(path)
        boxes = detector.detect([photo])[0].boxes
        if len(boxes):
            found.extend(box for box in detector.detect([frame_face(photo, boxes[0])])[0].boxes[:1])
    assert len(found) > 15
    assert box_in_square(64) == (13, 7, 50, 57)
    assert box_in_square(128) == (27, 14, 100, 114)
    np.testing.assert_allclose(np.median(found, axis=0), box_in_square(64), atol=2)


def test_a_template_lies_where_the_face_of_a_portrait_is() -> None:
    # The eyes are where CelebA has them in its original images: columns 69 and 109, row 112.
    x1, y1, x2, y2 = celeba_template_box("centred", 218, 178)
    assert (x2 - x1) == pytest.approx(y2 - y1, rel=0.01)
    eyes = template_points("centred", 1)[:2] * (x2 - x1, y2 - y1) + (x1, y1)
    np.testing.assert_allclose(eyes, [[69.5, 111.5], [108.5, 111.5]], atol=2.5)
    np.testing.assert_allclose(np.array(celeba_template_box("centred", 109, 89)) * 2, (x1, y1, x2, y2), atol=1e-9)
    # "lai" has the face further left in a square of the same size, so the square begins further right.
    others = celeba_template_box("lai", 218, 178)
    assert others[0] == pytest.approx(x1 - (x2 - x1) * -8 / 112, abs=0.1)
