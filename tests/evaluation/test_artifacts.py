"""Casts, grids and specks that are put into images on purpose must be measured as what they are."""

import numpy as np
import pytest
import scipy.ndimage

from lrfr_tf.evaluation.artifacts import color_shift, color_specks, fixed_pattern, grid_peak, power_spectrum


@pytest.fixture
def originals(portrait: np.ndarray) -> np.ndarray:
    """100 patches of a photo, no channel near 0 or 255 (more than one chunk)."""
    corners = np.random.default_rng(0).integers(0, 512 - 64, (100, 2))
    patches = np.stack([portrait[y : y + 64, x : x + 64] for y, x in corners])
    return (40 + patches * 0.65).astype(np.uint8)


def with_grid(images: np.ndarray, period: int, kind: str, amplitude: int) -> np.ndarray:
    """Adds a grid of lines every `period` pixels, or a checkerboard with cells of half a period."""
    places = np.arange(64)
    if kind == "lines":
        pattern = (places % period == 0)[None, :] * 1 + (places % period == 0)[:, None] * 1
    else:
        cells = places // (period // 2)
        pattern = np.where((cells[None, :] + cells[:, None]) % 2, 1, -1)
    return (images.astype(np.int64) + amplitude * pattern[:, :, None]).clip(0, 255).astype(np.uint8)


def blurred(images: np.ndarray) -> np.ndarray:
    """Less power at high frequencies, as super-resolved images have."""
    return scipy.ndimage.gaussian_filter(images.astype(np.float64), (0, 1.2, 1.2, 0)).round().astype(np.uint8)


def test_a_color_cast_is_measured_exactly(originals: np.ndarray) -> None:
    cast = (originals.astype(int) + np.array([7, 0, -3])).astype(np.uint8)
    np.testing.assert_allclose(color_shift(cast, originals), [7, 0, -3], atol=1e-9)
    # It is the mean over all images: casts that cancel out do not count.
    cast[50:] = (originals[50:].astype(int) - np.array([7, 0, -3])).astype(np.uint8)
    np.testing.assert_allclose(color_shift(cast, originals), [0, 0, 0], atol=1e-9)


def test_the_spectrum_by_hand(originals: np.ndarray) -> None:
    found = power_spectrum(originals)
    assert found.shape == (64, 64)
    places = np.arange(64)
    window = np.sin(np.pi * places / 64) ** 2
    for j, k in ((0, 16), (16, 0), (16, 48), (32, 32), (3, 7)):
        wave = np.exp(-2j * np.pi * (j * places[:, None] + k * places[None, :]) / 64) * window[:, None] * window
        powers = []
        for image in originals:
            red, green, blue = np.moveaxis(image.astype(float), -1, 0)
            brightness = (65.481 * red + 128.553 * green + 24.966 * blue) / 255
            powers.append(abs(np.sum((brightness - brightness.mean()) * wave)) ** 2)
        assert found[j, k] == pytest.approx(np.mean(powers), rel=1e-9)


@pytest.mark.parametrize("kind", ["lines", "checkerboard"])
@pytest.mark.parametrize("period", [4, 2])
def test_a_grid_raises_the_figures_of_its_period(kind: str, period: int, originals: np.ndarray) -> None:
    spectrum = power_spectrum(originals)
    clean = grid_peak(spectrum, spectrum, period)
    assert clean.frequency == 1 / period
    assert (clean.peak, clean.above_originals, clean.above_neighbors, clean.along_axes) == (0, 0, 0, 0)
    marked = grid_peak(power_spectrum(with_grid(originals, period, kind, 6)), spectrum, period)
    assert min(marked.above_originals, marked.above_neighbors) >= marked.peak > 6
    assert 0 < marked.along_axes < marked.above_originals  # the pictures' own content covers it
    other = grid_peak(power_spectrum(with_grid(originals, 2, kind, 6)), spectrum, 4)
    assert abs(other.peak) < 1  # a period of 2 is no period of 4


def test_a_faint_grid_in_smooth_images_stands_out(originals: np.ndarray) -> None:
    spectrum, smooth = power_spectrum(originals), blurred(originals)
    clean = grid_peak(power_spectrum(smooth), spectrum, 4)
    assert clean.peak <= 0
    assert clean.above_neighbors < 3
    marked = grid_peak(power_spectrum(with_grid(smooth, 4, "checkerboard", 1)), spectrum, 4)
    assert marked.above_neighbors > 6


def test_blur_and_noise_are_no_grid(originals: np.ndarray) -> None:
    spectrum = power_spectrum(originals)
    noise = np.random.default_rng(1).normal(0, 20, originals.shape)
    noisy = power_spectrum((originals + noise).clip(0, 255).astype(np.uint8))
    for period in (4, 2):
        assert grid_peak(power_spectrum(blurred(originals)), spectrum, period).peak <= 0
        # Noise has more power than the pictures at high frequencies, but at all of them alike.
        assert grid_peak(noisy, spectrum, period).above_originals > 3
        assert grid_peak(noisy, spectrum, period).peak < 3


