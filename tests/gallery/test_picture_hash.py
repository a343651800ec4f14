"""A photo that is saved anew is the same picture; another photo is not."""

import io

import numpy as np
import pytest
from PIL import Image

from lrfr_tf.gallery.picture_hash import SAME, differing_bits, is_same_picture, picture_hash
from tests.faces_by_code import FACE_BOX

BOX = tuple(float(value) for value in FACE_BOX)


def as_jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return np.array(Image.open(buffer))


def scaled(image: np.ndarray, factor: float) -> np.ndarray:
    height, width = (round(side * factor) for side in image.shape[:2])
    return np.array(Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC))


def test_a_copy_is_the_same_picture(portrait: np.ndarray) -> None:
    original = picture_hash(portrait, BOX)
    brighter = np.clip(portrait * 1.15 + 10, 0, 255).astype(np.uint8)
    assert differing_bits(original, picture_hash(as_jpeg(portrait, 40), BOX)) <= SAME
    assert differing_bits(original, picture_hash(brighter, BOX)) <= SAME
    for factor in (0.5, 0.2):
        box = tuple(value * factor for value in BOX)
        assert is_same_picture(picture_hash(scaled(portrait, factor), box), [original])


def test_a_box_that_is_a_little_off_does_not_matter(portrait: np.ndarray) -> None:
    moved = (BOX[0] + 2, BOX[1] - 2, BOX[2] + 3, BOX[3] + 1)
    assert differing_bits(picture_hash(portrait, BOX), picture_hash(portrait, moved)) <= SAME


def test_a_mirrored_or_another_photo_is_not_the_same(portrait: np.ndarray) -> None:
    original = picture_hash(portrait, BOX)
    mirrored = (512 - BOX[2], BOX[1], 512 - BOX[0], BOX[3])
    assert not is_same_picture(picture_hash(portrait[:, ::-1].copy(), mirrored), [original])
    elsewhere = picture_hash(portrait, (200.0, 250.0, 360.0, 410.0))
    assert not is_same_picture(elsewhere, [original])
    assert is_same_picture(elsewhere, [original, elsewhere])
    assert not is_same_picture(original, [])


def test_it_fits_a_signed_column(portrait: np.ndarray) -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        face = random.integers(0, 256, (24, 20, 3), dtype=np.uint8)
        assert 0 <= picture_hash(face, (2, 2, 18, 22)) < 2**63


def test_pictures_of_one_color_have_a_hash() -> None:
    assert picture_hash(np.zeros((8, 8, 3), np.uint8), (0, 0, 8, 8)) >= 0


@pytest.mark.parametrize("box", [(0.0, 0.0, 1.0, 1.0), (7.2, 7.2, 8.0, 8.0)])
def test_the_smallest_faces_have_one_too(box: tuple[float, float, float, float]) -> None:
    assert picture_hash(np.arange(192, dtype=np.uint8).reshape(8, 8, 3), box) >= 0
