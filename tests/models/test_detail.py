"""How much detail a face holds: against NumPy and Pillow, and whether it tells shrunk faces from sharp ones."""

import numpy as np
from PIL import Image

from lrfr_tf.models.detail import DETAIL_OF_SMALL_FACES, detail
from tests.faces_by_code import person


def measured(image: np.ndarray) -> float:
    """By Pillow's bicubic, which rounds to no grey levels in images of floats."""
    bright = image.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)

    def as_if_of(pixels: int) -> np.ndarray:
        small = Image.fromarray(bright, mode="F").resize((pixels, pixels), Image.Resampling.BICUBIC)
        return np.asarray(small.resize(bright.shape, Image.Resampling.BICUBIC))

    middle = np.s_[32:96, 32:96]
    fine, coarse = (bright - as_if_of(40))[middle], (as_if_of(40) - as_if_of(20))[middle]
    return np.square(fine).mean() / (np.square(coarse).mean() + 1)


def shrunk(face: np.ndarray, size: int) -> np.ndarray:
    small = Image.fromarray(face).resize((size, size), Image.Resampling.BICUBIC)
    return np.asarray(small.resize((128, 128), Image.Resampling.BICUBIC))


def test_is_the_power_of_one_octave_to_the_next(portrait: np.ndarray) -> None:
    faces = np.stack([person(portrait, identity, 0, 128) for identity in range(4)])
    images = np.concatenate([faces, np.random.default_rng(0).integers(0, 256, (1, 128, 128, 3), np.uint8)])
    np.testing.assert_allclose(detail(images.astype(np.float32)), [measured(image) for image in images], rtol=2e-3)
    assert np.asarray(detail(np.full((1, 128, 128, 3), 77, np.float32)))[0] < 1e-6


def test_the_end_of_a_photo_is_no_detail(portrait: np.ndarray) -> None:
    faces = [person(portrait, identity, 0, 128) for identity in range(6)]
    for size, few in ((16, True), (128, False)):
        cut_off = np.stack([shrunk(face, size) for face in faces])
        cut_off[:, :20] = cut_off[:, :, :25] = cut_off[:, :, -25:] = 0
        assert ((np.asarray(detail(cut_off.astype(np.float32))) < DETAIL_OF_SMALL_FACES) == few).all()


def test_tells_faces_that_were_small(portrait: np.ndarray) -> None:
    faces = [person(portrait, identity, 0, 128) for identity in range(6)]
    for sizes, few in (((8, 12, 16, 20, 24), True), ((64, 80, 128), False)):
        for size in sizes:
            found = np.asarray(detail(np.stack([shrunk(face, size) for face in faces]).astype(np.float32)))
            assert ((found < DETAIL_OF_SMALL_FACES) == few).all(), (size, found)