@pytest.mark.parametrize("direction", ["x", "y"])
def test_the_height_of_a_peak_by_hand(direction: str) -> None:
    # A wave of amplitude 20 at 1/4 cycles per pixel, of amplitude 2 in the originals: 20 dB.
    wave = np.cos(2 * np.pi * np.arange(64) / 4)
    both = [
        np.tile((128 + np.round(height * wave))[None, None, :, None], (1, 64, 1, 3)).astype(np.uint8)
        for height in (20, 2)
    ]
    images, originals = (image if direction == "x" else image.swapaxes(1, 2) for image in both)
    spectrum, original_spectrum = power_spectrum(images), power_spectrum(originals)
    peak = grid_peak(spectrum, original_spectrum, 4)
    assert peak.above_originals == pytest.approx(20, abs=1e-6)
    assert peak.along_axes == pytest.approx(20, abs=1e-6)
    assert np.unravel_index(np.argmax(spectrum), spectrum.shape) == ((0, 16) if direction == "x" else (16, 0))
    assert grid_peak(spectrum, original_spectrum, 2).above_originals == pytest.approx(0, abs=1e-6)


def test_what_nobody_sees_is_no_grid() -> None:
    # One wave on nothing at (0, 1/4): its power is (amplitude / 2 * 32 * 32) ** 2.
    nothing = np.zeros((64, 64))
    for amplitude, expected in ((0.2, 0.0), (0.25, 0.0), (2.5, 20.0)):
        wave = nothing.copy()
        wave[0, 16] = wave[0, 48] = (amplitude / 2 * 1024) ** 2
        assert grid_peak(wave, nothing, 4).peak == pytest.approx(expected, abs=1e-9)


def test_the_fixed_pattern_is_the_amplitude_of_what_was_added(originals: np.ndarray) -> None:
    assert fixed_pattern(originals, originals) == 0
    assert fixed_pattern(with_grid(originals, 4, "checkerboard", 3), originals) == pytest.approx(3)
    assert fixed_pattern(with_grid(originals, 2, "checkerboard", 3), originals) == pytest.approx(3)
    # Lines of 5 at every 4th row and column: the tile holds 10 once, 5 six times, 0 nine times.
    tile = np.array([10] + [5] * 6 + [0] * 9)
    assert fixed_pattern(with_grid(originals, 4, "lines", 5), originals) == pytest.approx(tile.std())
    cast = (originals.astype(int) + [7, 0, -3]).astype(np.uint8)
    assert fixed_pattern(cast, originals) == pytest.approx(0, abs=1e-9)
    noise = np.random.default_rng(1).normal(0, 12, originals.shape)
    assert fixed_pattern((originals + noise).clip(0, 255).astype(np.uint8), originals) < 0.1


def specks_by_hand(image: np.ndarray) -> float:
    red, green, blue = np.moveaxis(image.astype(np.float64), -1, 0)
    brightness = 0.299 * red + 0.587 * green + 0.114 * blue
    deviation = []
    for chroma in ((blue - brightness) / 1.772, (red - brightness) / 1.402):
        padded = np.pad(chroma, 2, mode="edge")
        means = np.lib.stride_tricks.sliding_window_view(padded, (5, 5)).mean(axis=(2, 3))
        deviation.append(chroma - means)
    return float(np.percentile(np.hypot(*deviation), 99.9))


def test_specks_by_hand(originals: np.ndarray) -> None:
    found = color_specks(originals)
    assert found.shape == (100,)
    np.testing.assert_allclose(found, [specks_by_hand(image) for image in originals], atol=1e-3)


def test_red_pixels_are_specks_and_grey_noise_is_none() -> None:
    grey = np.full((3, 64, 64, 3), 120, np.uint8)
    grey[1] = np.random.default_rng(0).integers(0, 256, (64, 64, 1))
    for place in range(6):
        grey[2, 5 + 10 * place, 30] = (200, 120, 120)
    quiet, noise, red = color_specks(grey)
    assert quiet == pytest.approx(0, abs=1e-9)
    assert noise == pytest.approx(0, abs=1e-9)
    # 80 levels of red are 80 * (0.5, -0.168736) of chroma; 1/25 of it is in the mean around.
    assert red == pytest.approx(24 / 25 * 80 * np.hypot(0.5, 0.168736), rel=1e-6)


def test_a_smooth_color_is_no_speck() -> None:
    ramp = np.linspace(0, 128, 64)[None, :, None] * np.array([1.0, 0.0, 1.0])
    image = np.broadcast_to(ramp, (64, 64, 3)).round().astype(np.uint8)[None]
    assert color_specks(image)[0] < 3


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="one shape"):
        color_shift(np.zeros((1, 4, 4, 3)), np.zeros((2, 4, 4, 3)))
    with pytest.raises(ValueError, match="tiles of 4 x 4"):
        fixed_pattern(np.zeros((1, 6, 8, 3)), np.zeros((1, 6, 8, 3)))
    for shape in ((1, 64, 60, 3), (1, 30, 30, 3), (64, 64, 3), (0, 64, 64, 3), (1, 66, 66, 3)):
        with pytest.raises(ValueError, match="A spectrum needs"):
            power_spectrum(np.zeros(shape, np.uint8))
