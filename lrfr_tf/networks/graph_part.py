"""A trained network as TensorFlow operations, for graphs that are joined of several."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from lrfr_tf.images.resize import resize_in_graph

Faces = np.ndarray | Sequence[np.ndarray]  # [N, H, W, 3], or N of any sizes


@dataclasses.dataclass(frozen=True)
class GraphPart:
    """What a network computes, to be called inside another graph.

    Attributes:
        call: uint8 [N, H, W, 3], or float32 [N, D] for a head -> the network's answer.
        module: holds the variables that `call` reads; whoever stores the graph must hold it. None where there are none.
        parameters: how many numbers the variables are.
    """

    call: Callable[[tf.Tensor], tf.Tensor]
    module: Any
    parameters: int


def embeddings_in_graph(network: Callable[[tf.Tensor], tf.Tensor], size: int) -> Callable[[tf.Tensor], tf.Tensor]:
    """uint8 [N, H, W, 3] of any size, and any N -> unit-length float32 [N, D]; a network of faces of size x size."""

    def embeddings_of(faces: tf.Tensor) -> tf.Tensor:
        # TensorFlow's convolutions for Intel CPUs fail on no images at all: so none becomes one, and is cut off again.
        count = tf.shape(faces)[0]
        at_least_one = tf.pad(faces, [[0, tf.cast(count == 0, tf.int32)], [0, 0], [0, 0], [0, 0]])
        fitting = tf.cond(
            tf.reduce_all(tf.shape(faces)[1:3] == size),
            lambda: at_least_one,
            lambda: resize_in_graph(at_least_one, size, size),
        )
        features = network(tf.cast(tf.ensure_shape(fitting, (None, size, size, 3)), tf.float32))
        return tf.math.l2_normalize(features, axis=-1)[:count]

    return tf.function(embeddings_of, input_signature=[tf.TensorSpec((None, None, None, 3), tf.uint8)])


def check_faces(faces: Faces) -> None:
    """Refuses what is no face crop.

    Raises:
        ValueError: a crop is not uint8 [H, W, 3] or has no pixels.
    """
    for face in faces:
        if not isinstance(face, np.ndarray):
            raise ValueError(f"A face crop must be uint8 [H, W, 3], not {type(face).__name__}.")
        if face.dtype != np.uint8 or face.ndim != 3 or face.shape[2] != 3 or face.size == 0:
            raise ValueError(f"A face crop must be uint8 [H, W, 3], not {face.dtype} {list(face.shape)}.")
