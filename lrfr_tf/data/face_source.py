"""Aligned faces by number, as tf.data graphs take them: out of memory, or decoded from their files at every use."""

import os
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import tensorflow as tf

from lrfr_tf.images.decode import read_image

# Files that are read and decoded at a time, within each of the batches that are made at a time.
DECODED_AT_ONCE = 8


class FaceSource(Protocol):
    """Faces of one size.

    Attributes:
        count, height, width: number of faces and their sides in pixels.
    """

    count: int
    height: int
    width: int

    def __call__(self, places: tf.Tensor) -> tf.Tensor:
        """The faces of some numbers, in that order: int64 [n] -> uint8 [n, height, width, 3]; also inside a graph."""


class FacesInMemory:
    """Faces that are all in memory: uint8 [N, H, W, 3]; TensorFlow keeps a copy of its own."""

    def __init__(self, images: np.ndarray) -> None:
        self.count, self.height, self.width = images.shape[:3]
        self._images = tf.constant(images)

    def __call__(self, places: tf.Tensor) -> tf.Tensor:
        return tf.gather(self._images, places)


class FacesInFiles:
    """JPEG files, of which memory holds the paths alone; the pixels are those of `images.decode`.

    Args:
        paths: all of the first one's size; another one is an InvalidArgumentError when it is read.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        self.count = len(paths)
        self.height, self.width = read_image(paths[0]).shape[:2]
        self._paths = tf.constant([os.fsencode(path) for path in paths])

    def __call__(self, places: tf.Tensor) -> tf.Tensor:
        return tf.map_fn(
            self._decode,
            tf.gather(self._paths, places),
            fn_output_signature=tf.TensorSpec((self.height, self.width, 3), tf.uint8),
            parallel_iterations=DECODED_AT_ONCE,
        )

    def _decode(self, path: tf.Tensor) -> tf.Tensor:
        # The accurate transform is Pillow's; TensorFlow's own choice is a faster, coarser one.
        image = tf.io.decode_jpeg(tf.io.read_file(path), channels=3, dct_method="INTEGER_ACCURATE")
        message = f"is not {self.width} x {self.height} pixels, as the first face is; all faces have one size."
        same = tf.debugging.Assert(tf.reduce_all(tf.shape(image) == (self.height, self.width, 3)), [path, message])
        with tf.control_dependencies([same]):
            return tf.identity(image)
