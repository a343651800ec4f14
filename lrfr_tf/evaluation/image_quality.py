"""PSNR and SSIM of super-resolved images against their originals, in color or on luma."""

import numpy as np

# Wang, Bovik, Sheikh, Simoncelli: "Image Quality Assessment: From Error Visibility to Structural Similarity", IEEE
# Transactions on Image Processing 2004, section III.
_K1 = 0.01
_K2 = 0.03
_SIGMA = 1.5
_RADIUS = 5

_WHITE = 255.0

# Values worked on at once: about 4 faces of 64 x 64. Ten arrays of float64 then take 4 MB, whatever N is.
_CHUNK_VALUES = 50_000


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
    errors = np.empty(len(images))
    for chunk in _chunks(images):
        difference = images[chunk].astype(np.float64) - originals[chunk].astype(np.float64)
        errors[chunk] = np.square(difference).mean(axis=(1, 2, 3))
    with np.errstate(divide="ignore"):
        return 10.0 * np.log10(_WHITE**2 / errors)


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
    if min(images.shape[1:3]) < 2 * _RADIUS + 1:
        raise ValueError(f"SSIM needs images of at least 11 x 11 pixels, not {images.shape[1]} x {images.shape[2]}.")
    scores = np.empty(len(images))
    for chunk in _chunks(images):
        scores[chunk] = _ssim_chunk(images[chunk], originals[chunk])
    return scores


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


def _ssim_chunk(images: np.ndarray, originals: np.ndarray) -> np.ndarray:
    # One channel is one matrix: [N, C, H, W].
    x = np.moveaxis(images.astype(np.float64), -1, 1)
    y = np.moveaxis(originals.astype(np.float64), -1, 1)
    rows, columns = _window_means(x.shape[2]), _window_means(x.shape[3]).T
    mean_x = rows @ x @ columns
    mean_y = rows @ y @ columns
    product_of_means = mean_x * mean_y
    sum_of_squared_means = mean_x**2 + mean_y**2
    # Var(x) + Var(y) = E[x^2 + y^2] - (E[x]^2 + E[y]^2): one pass serves both variances.
    sum_of_variances = rows @ (x**2 + y**2) @ columns - sum_of_squared_means
    covariance = rows @ (x * y) @ columns - product_of_means
    c1, c2 = (_K1 * _WHITE) ** 2, (_K2 * _WHITE) ** 2
    numerator = (2 * product_of_means + c1) * (2 * covariance + c2)
    denominator = (sum_of_squared_means + c1) * (sum_of_variances + c2)
    return (numerator / denominator).mean(axis=(1, 2, 3))


def _window_means(size: int) -> np.ndarray:
    """The matrix [size - 10, size] whose row i takes the Gaussian-weighted mean of the 11 values from i on.

    The window is separable: multiplied from both sides it gives the means of all windows inside an image. For faces
    this is over twice as fast as `scipy.ndimage`, which also filters the border that is then thrown away.
    """
    offsets = np.arange(size) - np.arange(size - 2 * _RADIUS)[:, np.newaxis] - _RADIUS
    weights = np.where(np.abs(offsets) <= _RADIUS, np.exp(-0.5 * (offsets / _SIGMA) ** 2), 0.0)
    return weights / weights.sum(axis=1, keepdims=True)


def _check_shapes(images: np.ndarray, originals: np.ndarray) -> None:
    if images.shape != originals.shape or images.ndim != 4:
        raise ValueError(f"Two arrays of one shape [N, H, W, C] are needed, not {images.shape} and {originals.shape}.")


def _chunks(images: np.ndarray) -> list[slice]:
    step = max(1, _CHUNK_VALUES // max(1, images[:1].size))
    return [slice(start, start + step) for start in range(0, len(images), step)]
