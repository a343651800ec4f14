"""High resolution -> low resolution by shrinking alone: the "clean" level of `images.camera`.

The degradation is Pillow's bicubic with antialiasing and nothing else: no blur, no noise, no compression; those are in
`images.camera`. `degrade_like_cameras_in_graph` is its forerunner, for trainings that were made with it.
"""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from lrfr_tf.images.resize import resize, resize_in_graph

CAMERA_KINDS = ("kernel", "blur", "noise", "jpeg")
BLUR_RADIUS = 3  # of the window, in pixels; beyond three standard deviations a Gaussian is nothing
MOST_NOISE = 10.0
JPEG_QUALITY = (30, 95)


def degrade(images: np.ndarray, size: int) -> np.ndarray:
    """Makes low-resolution images: uint8 [N, H, H, 3] -> uint8 [N, size, size, 3].

    Raises:
        ValueError: another shape or dtype.
    """
    return resize(images, size, size)


def degrade_in_graph(images: Any, size: int | tf.Tensor) -> tf.Tensor:
    """The same as `degrade` in a TensorFlow graph, bit for bit: uint8 [N, H, H, 3] -> uint8 [N, size, size, 3].

    Raises:
        ValueError: another rank or dtype.
    """
    return resize_in_graph(images, size, size)


def degrade_like_cameras_in_graph(
    images: tf.Tensor, size: int | tf.Tensor, kinds: Sequence[str], seed: tf.Tensor
) -> tf.Tensor:
    """Makes low-resolution images as other cameras and files than ours would; for training alone.

    Each of `kinds` happens to an image with probability 1/2, "kernel" to all of them together, in this order: another
    kernel of shrinking (mean of the area, bilinear or Lanczos, antialiased); blur by a Gaussian of up to one small
    pixel; Gaussian noise of up to 10 grey levels; JPEG of quality 30 to 94.

    Args:
        images: uint8 [N, H, H, 3].
        size: side of the result.
        kinds: some of `CAMERA_KINDS`.
        seed: int64 [2], which decides everything.

    Returns:
        uint8 [N, size, size, 3].
    """
    count = images.shape[0]
    # Three numbers of the seed's own for each kind: whether, how much, and the noise itself.
    seeds = tf.random.experimental.stateless_split(seed, 3)
    happens = tf.random.stateless_uniform((len(CAMERA_KINDS), count), seeds[0]) < 0.5
    how_much = tf.random.stateless_uniform((len(CAMERA_KINDS), count), seeds[1])

    def where(kind: str, changed: tf.Tensor, otherwise: tf.Tensor) -> tf.Tensor:
        return tf.where(happens[CAMERA_KINDS.index(kind)][:, None, None, None], changed, otherwise)

    def amount(kind: str) -> tf.Tensor:
        return how_much[CAMERA_KINDS.index(kind)]

    small = tf.cast(degrade_in_graph(images, size), tf.float32)
    if "kernel" in kinds:
        others = [functools.partial(_shrink, images, size, method) for method in ("area", "bilinear", "lanczos3")]
        ways = [functools.partial(tf.identity, small)] * len(others) + others  # bicubic as often as all others
        small = tf.switch_case(tf.cast(amount("kernel")[0] * len(ways), tf.int32), ways)
    if "blur" in kinds:
        small = where("blur", _blur(small, amount("blur")), small)
    if "noise" in kinds:
        noise = tf.random.stateless_normal(tf.shape(small), seeds[2])
        small = where("noise", small + noise * (MOST_NOISE * amount("noise"))[:, None, None, None], small)
    small = tf.cast(tf.clip_by_value(tf.round(small), 0, 255), tf.uint8)
    if "jpeg" in kinds:
        low, high = JPEG_QUALITY
        qualities = low + tf.cast(amount("jpeg") * (high - low), tf.int32)
        small = where("jpeg", tf.map_fn(_as_jpeg, (small, qualities), fn_output_signature=tf.uint8), small)
    return small


def _shrink(images: tf.Tensor, size: int | tf.Tensor, method: str) -> tf.Tensor:
    return tf.image.resize(tf.cast(images, tf.float32), tf.stack([size, size]), method, antialias=True)


def _blur(images: tf.Tensor, deviations: tf.Tensor) -> tf.Tensor:
    """Each image [N, S, S, 3] blurred by a Gaussian of its own standard deviation in pixels, 0 to 1."""
    offsets = tf.range(-BLUR_RADIUS, BLUR_RADIUS + 1, dtype=tf.float32)
    weights = tf.exp(-0.5 * tf.square(offsets[None] / tf.maximum(deviations[:, None], 1e-2)))
    weights /= tf.reduce_sum(weights, axis=1, keepdims=True)
    for axis in (1, 2):
        edge = [[0, 0]] * axis + [[BLUR_RADIUS, BLUR_RADIUS]] + [[0, 0]] * (3 - axis)
        padded = tf.pad(images, edge, "SYMMETRIC")
        length = tf.shape(images)[axis]
        shifted = [
            tf.gather(padded, tf.range(length) + start, axis=axis) * weights[:, start, None, None, None]
            for start in range(2 * BLUR_RADIUS + 1)
        ]
        images = tf.add_n(shifted)
    return images


def _as_jpeg(image_and_quality: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
    image, quality = image_and_quality
    return tf.image.adjust_jpeg_quality(image, quality, dct_method="INTEGER_ACCURATE")
