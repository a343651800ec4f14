"""High resolution -> low resolution by shrinking alone: the "clean" level of `images.camera`.

The degradation is Pillow's bicubic with antialiasing and nothing else: no blur, no noise, no compression; those are in
`images.camera`.
"""

from typing import Any

import numpy as np
import tensorflow as tf

from lrfr_tf.images.resize import resize, resize_in_graph


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
