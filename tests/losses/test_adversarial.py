"""Adversarial losses against scikit-learn, and at logits where a naive form breaks."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit
from sklearn.metrics import log_loss, mean_squared_error

from lrfr_tf.losses.adversarial import (
    binary_cross_entropy_discriminator,
    binary_cross_entropy_generator,
    least_squares_discriminator,
    least_squares_generator,
    linear_least_squares_discriminator,
    relativistic_discriminator,
    relativistic_generator,
)

REAL = np.random.default_rng(0).normal(1, 2, (5, 4, 4, 1))
FAKE = np.random.default_rng(1).normal(-1, 2, (5, 4, 4, 1))
LABELS = np.repeat([1, 0], REAL.size)
PROBABILITIES = expit(np.concatenate([REAL.ravel(), FAKE.ravel()]))


def test_discriminator_equals_the_log_loss_of_scikit_learn() -> None:
    expected = log_loss(LABELS, PROBABILITIES)
    assert float(binary_cross_entropy_discriminator(REAL, FAKE)) == pytest.approx(expected, rel=1e-6)


def test_generator_equals_the_log_loss_of_the_wrong_label() -> None:
    expected = log_loss(np.ones(FAKE.size), expit(FAKE.ravel()), labels=[0, 1])
    assert float(binary_cross_entropy_generator(REAL, FAKE)) == pytest.approx(expected, rel=1e-6)


def test_least_squares_equals_the_squared_error_of_scikit_learn() -> None:
    expected = mean_squared_error(LABELS, PROBABILITIES)
    assert float(least_squares_discriminator(REAL, FAKE)) == pytest.approx(expected, rel=1e-6)


def test_a_discriminator_that_knows_nothing() -> None:
    nothing = np.zeros((2, 1))
    assert float(binary_cross_entropy_discriminator(nothing, nothing)) == pytest.approx(np.log(2))
    assert float(binary_cross_entropy_generator(nothing, nothing)) == pytest.approx(np.log(2))
    assert float(least_squares_discriminator(nothing, nothing)) == pytest.approx(0.25)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_sure_and_wrong_stays_finite_and_has_a_gradient(dtype: str) -> None:
    real, fake = tf.constant([[-500.0]], dtype), tf.constant([[500.0]], dtype)
    with tf.GradientTape() as tape:
        tape.watch(fake)
        loss = binary_cross_entropy_discriminator(real, fake)
    assert loss.dtype == "float32"
    assert float(loss) == pytest.approx(500)
    assert float(tape.gradient(loss, fake)[0, 0]) == pytest.approx(0.5)
    assert float(binary_cross_entropy_generator(real, -fake)) == pytest.approx(500)
    assert float(least_squares_discriminator(real, fake)) == pytest.approx(1)


def test_linear_least_squares_equals_the_squared_error_of_the_logits() -> None:
    logits = np.concatenate([REAL.ravel(), FAKE.ravel()])
    expected = mean_squared_error(LABELS, logits)
    assert float(linear_least_squares_discriminator(REAL, FAKE)) == pytest.approx(expected, rel=1e-6)
    assert float(least_squares_generator(REAL, FAKE)) == pytest.approx(
        mean_squared_error(np.ones(FAKE.size), FAKE.ravel()) / 2, rel=1e-6
    )


def test_relativistic_equals_the_log_loss_of_relative_logits() -> None:
    real, fake = REAL.ravel() - FAKE.mean(), FAKE.ravel() - REAL.mean()
    relative = expit(np.concatenate([real, fake]))
    assert float(relativistic_discriminator(REAL, FAKE)) == pytest.approx(log_loss(LABELS, relative), rel=1e-6)
    assert float(relativistic_generator(REAL, FAKE)) == pytest.approx(log_loss(1 - LABELS, relative), rel=1e-6)


def test_only_the_relative_height_of_the_logits_matters() -> None:
    for loss in (relativistic_discriminator, relativistic_generator):
        assert float(loss(REAL + 7.0, FAKE + 7.0)) == pytest.approx(float(loss(REAL, FAKE)), rel=1e-5)
