"""The identity loss against NumPy's cosines."""

import keras
import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

from lrfr_tf.losses.identity import identity
from lrfr_tf.models.facenet import UnitLength

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), np.uint8)
TARGETS = np.random.default_rng(1).integers(0, 256, (3, 16, 16, 3), np.uint8)


@pytest.fixture
def embedder() -> keras.Model:
    keras.utils.set_random_seed(0)
    inputs = keras.Input((32, 32, 3))
    x = keras.layers.Conv2D(4, 3, strides=4, activation="relu")(inputs)
    x = keras.layers.Dense(8)(keras.layers.Flatten()(x))
    # Present to show that the network runs in inference mode.
    return keras.Model(inputs, UnitLength()(keras.layers.Dropout(0.9)(x)))


def test_is_one_minus_the_mean_cosine(embedder: keras.Model) -> None:
    def embed(images: np.ndarray) -> np.ndarray:
        smooth = scipy.ndimage.correlate1d(images.astype(np.float64), [0.25, 0.5, 0.25], axis=1, mode="nearest")
        smooth = scipy.ndimage.correlate1d(smooth, [0.25, 0.5, 0.25], axis=2, mode="nearest")
        return embedder(tf.image.resize(smooth, (32, 32)), training=False).numpy()

    expected = 1 - np.mean(np.einsum("nd,nd->n", embed(IMAGES), embed(TARGETS)))
    assert float(identity(embedder, IMAGES, TARGETS)) == pytest.approx(expected, abs=1e-6)
    assert float(identity(embedder, IMAGES, IMAGES)) == pytest.approx(0, abs=1e-6)


def test_boxes_are_cut_out_of_the_smooth_images(embedder: keras.Model) -> None:
    whole = np.tile([[0.0, 0.0, 16.0, 16.0]], (3, 1))
    expected = float(identity(embedder, IMAGES, TARGETS))
    assert float(identity(embedder, IMAGES, TARGETS, whole)) == pytest.approx(expected, abs=1e-6)
    # One of them reaches beyond the image, one is wider than high.
    boxes = np.array([[2.0, 3.0, 12.0, 13.0], [-2.0, 1.5, 14.0, 17.5], [4.2, 5.0, 15.0, 11.0]])

    def embed(images: np.ndarray) -> np.ndarray:
        smooth = scipy.ndimage.correlate1d(images.astype(np.float64), [0.25, 0.5, 0.25], axis=1, mode="nearest")
        smooth = scipy.ndimage.correlate1d(smooth, [0.25, 0.5, 0.25], axis=2, mode="nearest")
        cut = []
        for image, (x1, y1, x2, y2) in zip(smooth, boxes, strict=True):
            steps = (np.arange(32) + 0.5) / 32
            places = np.meshgrid(y1 + (y2 - y1) * steps - 0.5, x1 + (x2 - x1) * steps - 0.5, indexing="ij")
            channels = [
                scipy.ndimage.map_coordinates(image[:, :, channel], places, order=1, mode="nearest")
                for channel in range(3)
            ]
            cut.append(np.stack(channels, 2))
        return embedder(np.stack(cut), training=False).numpy()

    expected = 1 - np.mean(np.einsum("nd,nd->n", embed(IMAGES), embed(TARGETS)))
    assert float(identity(embedder, IMAGES, TARGETS, boxes)) == pytest.approx(expected, abs=1e-5)


def test_gradients_reach_the_images_and_not_the_targets(embedder: keras.Model) -> None:
    images, targets = tf.constant(IMAGES, tf.float32), tf.constant(TARGETS, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch([images, targets])
        loss = identity(embedder, images, targets)
    image_gradient, target_gradient = tape.gradient(loss, [images, targets])
    assert np.abs(image_gradient).max() > 0
    assert target_gradient is None
    assert loss.dtype == "float32"


def test_following_the_gradient_brings_the_faces_together(embedder: keras.Model) -> None:
    images = tf.Variable(IMAGES, dtype=tf.float32)
    before = float(identity(embedder, images, TARGETS))
    for _ in range(20):
        with tf.GradientTape() as tape:
            loss = identity(embedder, images, TARGETS)
        images.assign_sub(10000.0 * tape.gradient(loss, images))
    assert float(identity(embedder, images, TARGETS)) < before - 0.05


def test_a_checkerboard_neither_helps_nor_harms(embedder: keras.Model) -> None:
    rows, columns = np.mgrid[0:16, 0:16]
    board = (40.0 * (-1.0) ** (rows + columns))[None, :, :, None]
    # At the border one pixel is repeated, so that a board would be left there.
    board[:, [0, -1]] = board[:, :, [0, -1]] = 0
    without, with_board, brighter = (
        float(identity(embedder, TARGETS // 2 + extra, TARGETS)) for extra in (0, board, 40.0)
    )
    assert abs(with_board - without) < 0.3 * abs(brighter - without)
