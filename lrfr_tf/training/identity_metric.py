"""FaceNet as a measure of how much a super-resolved face still looks like the same person."""

import functools
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from lrfr_tf.images.resize import resize
from lrfr_tf.models.facenet import FACENET_SIZE
from lrfr_tf.weights.facenet import load_facenet_128
from lrfr_tf.weights.sample_package import cached_facenet_weights

Embed = Callable[[np.ndarray], np.ndarray]

BATCH_SIZE = 32


def identity_embedder(weights: str | None = None) -> Embed | None:
    """A function from faces, uint8 [N, H, W, 3], to unit-length embeddings float32 [N, 128].

    Nothing is loaded before the first call.

    Args:
        weights: FaceNet's weight file (facenet_keras.h5); None takes the one in the cache.

    Returns:
        The function, or None where no file is given and none is in the cache.

    Raises:
        UserError: at the first call, if the file is missing or is another one.
    """
    file = Path(weights) if weights else cached_facenet_weights()
    return functools.partial(_embed, file) if file else None


def _embed(file: Path, faces: np.ndarray) -> np.ndarray:
    network = _network(file)
    batches = [faces[start : start + BATCH_SIZE] for start in range(0, len(faces), BATCH_SIZE)]
    return np.concatenate([network(resize(batch, FACENET_SIZE, FACENET_SIZE)).numpy() for batch in batches])


@functools.cache
def _network(file: Path) -> Callable[[np.ndarray], tf.Tensor]:
    """FaceNet as a compiled call, in float32 whatever the training's precision: a measure should not depend on it."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        network = load_facenet_128(file)
    finally:
        keras.config.set_dtype_policy(policy)
    signature = [tf.TensorSpec((None, FACENET_SIZE, FACENET_SIZE, 3), tf.uint8)]
    return tf.function(lambda faces: network(tf.cast(faces, tf.float32), training=False), input_signature=signature)
