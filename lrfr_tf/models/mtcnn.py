"""MTCNN's three nets (Zhang et al. 2016, "Joint Face Detection and Alignment using Multitask Cascaded CNNs").

All take float32 RGB in -1 to 1, (x - 127.5) / 128. Layers come in the order of the released weights, and have their
shapes (`lrfr_tf.weights.mtcnn`). Everything is float32 under every precision policy: boxes are differences of numbers.
"""

from collections.abc import Callable
from typing import Any

import keras
from keras import KerasTensor, layers, ops

# Every cell of 12 x 12 pixels gets an answer, and the cells lie 2 pixels apart.
CELL_SIZE = 12
CELL_STEP = 2
REFINEMENT_SIZE = 24
OUTPUT_SIZE = 48


def proposal_net() -> keras.Model:
    """P-net: fully convolutional, so it takes images of any size from 12 x 12 on; 6,632 parameters.

    Returns:
        A model from [N, H, W, 3] to offsets [N, h, w, 4] (x1, y1, x2, y2 of the box less those of the cell, in parts of
        its size) and answers [N, h, w, 2] (no face, face), the softmax of which are probabilities; h is
        ceil((H - 2) / 2) - 4, the same for w. Softmax would take a fifth of the net's time, and few cells need it.
    """
    images = keras.Input((None, None, 3), dtype="float32", name="images")
    x = _pooled_convolution(images, 1, 10, pool_size=2, padding="same")
    x = _convolution(x, 2, 16, 3)
    x = _convolution(x, 3, 32, 3)
    offsets = layers.Conv2D(4, 1, dtype="float32", name="offsets")(x)
    answers = layers.Conv2D(2, 1, dtype="float32", name="probabilities")(x)
    return keras.Model(images, [offsets, answers], name="proposal_net")


def refinement_net() -> keras.Model:
    """R-net, 100,178 parameters.

    Returns:
        A model from crops [N, 24, 24, 3] to offsets [N, 4] as of the proposal net and to probabilities [N, 2] (no face,
        face).
    """
    crops = keras.Input((REFINEMENT_SIZE, REFINEMENT_SIZE, 3), dtype="float32", name="crops")
    x = _pooled_convolution(crops, 1, 28, pool_size=3, padding="same")
    x = _pooled_convolution(x, 2, 48, pool_size=3, padding="valid")
    x = _convolution(x, 3, 64, 2)
    x = _dense(x, 4, 128)
    offsets = layers.Dense(4, dtype="float32", name="offsets")(x)
    probabilities = layers.Dense(2, activation="softmax", dtype="float32", name="probabilities")(x)
    return keras.Model(crops, [offsets, probabilities], name="refinement_net")


def output_net() -> keras.Model:
    """O-net, 389,040 parameters.

    Returns:
        A model from crops [N, 48, 48, 3] to offsets [N, 4], landmarks [N, 10] (x of left eye, right eye, nose, left and
        right corner of the mouth, then their y, in parts of the crop's size) and probabilities [N, 2].
    """
    crops = keras.Input((OUTPUT_SIZE, OUTPUT_SIZE, 3), dtype="float32", name="crops")
    x = _pooled_convolution(crops, 1, 32, pool_size=3, padding="same")
    x = _pooled_convolution(x, 2, 64, pool_size=3, padding="valid")
    x = _pooled_convolution(x, 3, 64, pool_size=2, padding="same")
    x = _convolution(x, 4, 128, 2)
    x = _dense(x, 5, 256)
    offsets = layers.Dense(4, dtype="float32", name="offsets")(x)
    landmarks = layers.Dense(10, dtype="float32", name="landmarks")(x)
    probabilities = layers.Dense(2, activation="softmax", dtype="float32", name="probabilities")(x)
    return keras.Model(crops, [offsets, landmarks, probabilities], name="output_net")


class TwoPassPReLU(layers.PReLU):
    """PReLU with one slope a channel, of 1 at most: bit for bit what `PReLU` gives, in two passes instead of five.

    It is max(x, slope x) then. All released slopes are at most 1 but for some that `PReLUAndPool` has.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(shared_axes=[1, 2], **kwargs)

    def call(self, x: Any) -> Any:
        return _apply_slopes(ops.maximum, x, self.alpha)


class PReLUAndPool(layers.PReLU):
    """PReLU with one slope a channel, then max pooling: bit for bit what the two layers give, in fewer passes.

    PReLU is max(x, slope x) where the slope is at most 1, and min(x, slope x) above. The latter rises with x
    everywhere, so that it can wait until the pooling has left a quarter of the values.
    """

    def __init__(self, pool_size: int, padding: str, **kwargs: Any) -> None:
        super().__init__(shared_axes=[1, 2], **kwargs)
        self.pool = layers.MaxPooling2D(pool_size, 2, padding=padding, dtype=self.dtype_policy)

    def call(self, x: Any) -> Any:
        x = self.pool(_apply_slopes(ops.maximum, x, ops.minimum(self.alpha, 1.0)))
        return _apply_slopes(ops.minimum, x, ops.maximum(self.alpha, 1.0))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return self.pool.compute_output_shape(input_shape)


def _apply_slopes(larger_or_smaller: Callable[[Any, Any], Any], x: Any, slopes: Any) -> Any:
    """max(x, slopes x) or min(x, slopes x) of images [N, H, W, C] with one slope a channel.

    A row of all columns' channels is multiplied at once: to repeat ten slopes for each pixel took twice as long.
    """
    shape = ops.shape(x)
    columns, channels = shape[2], shape[3]
    slopes_of_row = ops.reshape(ops.broadcast_to(ops.reshape(slopes, (1, channels)), (columns, channels)), (-1,))
    rows = ops.reshape(x, (-1, columns * channels))
    return ops.reshape(larger_or_smaller(rows, slopes_of_row * rows), shape)


def _pooled_convolution(x: KerasTensor, number: int, channels: int, pool_size: int, *, padding: str) -> KerasTensor:
    x = layers.Conv2D(channels, 3, dtype="float32", name=f"convolution{number}")(x)
    return PReLUAndPool(pool_size, padding, dtype="float32", name=f"prelu{number}")(x)


def _convolution(x: KerasTensor, number: int, channels: int, size: int) -> KerasTensor:
    x = layers.Conv2D(channels, size, dtype="float32", name=f"convolution{number}")(x)
    return TwoPassPReLU(dtype="float32", name=f"prelu{number}")(x)


def _dense(x: KerasTensor, number: int, units: int) -> KerasTensor:
    # The released weights were trained in a system that stores images column by column.
    x = layers.Permute((2, 1, 3), dtype="float32", name="columns_first")(x)
    x = layers.Flatten(dtype="float32", name="flatten")(x)
    x = layers.Dense(units, dtype="float32", name=f"dense{number}")(x)
    return layers.PReLU(dtype="float32", name=f"prelu{number}")(x)
