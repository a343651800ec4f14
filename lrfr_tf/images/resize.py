"""Resizing: Pillow's bicubic with antialiasing, in NumPy and in a TensorFlow graph, equal to the bit.

Two passes, width first, then height; each is a weighted sum with fixed-point weights, rounded and clipped to 0..255.
In the graph a pass is one product with a weight matrix. `tf.image.resize` neither rounds nor clips between the passes
and is up to 11 grey levels away.

The order matters and is fixed here. One call of Pillow's `resize` has the same order up to Pillow 12; since Pillow 13
it takes the height first where an image loses more than twice as many rows as columns (178 x 218 to 160 x 160 does).
So `resize` makes two calls, one for each direction, and its figures hold for every Pillow.
"""

from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image

KERNEL = "pillow-bicubic-antialias"

CUBIC_A = -0.5  # Keys, "Cubic convolution interpolation for digital image processing" (1981), and Pillow's choice
WEIGHT_ONE = 2.0**22  # Pillow's fixed-point weights have 22 bits after the point


def resize(images: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resizes with Pillow (bicubic, antialiased when shrinking), width first.

    Args:
        images: uint8 [H, W, 3] or [N, H, W, 3].

    Returns:
        uint8 [height, width, 3] or [N, height, width, 3].

    Raises:
        ValueError: another shape or dtype.
    """
    if images.dtype != np.uint8 or images.ndim not in (3, 4) or images.shape[-1] != 3:
        raise ValueError(f"images are uint8 [H, W, 3] or [N, H, W, 3], not {images.dtype} {list(images.shape)}")
    if images.ndim == 3:
        widened = Image.fromarray(images).resize((width, images.shape[0]), Image.Resampling.BICUBIC)
        return np.array(widened.resize((width, height), Image.Resampling.BICUBIC))
    resized = np.empty((len(images), height, width, 3), np.uint8)
    for index, image in enumerate(images):
        resized[index] = resize(image, height, width)
    return resized


def resize_in_graph(images: Any, height: int | tf.Tensor, width: int | tf.Tensor) -> tf.Tensor:
    """Resizes in a graph, with the same result as `resize`, bit for bit.

    N, H and W may be unknown when the graph is traced.

    Args:
        images: uint8 [N, H, W, 3].
        height, width: whole numbers, or scalar tensors of them.

    Returns:
        uint8 [N, height, width, 3].

    Raises:
        ValueError: another rank or dtype.
    """
    images = tf.convert_to_tensor(images)
    if images.dtype != tf.uint8 or images.shape.rank != 4:
        raise ValueError(f"images are uint8 [N, H, W, 3], not {images.dtype.name} {images.shape}")
    # Whole numbers below 2^53 are exact in float64, in whatever order a device adds them.
    pixels = tf.cast(images, tf.float64)
    across, down = _whole_image_weights(images, height, width)
    pixels = _rounded(tf.einsum("xw,nhwc->nhxc", _fixed_point(across), pixels))
    pixels = _rounded(tf.einsum("yh,nhxc->nyxc", _fixed_point(down), pixels))
    return tf.cast(pixels, tf.uint8)


def resize_boxes_in_graph(images: Any, boxes: Any, height: int, width: int) -> tf.Tensor:
    """Resizes one box of each image, as Pillow's `resize(box=...)` does, to within one grey level.

    Args:
        images: uint8 [N, H, W, 3].
        boxes: float [N, 4], (x1, y1, x2, y2) in pixels, inside the image; they may lie between pixels.

    Returns:
        uint8 [N, height, width, 3].
    """
    images = tf.convert_to_tensor(images)
    boxes = tf.cast(boxes, tf.float64)
    sizes = tf.shape(images)
    # float32 is enough: these are training images, and the table's own images take `resize`.
    across = tf.cast(_weights(boxes[:, 0], boxes[:, 2], sizes[2], width), tf.float32)
    down = tf.cast(_weights(boxes[:, 1], boxes[:, 3], sizes[1], height), tf.float32)
    pixels = _whole_levels(tf.einsum("nxw,nhwc->nhxc", across, tf.cast(images, tf.float32)))
    return tf.cast(_whole_levels(tf.einsum("nyh,nhxc->nyxc", down, pixels)), tf.uint8)


def _whole_image_weights(
    images: tf.Tensor, height: int | tf.Tensor, width: int | tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """The weights of the two passes, float64 [width, W] and [height, H]."""
    sizes = tf.shape(images)
    from_edge = tf.zeros(1, tf.float64)
    across = _weights(from_edge, tf.cast(sizes[2:3], tf.float64), sizes[2], width)[0]
    down = _weights(from_edge, tf.cast(sizes[1:2], tf.float64), sizes[1], height)[0]
    return across, down


def _weights(starts: tf.Tensor, stops: tf.Tensor, old_size: tf.Tensor, new_size: int | tf.Tensor) -> tf.Tensor:
    """What each old pixel gives to each new one, for stretches of a line from `starts` to `stops`, float64 [N].

    Returns:
        float64 [N, new_size, old_size]; each row adds up to 1.
    """
    scale = ((stops - starts) / tf.cast(new_size, tf.float64))[:, None]
    centers = starts[:, None] + (tf.cast(tf.range(new_size), tf.float64) + 0.5) * scale
    positions = tf.cast(tf.range(old_size), tf.float64)
    # When shrinking, the kernel is stretched over as many old pixels as a new one covers: that is the antialiasing.
    distances = (positions - centers[:, :, None] + 0.5) * (1.0 / tf.maximum(scale, 1.0))[:, :, None]
    weights = _cubic(tf.abs(distances))
    # At the borders the kernel reaches past the image; what is left of it is scaled up to 1 again.
    return weights / tf.reduce_sum(weights, axis=2, keepdims=True)


def _cubic(distance: tf.Tensor) -> tf.Tensor:
    """The cubic convolution kernel (Keys 1981, equation 15 with a = -0.5) of distances of 0 and above."""
    near = ((CUBIC_A + 2.0) * distance - (CUBIC_A + 3.0)) * distance * distance + 1.0
    far = (((distance - 5.0) * distance + 8.0) * distance - 4.0) * CUBIC_A
    return tf.where(distance < 1.0, near, tf.where(distance < 2.0, far, tf.zeros_like(distance)))


def _fixed_point(weights: tf.Tensor) -> tf.Tensor:
    """Weights as whole numbers of 2^-22, halves rounded away from zero."""
    return tf.sign(weights) * tf.floor(tf.abs(weights) * WEIGHT_ONE + 0.5)


def _rounded(sums: tf.Tensor) -> tf.Tensor:
    """Fixed-point sums as grey levels: whole numbers in 0..255."""
    return tf.clip_by_value(tf.floor((sums + WEIGHT_ONE / 2) / WEIGHT_ONE), 0.0, 255.0)


def _whole_levels(pixels: tf.Tensor) -> tf.Tensor:
    """Grey levels as whole numbers in 0..255, still float32."""
    return tf.clip_by_value(tf.floor(pixels + 0.5), 0.0, 255.0)
