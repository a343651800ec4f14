"""Kernels of shrinking, with the lens' blur in them, as tables that NumPy and TensorFlow look weights up in.

A kernel blurred by a Gaussian is one function of the distance between an old and a new pixel. It is sampled at steps of
1/16 small pixel, so that the Gaussian is one product with a matrix that is the same for all faces.
"""

import math
from collections.abc import Callable

import numpy as np

from lrfr_tf.images.camera import Camera

STEPS = 16  # of a table, in one small pixel
GAUSSIAN_REACH = 3.0  # standard deviations
# Motion is the mean of so many places along the path; where they are less than a small pixel apart, no gap is seen.
MOMENTS = 4
RED_LUMA, GREEN_LUMA, BLUE_LUMA = 0.299, 0.587, 0.114  # ITU-R BT.601, as in JPEG


def gaussian_places(camera: Camera) -> np.ndarray:
    """Where the blur of a camera is sampled, in small pixels: float64 [P], an odd number about 0."""
    reach = math.ceil(GAUSSIAN_REACH * camera.defocus[1] * STEPS)
    return np.arange(-reach, reach + 1) / STEPS


def kernel_windows(camera: Camera, scale: float) -> np.ndarray:
    """What to multiply with a Gaussian at `gaussian_places` to get a blurred kernel.

    Args:
        scale: side of an old image / side of the new one, at least 1.

    Returns:
        float64 [K, T, P]: for each kernel of the camera, at each of T distances -(T - 1) / 2 ... (T - 1) / 2 steps, its
        values at that distance less each place of the blur. They are 0 at both ends of T.
    """
    half = (len(gaussian_places(camera)) - 1) // 2
    reach = max(_support(name, scale) for name in camera.kernels)
    size = math.ceil(reach * STEPS) + 1 + half
    distances = np.abs(np.arange(-size - half, size + half + 1)) / STEPS
    values = np.stack([_KERNELS[name](distances, scale) for name in camera.kernels])
    return np.lib.stride_tricks.sliding_window_view(values, 2 * half + 1, axis=1).copy()


def distances(side: int, margin: int, size: int) -> np.ndarray:
    """How far each old pixel lies from each new one, in small pixels, float64 [size, side + 2 * margin]."""
    old = (np.arange(side + 2 * margin) + 0.5 - margin) * (size / side)
    return old[None] - (np.arange(size)[:, None] + 0.5)


def moments() -> np.ndarray:
    """Places along the path of motion as shares of its length, about its middle: float64 [MOMENTS]."""
    return (np.arange(MOMENTS) + 0.5) / MOMENTS - 0.5


def _support(name: str, scale: float) -> float:
    return {"bicubic": 2.0, "bilinear": 1.0, "box": 0.5, "lanczos": 3.0, "aliased": 1.0 / scale}[name]


def _bicubic(distance: np.ndarray, scale: float) -> np.ndarray:
    """Keys (1981), equation 15 with a = -0.5."""
    near = (1.5 * distance - 2.5) * distance**2 + 1.0
    far = ((-0.5 * distance + 2.5) * distance - 4.0) * distance + 2.0
    return np.where(distance < 1.0, near, np.where(distance < 2.0, far, 0.0))


def _bilinear(distance: np.ndarray, scale: float) -> np.ndarray:
    return np.maximum(1.0 - distance, 0.0)


def _box(distance: np.ndarray, scale: float) -> np.ndarray:
    return np.where(distance < 0.5, 1.0, np.where(distance == 0.5, 0.5, 0.0))


def _lanczos(distance: np.ndarray, scale: float) -> np.ndarray:
    """The sinc function under the middle of another one, three times as wide."""
    return np.where(distance < 3.0, np.sinc(distance) * np.sinc(distance / 3.0), 0.0)


def _aliased(distance: np.ndarray, scale: float) -> np.ndarray:
    return np.maximum(1.0 - distance * scale, 0.0)


_KERNELS: dict[str, Callable[[np.ndarray, float], np.ndarray]] = {
    "bicubic": _bicubic,
    "bilinear": _bilinear,
    "box": _box,
    "lanczos": _lanczos,
    "aliased": _aliased,
}
