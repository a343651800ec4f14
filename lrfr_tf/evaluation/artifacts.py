"""What PSNR and SSIM do not show: a color cast, a grid of the enlargement's steps, specks of color."""

import dataclasses

import numpy as np
import scipy.ndimage

from lrfr_tf.evaluation.image_quality import luma

SMALLEST_SIDE = 32  # the frequencies beside a peak need so many pixels
NEIGHBORS = (3, 4)  # distances in steps of the spectrum; the Hann window spreads a peak over one step to each side
MIN_WAVE_AMPLITUDE = 0.25  # amplitude in grey levels; what is weaker is not seen, however little power HR has there
SPECK_RADIUS = 2
SPECK_PERCENTILE = 99.9
_CHUNK = 64  # images worked on at once

# ITU-R BT.601, full range (as in JPEG): Cb and Cr from RGB.
_CHROMA = np.array([[-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])


@dataclasses.dataclass(frozen=True)
class GridPeak:
    """How far a grid of one period stands out in the spectrum, in dB.

    A grid has all its power in the few frequencies whose parts along x and y are 0 or whole multiples of 1 / period;
    the largest figure among these frequencies counts.

    Attributes:
        frequency: 1 / period, in cycles per pixel.
        peak: the headline, the smaller of the next two figures: noise or sharp detail raises all frequencies above the
            originals', and smooth images let the faintest ripple stand out, but only a grid does both.
        above_originals: power relative to that of the originals at the same frequency.
        above_neighbors: power relative to the frequencies around it, less the same figure of the originals. Smooth
            images have little power everywhere, so a grid too faint to be seen in sharp ones shows here first.
        along_axes: power of rows and columns relative to those of the originals. All frequencies with that part along
            x, or y, add up, so that the picture's own content covers a grid that the eye already sees.
    """

    frequency: float
    peak: float
    above_originals: float
    above_neighbors: float
    along_axes: float


def color_shift(images: np.ndarray, originals: np.ndarray) -> np.ndarray:
    """The mean of image - original for each channel, in grey levels, with its sign.

    Args:
        images, originals: uint8 [N, H, W, 3], N > 0.

    Returns:
        float64 [3].

    Raises:
        ValueError: the shapes differ or are not [N, H, W, 3].
    """
    _check_same(images, originals)
    return images.mean(axis=(0, 1, 2), dtype=np.float64) - originals.mean(axis=(0, 1, 2), dtype=np.float64)


def fixed_pattern(images: np.ndarray, originals: np.ndarray, period: int = 4) -> float:
    """The grid that all images have in common, at the same pixels: root mean square, in grey levels.

    The errors of all images are averaged for each place in a tile of period x period pixels, and the mean over the tile
    is taken away; what the pictures show cancels out, what the network adds at each step of its enlargement stays.

    Args:
        images, originals: uint8 [N, H, W, 3], N > 0, H and W multiples of `period`.

    Raises:
        ValueError: the shapes differ or do not fit.
    """
    _check_same(images, originals)
    count, height, width, _ = images.shape
    if height % period or width % period:
        raise ValueError(f"Images of {height} x {width} pixels do not fall into tiles of {period} x {period}.")
    errors = images.mean(axis=(0, 3), dtype=np.float64) - originals.mean(axis=(0, 3), dtype=np.float64)
    tile = errors.reshape(height // period, period, width // period, period).mean(axis=(0, 2))
    return float(np.sqrt(np.mean(np.square(tile - tile.mean()))))


def power_spectrum(images: np.ndarray) -> np.ndarray:
    """The mean power spectrum of the luma: of each image less its mean, under a Hann window in both directions.

    Args:
        images: uint8 [N, S, S, 3], N > 0, S at least 32 and a multiple of 4.

    Returns:
        float64 [S, S]; item (j, k) is the power at j / S cycles per pixel along y and k / S along x.

    Raises:
        ValueError: another shape.
    """
    side = images.shape[1] if images.ndim == 4 else 0
    if images.shape[1:] != (side, side, 3) or side < SMALLEST_SIDE or side % 4 or not len(images):
        raise ValueError(
            f"A spectrum needs images [N, S, S, 3], S a multiple of 4 and at least {SMALLEST_SIDE}, not {images.shape}."
        )
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(side) / side)
    power = np.zeros((side, side))
    for start in range(0, len(images), _CHUNK):
        brightness = luma(images[start : start + _CHUNK])[..., 0]
        brightness = (brightness - brightness.mean(axis=(1, 2), keepdims=True)) * window[:, None] * window
        power += np.square(np.abs(np.fft.fft2(brightness))).sum(axis=0)
    return power / len(images)


def grid_peak(spectrum: np.ndarray, original_spectrum: np.ndarray, period: int) -> GridPeak:
    """Looks for a grid or checkerboard of a period, in what `power_spectrum` made of the images and of the originals.

    Args:
        spectrum, original_spectrum: float64 [S, S].
        period: 2 or 4, in pixels; the frequencies of 2 are not counted for 4.

    Power below that of a wave of a quarter of a grey level counts as that much in both.
    """
    side = len(spectrum)
    step = side // period
    odd = {step, side - step}
    places = [(j, k) for j in range(0, side, step) for k in range(0, side, step) if j in odd or k in odd]
    # A wave of amplitude a has the power (a / 2 * sum of the window) ** 2; each Hann window adds up to side / 2.
    faintest = (MIN_WAVE_AMPLITUDE / 2 * (side / 2) ** 2) ** 2
    difference = _decibels(spectrum, faintest) - _decibels(original_spectrum, faintest)
    along_axes, original_along_axes = (
        _decibels(power.sum(axis=0) + power.sum(axis=1), faintest) for power in (spectrum, original_spectrum)
    )
    above_originals = np.array([difference[place] for place in places])
    above_neighbors = np.array([_peak_ratio(difference, *place) for place in places])
    return GridPeak(
        frequency=1 / period,
        peak=float(np.minimum(above_originals, above_neighbors).max()),
        above_originals=float(above_originals.max()),
        above_neighbors=float(above_neighbors.max()),
        along_axes=float(along_axes[step] - original_along_axes[step]),
    )


def color_specks(images: np.ndarray) -> np.ndarray:
    """How strongly the most deviant pixels of each image differ in color from their surroundings, in grey levels.

    The chroma (Cb, Cr) less its mean over the 5 x 5 pixels around is what stands out from the surroundings; the figure
    is the 99.9th percentile of its length, which about 4 pixels of a 64 x 64 face exceed.

    Args:
        images: uint8 [N, H, W, 3].

    Returns:
        float64 [N]; 0 for an image of one color or in greys.
    """
    size = 2 * SPECK_RADIUS + 1
    found = np.empty(len(images))
    for start in range(0, len(images), _CHUNK):
        chroma = images[start : start + _CHUNK].astype(np.float64) @ _CHROMA.T
        around = scipy.ndimage.uniform_filter(chroma, size=(1, size, size, 1), mode="nearest")
        lengths = np.sqrt(np.square(chroma - around).sum(axis=-1))
        found[start : start + _CHUNK] = np.percentile(lengths, SPECK_PERCENTILE, axis=(1, 2))
    return found


def _peak_ratio(decibels: np.ndarray, row: int, column: int) -> float:
    """One frequency against the mean of the square ring around it; frequencies wrap around."""
    reach = range(-NEIGHBORS[1], NEIGHBORS[1] + 1)
    ring = [
        decibels[(row + y) % len(decibels), (column + x) % len(decibels)]
        for y in reach
        for x in reach
        if max(abs(y), abs(x)) >= NEIGHBORS[0]
    ]
    return float(decibels[row, column] - np.mean(ring))


def _decibels(power: np.ndarray, faintest: float) -> np.ndarray:
    return 10 * np.log10(np.maximum(power, faintest))


def _check_same(images: np.ndarray, originals: np.ndarray) -> None:
    if images.shape != originals.shape or images.ndim != 4 or images.shape[-1] != 3 or not len(images):
        raise ValueError(f"Two arrays of one shape [N, H, W, 3] are needed, not {images.shape} and {originals.shape}.")
