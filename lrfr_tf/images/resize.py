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


def resize_in_graph(images: Any, height: int, width: int) -> tf.Tensor:
    """Resizes in a graph, with the same result as `resize`, bit for bit.

    N, H and W may be unknown when the graph is traced.

    Args:
        images: uint8 [N, H, W, 3].

    Returns:
        uint8 [N, height, width, 3].

    Raises:
        ValueError: another rank or dtype.
    """
    images = tf.convert_to_tensor(images)
    if images.dtype != tf.uint8 or images.shape.rank != 4:
        raise ValueError(f"images are uint8 [N, H, W, 3], not {images.dtype.name} {images.shape}")
    sizes = tf.shape(images)
    # Whole numbers below 2^53 are exact in float64, in whatever order a device adds them.
    pixels = tf.cast(images, tf.float64)
    pixels = _rounded(tf.einsum("xw,nhwc->nhxc", _fixed_point(_weights(sizes[2], width)), pixels))
    pixels = _rounded(tf.einsum("yh,nhxc->nyxc", _fixed_point(_weights(sizes[1], height)), pixels))
    return tf.cast(pixels, tf.uint8)


def resize_smoothly(images: Any, height: int, width: int) -> tf.Tensor:
    """Resizes with the same kernel but neither rounds nor clips, so that gradients flow.

    Args:
        images: any real dtype and range, [N, H, W, C]; N, H and W may be unknown when the graph is traced.

    Returns:
        float32 [N, height, width, C] in the range of the input, but for overshoot at sharp edges.
    """
    pixels = tf.cast(images, tf.float32)
    sizes = tf.shape(pixels)
    pixels = tf.einsum("xw,nhwc->nhxc", tf.cast(_weights(sizes[2], width), tf.float32), pixels)
    return tf.einsum("yh,nhxc->nyxc", tf.cast(_weights(sizes[1], height), tf.float32), pixels)


def _weights(old_size: tf.Tensor, new_size: int) -> tf.Tensor:
    """What each old pixel gives to each new one: float64 [new_size, old_size], each row adds up to 1."""
    old = tf.cast(old_size, tf.float64)
    scale = old / new_size
    centres = (tf.cast(tf.range(new_size), tf.float64) + 0.5) * scale
    positions = tf.cast(tf.range(old_size), tf.float64)
    # When shrinking, the kernel is stretched over as many old pixels as a new one covers: that is the antialiasing.
    distances = (positions[None, :] - centres[:, None] + 0.5) * (1.0 / tf.maximum(scale, 1.0))
    weights = _cubic(tf.abs(distances))
    # At the borders the kernel reaches past the image; what is left of it is scaled up to 1 again.
    return weights / tf.reduce_sum(weights, axis=1, keepdims=True)


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
