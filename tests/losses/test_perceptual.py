"""The perceptual loss: VGG's preprocessing against Keras', the formula against NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from lrfr_tf.losses.perceptual import perceptual, vgg_preprocess

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), np.uint8)
TARGETS = np.random.default_rng(1).integers(0, 256, (2, 8, 8, 3), np.uint8)


@pytest.fixture
def features_network() -> keras.Model:
    keras.utils.set_random_seed(0)
    inputs = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(inputs)
    # Present to show that the network runs in inference mode.
    return keras.Model(inputs, keras.layers.Dropout(0.9)(x))


def test_preprocessing_equals_that_of_keras() -> None:
    expected = keras.applications.vgg19.preprocess_input(IMAGES.astype(np.float32))
    np.testing.assert_allclose(vgg_preprocess(IMAGES), expected, atol=1e-4)
    assert vgg_preprocess(IMAGES.astype(np.float16)).dtype == "float32"


def test_red_ends_up_last() -> None:
    red = np.zeros((1, 1, 1, 3), np.float32)
    red[..., 0] = 255
    np.testing.assert_allclose(vgg_preprocess(red)[0, 0, 0], [-103.939, -116.779, 255 - 123.68], rtol=1e-5)


def test_is_the_mean_square_of_scaled_feature_differences(features_network: keras.Model) -> None:
    preprocess = keras.applications.vgg19.preprocess_input
    features = features_network.predict(preprocess(IMAGES.astype(np.float32)), verbose=0)
    target_features = features_network.predict(preprocess(TARGETS.astype(np.float32)), verbose=0)
    expected = np.mean((features - target_features) ** 2)
    assert float(perceptual(features_network, IMAGES, TARGETS)) == pytest.approx(expected / 12.75**2, rel=1e-4)
    assert float(perceptual(features_network, IMAGES, TARGETS, scale=0.1)) == pytest.approx(expected / 100, rel=1e-4)
    assert float(perceptual(features_network, IMAGES, IMAGES)) == 0


def test_gradients_reach_the_images_and_not_the_targets(features_network: keras.Model) -> None:
    images, targets = tf.constant(IMAGES, tf.float32), tf.constant(TARGETS, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch([images, targets])
        loss = perceptual(features_network, images, targets)
    image_gradient, target_gradient = tape.gradient(loss, [images, targets])
    assert np.abs(image_gradient).max() > 0
    assert target_gradient is None


def test_features_computed_before_give_the_same_loss(features_network: keras.Model) -> None:
    before = features_network(vgg_preprocess(TARGETS), training=False)
    expected = float(perceptual(features_network, IMAGES, TARGETS))
    assert float(perceptual(features_network, IMAGES, IMAGES, target_features=before)) == expected
