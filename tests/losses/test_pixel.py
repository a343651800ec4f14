"""Pixel losses against scikit-learn and against PSNR."""

import numpy as np
import pytest
import tensorflow as tf
from skimage.metrics import peak_signal_noise_ratio
from sklearn import metrics

from lrfr_tf.losses.pixel import charbonnier, mean_absolute_error, mean_squared_error, total_variation


@pytest.fixture
def pair() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    shape = (3, 8, 8, 3)
    return generator.integers(0, 256, shape, np.uint8), generator.integers(0, 256, shape, np.uint8)


def test_equal_scikit_learn_on_unit_range(pair: tuple[np.ndarray, np.ndarray]) -> None:
    images, targets = pair
    flat = [array.astype(np.float64).ravel() / 255 for array in pair]
    assert float(mean_squared_error(images, targets)) == pytest.approx(metrics.mean_squared_error(*flat), rel=1e-6)
    assert float(mean_absolute_error(images, targets)) == pytest.approx(metrics.mean_absolute_error(*flat), rel=1e-6)


def test_squared_error_of_one_image_gives_its_psnr(pair: tuple[np.ndarray, np.ndarray]) -> None:
    image, target = pair[0][:1], pair[1][:1]
    from_loss = -10 * np.log10(float(mean_squared_error(image, target)))
    assert from_loss == pytest.approx(peak_signal_noise_ratio(target, image, data_range=255), abs=1e-4)


def test_are_computed_in_float32(pair: tuple[np.ndarray, np.ndarray]) -> None:
    images = pair[0].astype(np.float16)
    for loss in (mean_squared_error, mean_absolute_error):
        assert loss(images, pair[1]).dtype == "float32"
        assert float(loss(images, images)) == 0


def test_charbonnier_is_a_smooth_absolute_error(pair: tuple[np.ndarray, np.ndarray]) -> None:
    images, targets = pair
    difference = (images.astype(np.float64) - targets) / 255
    expected = np.mean(np.hypot(difference, 1e-3))
    assert float(charbonnier(images, targets)) == pytest.approx(expected, rel=1e-6)
    images = tf.constant(targets, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(images)
        loss = charbonnier(images, targets)
    assert float(loss) == pytest.approx(1e-3)
    assert np.abs(tape.gradient(loss, images)).max() == 0  # where L1 has no derivative


def test_total_variation_of_a_ramp_and_of_noise(pair: tuple[np.ndarray, np.ndarray]) -> None:
    ramp = np.broadcast_to((np.arange(16, dtype=np.uint8) * 10)[None, None, :, None], (2, 8, 16, 3))
    assert float(total_variation(ramp)) == pytest.approx(10 / 255, rel=1e-6)
    noise = pair[0].astype(np.float64) / 255
    expected = np.abs(np.diff(noise, axis=1)).mean() + np.abs(np.diff(noise, axis=2)).mean()
    assert float(total_variation(pair[0])) == pytest.approx(expected, rel=1e-6)
