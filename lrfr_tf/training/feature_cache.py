"""What a feature network sees in the HR faces, computed once, which saves the perceptual loss half of its passes."""

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from lrfr_tf.losses.perceptual import vgg_preprocess

BATCH_SIZE = 64
LARGEST_BYTES = 4e9


def cache_features(
    network: keras.Model, faces: np.ndarray, largest_bytes: float = LARGEST_BYTES
) -> tuple[tf.Tensor, tf.Tensor] | None:
    """The features of every face and of every mirrored face, for `data.graph.face_batches`.

    Args:
        network: preprocessed images -> features.
        faces: uint8 [N, S, S, 3], framed as they will be in training.
        largest_bytes: give up if both arrays together would take more memory than this.

    Returns:
        Two arrays [N, ...] in the dtype of the network's features; None if they are too large.
    """

    @tf.function
    def see(images: tf.Tensor) -> tf.Tensor:
        return network(vgg_preprocess(images), training=False)

    one = see(faces[:1])
    if 2 * len(faces) * one.dtype.size * int(tf.size(one)) > largest_bytes:
        return None
    starts = range(0, len(faces), BATCH_SIZE)
    plain = [see(faces[i : i + BATCH_SIZE]) for i in tqdm(starts, desc="features of the HR faces", unit="batch")]
    mirrored = [
        see(faces[i : i + BATCH_SIZE, :, ::-1]) for i in tqdm(starts, desc="features of mirrored faces", unit="batch")
    ]
    return tf.concat(plain, 0), tf.concat(mirrored, 0)
