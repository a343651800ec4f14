"""Shrinking and blurring of the camera model against Pillow, SciPy and OpenCV."""

import dataclasses

import cv2
import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from lrfr_tf.images.camera import DRAWS, NOISE_CHANNELS, Camera, Kernel, Shot, sample_shot
from lrfr_tf.images.camera_numpy import apply_shot

FILTERS: dict[Kernel, Image.Resampling] = {
    "bicubic": Image.Resampling.BICUBIC,
    "bilinear": Image.Resampling.BILINEAR,
    "box": Image.Resampling.BOX,
    "lanczos": Image.Resampling.LANCZOS,
}


@pytest.fixture(scope="module")
def face(portrait: np.ndarray) -> np.ndarray:
    """With half its contrast, so that no overshoot is clipped."""
    return portrait[20:164, 150:294] // 2 + 64


def shrink(image: np.ndarray, size: int, camera: Camera, margin: int = 0, **drawn: float) -> np.ndarray:
    shot = dataclasses.replace(shot_of(camera, size), **drawn)
    return apply_shot(image, shot, np.zeros((size, size, NOISE_CHANNELS)), size, camera=camera, margin=margin)[
        0
    ].astype(float)


def shot_of(camera: Camera, size: int) -> Shot:
    return sample_shot(camera, np.full(len(DRAWS), 0.5), size)


@pytest.mark.parametrize("size", [8, 12, 16, 24, 48, 112])
@pytest.mark.parametrize("kernel", FILTERS)
def test_kernels_are_pillows(face: np.ndarray, kernel: Kernel, size: int) -> None:
    image = face[16:-16, 16:-16]
    expected = np.asarray(Image.fromarray(image).resize((size, size), FILTERS[kernel])).astype(float)
    found = shrink(image, size, Camera(kernels=(kernel,)))
    # A box has edges, which a table rounds to 1/16 of a small pixel; and Pillow rounds between its passes.
    assert np.abs(found - expected).max() <= (3 if kernel == "box" else 1)
    assert np.abs(found - expected).mean() < (0.7 if kernel == "box" else 0.15)


@pytest.mark.parametrize("size", [16, 20, 28])
def test_aliased_is_opencvs_linear(face: np.ndarray, size: int) -> None:
    image = face[16:-16, 16:-16]
    found = shrink(image, size, Camera(kernels=("aliased",)))
    assert np.abs(found - cv2.resize(image, (size, size), interpolation=cv2.INTER_LINEAR)).mean() < 0.9
    assert np.abs(found - cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)).mean() > 2


@pytest.mark.parametrize("defocus", [0.3, 0.7, 1.3])
@pytest.mark.parametrize("size", [14, 28])
def test_defocus_is_scipys_gaussian_before_shrinking(face: np.ndarray, size: int, defocus: float) -> None:
    camera = Camera(kernels=("bilinear",), defocus=(0.0, 1.3))
    blurred = gaussian_filter(face.astype(float), (defocus * 112 / size, defocus * 112 / size, 0), mode="reflect")
    blurred = np.rint(blurred).astype(np.uint8)
    box = (16, 16, 128, 128)
    expected = np.asarray(Image.fromarray(blurred).resize((size, size), Image.Resampling.BILINEAR, box=box))
    found = shrink(face, size, camera, 16, defocus=defocus)
    inside = (
        slice(3, -3) if size == 14 else slice(4, -4)
    )  # SciPy reflects beyond the margin, where weights are cut here
    assert np.abs(found - expected)[inside, inside].max() <= 1.5


@pytest.mark.parametrize("direction", [0.0, 0.6, np.pi / 2, 2.5])
def test_motion_is_a_line_in_its_direction(direction: float) -> None:
    """One bright spot becomes as long and as wide as the path says: its second moments are those of a line."""
    side, size, length = 160, 40, 6.0
    image = np.zeros((side, side, 3), np.uint8)
    image[78:82, 78:82] = 255
    camera = Camera(motion=(0.0, length))
    spot, still = (shrink(image, size, camera, motion=value, direction=direction)[..., 0] for value in (length, 0.0))
    y, x = np.mgrid[:size, :size] - (size - 1) / 2

    def moments(values: np.ndarray) -> np.ndarray:
        return np.array([(values * part).sum() / values.sum() for part in (x, y, x * x, y * y, x * y)])

    cosine, sine = np.cos(direction), np.sin(direction)
    line = np.array([0, 0, cosine**2, sine**2, cosine * sine]) * length**2 / 12
    np.testing.assert_allclose(moments(spot) - moments(still), line, atol=0.35)


def test_flat_images_stay_flat(portrait: np.ndarray) -> None:
    camera = Camera(kernels=("bicubic", "bilinear", "box", "lanczos", "aliased"), defocus=(0.0, 1.3), motion=(0.0, 2.0))
    image = np.full((144, 144, 3), 77, np.uint8)
    for size in (1, 5, 16, 112):
        for kernel in range(5):
            assert (shrink(image, size, camera, 16, kernel=kernel) == 77).all()
