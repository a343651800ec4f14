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
    assert float(binary_cross_entropy_generator(FAKE)) == pytest.approx(expected, rel=1e-6)


def test_least_squares_equals_the_squared_error_of_scikit_learn() -> None:
    expected = mean_squared_error(LABELS, PROBABILITIES)
    assert float(least_squares_discriminator(REAL, FAKE)) == pytest.approx(expected, rel=1e-6)


def test_a_discriminator_that_knows_nothing() -> None:
    nothing = np.zeros((2, 1))
    assert float(binary_cross_entropy_discriminator(nothing, nothing)) == pytest.approx(np.log(2))
    assert float(binary_cross_entropy_generator(nothing)) == pytest.approx(np.log(2))
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
    assert float(binary_cross_entropy_generator(-fake)) == pytest.approx(500)
    assert float(least_squares_discriminator(real, fake)) == pytest.approx(1)
