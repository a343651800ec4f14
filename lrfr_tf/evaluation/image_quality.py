"""PSNR and SSIM of super-resolved images against their originals, in color or on luma."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

_WHITE = 255.0
_WINDOW = 11
_CHUNK = 64  # images worked on at once; it bounds the memory


def psnr(images: np.ndarray, originals: np.ndarray) -> np.ndarray:
    """The peak signal-to-noise ratio of each image, in dB, over all its pixels and channels; the peak is 255.

    An image that equals its original has an infinite PSNR, and so has any mean it is part of: a report over such a set
    says so (JSON has no infinity) or gives the median.

    Args:
        images: [N, H, W, C], uint8, or float in 0..255 such as `luma` gives.
        originals: the same shape.

    Returns:
        float64 [N].

    Raises:
        ValueError: the shapes differ or are not [N, H, W, C].
    """
    _check_shapes(images, originals)
    return _scores(tf.image.psnr, images, originals)


def finite_psnr(images: np.ndarray, originals: np.ndarray) -> np.ndarray:
    """`psnr`, but of an image that equals its original 100 dB, since no mean and no JSON can hold infinity."""
    return np.minimum(psnr(images, originals), 100.0)


def ssim(images: np.ndarray, originals: np.ndarray) -> np.ndarray:
    """The structural similarity of each image: Gaussian window 11 x 11 of sigma 1.5, K1 = 0.01, K2 = 0.03, peak 255.

    As in Wang et al. (2004) the window stays inside the image and variances are population variances. The channels
    are scored one by one and averaged.

    Args:
        images: [N, H, W, C] with H, W >= 11, uint8, or float in 0..255 such as `luma` gives.
        originals: the same shape.

    Returns:
        float64 [N], 1 for an image that equals its original.

    Raises:
        ValueError: the shapes differ or are not [N, H, W, C], or the images are smaller than the window.
    """
    _check_shapes(images, originals)
    if min(images.shape[1:3]) < _WINDOW:
        raise ValueError(f"SSIM needs images of at least 11 x 11 pixels, not {images.shape[1]} x {images.shape[2]}.")
    return _scores(tf.image.ssim, images, originals)


def luma(images: np.ndarray) -> np.ndarray:
    """The luma of RGB images: ITU-R BT.601, studio swing 16..235, as MATLAB's `rgb2ycbcr`, but not rounded.

    Super-resolution papers report PSNR and SSIM on it.

    Args:
        images: [N, H, W, 3], RGB in 0..255, uint8 or float.

    Returns:
        float64 [N, H, W, 1].
    """
    weights = np.array([65.481, 128.553, 24.966]) / _WHITE
    return 16.0 + images.astype(np.float64) @ weights[:, np.newaxis]


def _check_shapes(images: np.ndarray, originals: np.ndarray) -> None:
    if images.shape != originals.shape or images.ndim != 4:
        raise ValueError(f"Two arrays of one shape [N, H, W, C] are needed, not {images.shape} and {originals.shape}.")


def _scores(score: Callable[..., tf.Tensor], images: np.ndarray, originals: np.ndarray) -> np.ndarray:
    pairs = [np.asarray(array, np.float32) for array in (images, originals)]
    scores = np.empty(len(images))
    for start in range(0, len(images), _CHUNK):
        scores[start : start + _CHUNK] = score(*(array[start : start + _CHUNK] for array in pairs), max_val=_WHITE)
    return scores
