"""What a machine can do at best: the product of two large float32 matrices, and what a network needs of it."""

from collections.abc import Callable, Iterator

import keras
import numpy as np
import tensorflow as tf

MATRIX_SIZE = 2048
GFLOP = 2 * MATRIX_SIZE**3 / 1e9


def matrix_product() -> Callable[[], np.ndarray]:
    """A call that multiplies two float32 matrices of 2048 x 2048 with TensorFlow, which is `GFLOP` operations."""
    matrix = tf.random.normal((MATRIX_SIZE, MATRIX_SIZE))
    return lambda: tf.matmul(matrix, matrix).numpy()


def gflop_a_face(network: keras.Model) -> float:
    """Twice the multiplications in all convolutions of a network, in 10^9."""
    total = 0
    for layer in _layers(network):
        if isinstance(layer, keras.layers.Conv2D):
            _, height, width, channels = layer.output.shape
            total += 2 * height * width * channels * int(np.prod(layer.kernel.shape[:3]))
    return total / 1e9


def _layers(network: keras.Model) -> Iterator[keras.layers.Layer]:
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            yield from _layers(layer)
        else:
            yield layer
