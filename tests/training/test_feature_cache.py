"""Features computed once equal features computed at every step."""

import keras
import numpy as np
import tensorflow as tf

from lrfr_tf.data.graph import face_batches
from lrfr_tf.losses.perceptual import perceptual, vgg_preprocess
from lrfr_tf.training.feature_cache import cache_features

FACES = np.random.default_rng(0).integers(0, 256, (70, 16, 16, 3), dtype=np.uint8)


def small_network() -> keras.Model:
    keras.utils.set_random_seed(0)
    inputs = keras.Input((None, None, 3))
    return keras.Model(inputs, keras.layers.Conv2D(4, 3, strides=2, activation="relu")(inputs))


def test_batches_carry_the_features_of_their_faces_mirrored_or_not() -> None:
    network = small_network()
    cached = cache_features(network, FACES)
    assert cached is not None
    for batch in face_batches(FACES, 8, seed=0, low_size=4, features=cached).take(4):
        expected = network(vgg_preprocess(batch["high"]))
        np.testing.assert_allclose(batch["high_features"], expected, rtol=1e-5, atol=1e-3)
        images = tf.cast(batch["high"], tf.float32) + 5.0
        losses = [
            float(perceptual(network, images, batch["high"], target_features=features))
            for features in (None, batch["high_features"])
        ]
        np.testing.assert_allclose(losses[0], losses[1], rtol=1e-4)


def test_what_does_not_fit_is_not_kept() -> None:
    # 7 x 7 x 4 float32 values of 70 faces and of their mirror images.
    needed = 2 * 70 * 7 * 7 * 4 * 4
    assert cache_features(small_network(), FACES, needed - 1) is None
    assert cache_features(small_network(), FACES, needed) is not None
