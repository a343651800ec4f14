"""PSNR, SSIM and luma against scikit-image."""

import warnings

import numpy as np
import pytest
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from lrfr_tf.evaluation.image_quality import luma, psnr, ssim


@pytest.fixture
def pairs(portrait: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """80 patches of a photo (more than one chunk), each with its own amount of noise."""
    generator = np.random.default_rng(0)
    corners = generator.integers(0, 512 - 64, (80, 2))
    originals = np.stack([portrait[y : y + 64, x : x + 48] for y, x in corners])
    noise = generator.normal(0, np.linspace(1, 60, 80)[:, None, None, None], originals.shape)
    return np.clip(originals + noise, 0, 255).astype(np.uint8), originals


def reference_ssim(image: np.ndarray, original: np.ndarray) -> float:
    return structural_similarity(
        image,
        original,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        channel_axis=-1,
        data_range=255,
    )


def test_psnr_equals_scikit_image(pairs: tuple[np.ndarray, np.ndarray]) -> None:
    images, originals = pairs
    expected = [peak_signal_noise_ratio(b, a, data_range=255) for a, b in zip(images, originals, strict=True)]
    assert psnr(images, originals).dtype == np.float64
    np.testing.assert_allclose(psnr(images, originals), expected, atol=1e-4)


def test_ssim_equals_scikit_image(pairs: tuple[np.ndarray, np.ndarray]) -> None:
    images, originals = pairs
    expected = [reference_ssim(a, b) for a, b in zip(images, originals, strict=True)]
    assert min(expected) < 0.5 < 0.9 < max(expected)
    np.testing.assert_allclose(ssim(images, originals), expected, atol=1e-4)


def test_luma_equals_scikit_image(portrait: np.ndarray) -> None:
    assert luma(portrait[np.newaxis]).shape == (1, 512, 512, 1)
    np.testing.assert_allclose(luma(portrait[np.newaxis])[0, ..., 0], rgb2ycbcr(portrait)[..., 0], atol=1e-9)


def test_luma_runs_from_16_to_235() -> None:
    black_and_white = np.array([[[[0, 0, 0], [255, 255, 255]]]], np.uint8)
    np.testing.assert_allclose(luma(black_and_white)[0, 0, :, 0], [16, 235])


def test_psnr_and_ssim_on_luma_equal_scikit_image(pairs: tuple[np.ndarray, np.ndarray]) -> None:
    images, originals = (rgb2ycbcr(array)[..., :1] for array in pairs)
    expected_psnr = [peak_signal_noise_ratio(b, a, data_range=255) for a, b in zip(images, originals, strict=True)]
    expected_ssim = [reference_ssim(a, b) for a, b in zip(images, originals, strict=True)]
    np.testing.assert_allclose(psnr(luma(pairs[0]), luma(pairs[1])), expected_psnr, atol=1e-4)
    np.testing.assert_allclose(ssim(luma(pairs[0]), luma(pairs[1])), expected_ssim, atol=1e-4)


def test_identical_images_are_infinitely_good_without_a_warning(portrait: np.ndarray) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert psnr(portrait[np.newaxis], portrait[np.newaxis]).tolist() == [np.inf]
    np.testing.assert_allclose(ssim(portrait[np.newaxis], portrait[np.newaxis]), 1, atol=1e-6)


def test_uint8_does_not_wrap_around() -> None:
    darker, brighter = (np.full((1, 16, 16, 3), value, np.uint8) for value in (10, 20))
    assert psnr(darker, brighter)[0] == pytest.approx(10 * np.log10(255**2 / 100))


def test_an_empty_batch_has_no_scores() -> None:
    empty = np.zeros((0, 64, 64, 3), np.uint8)
    assert psnr(empty, empty).shape == ssim(empty, empty).shape == (0,)


def test_refuses_arrays_that_do_not_match() -> None:
    for score in (psnr, ssim):
        with pytest.raises(ValueError, match=r"\(1, 64, 64, 3\) and \(2, 64, 64, 3\)"):
            score(np.zeros((1, 64, 64, 3), np.uint8), np.zeros((2, 64, 64, 3), np.uint8))
        with pytest.raises(ValueError, match="one shape"):
            score(np.zeros((64, 64, 3), np.uint8), np.zeros((64, 64, 3), np.uint8))
    with pytest.raises(ValueError, match="at least 11 x 11"):
        ssim(np.zeros((1, 10, 64, 3), np.uint8), np.zeros((1, 10, 64, 3), np.uint8))
