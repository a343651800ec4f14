"""Blur is seen in faces of any size; noise hides it, and that is known."""

import numpy as np
import pytest

from lrfr_tf.gallery.sharpness import BLURRED, HIGHEST, blur_of
from lrfr_tf.images.camera import Camera
from lrfr_tf.images.camera_numpy import photograph
from tests.faces_by_code import FACE_BOX

SIZES = (16, 24, 32, 64, 96)


def blur_at(portrait: np.ndarray, size: int, **camera: tuple[float, float]) -> float:
    left, top, right, bottom = FACE_BOX
    face = portrait[top:bottom, left:right]
    return blur_of(photograph(face, size, Camera(**camera), 0), (size * 0.15, 0, size * 0.85, size))  # type: ignore[arg-type]


@pytest.mark.parametrize("size", SIZES)
def test_a_sharp_face_is_not_blurred_at_any_size(portrait: np.ndarray, size: int) -> None:
    assert blur_at(portrait, size) < BLURRED


@pytest.mark.parametrize("size", SIZES)
def test_a_face_out_of_focus_is_blurred_and_the_more_so_the_more_it_is(portrait: np.ndarray, size: int) -> None:
    blurs = [blur_at(portrait, size, defocus=(sigma, sigma)) for sigma in (0.0, 0.7, 1.5, 2.5)]
    assert blurs == sorted(blurs)
    assert blurs[2] > BLURRED


def test_noise_hides_blur(portrait: np.ndarray) -> None:
    noisy = blur_at(portrait, 32, defocus=(2.0, 2.0), noise=(12.0, 12.0))
    assert noisy < BLURRED < blur_at(portrait, 32, defocus=(2.0, 2.0))


def test_a_large_face_is_measured_at_the_size_that_matters(portrait: np.ndarray) -> None:
    left, top, right, bottom = FACE_BOX
    large = np.kron(portrait[top:bottom, left:right], np.ones((4, 4, 1), np.uint8))
    box = (0, 0, large.shape[1], large.shape[0])
    assert large.shape[0] > 4 * HIGHEST
    assert blur_of(large, box) < BLURRED


def test_a_face_without_detail_is_as_blurred_as_can_be() -> None:
    assert blur_of(np.full((30, 30, 3), 90, np.uint8), (0, 0, 30, 30)) == 1.0
    assert 0 <= blur_of(np.zeros((1, 1, 3), np.uint8), (0.2, 0.2, 0.4, 0.4)) <= 1
