"""The tf.data graph that feeds super-resolution training: cached uint8 faces -> (LR, HR) batches.

A batch is a pure function of (seed, step): each epoch has one stateless permutation of all faces, each step one
stateless seed for its augmentation. So a run resumes exactly from its step alone, and the global order is the same
under any number of replicas (they share out the global batch).
"""

import numpy as np
import tensorflow as tf

from lrfr_tf.errors import UserError
from lrfr_tf.images.degrade import degrade_in_graph


def face_batches(
    faces: np.ndarray, batch_size: int, seed: int, first_step: int = 0, low_size: int = 16, flip: bool = True
) -> tf.data.Dataset:
    """An endless dataset of {"low": uint8 [B, low, low, 3], "high": uint8 [B, S, S, 3]}.

    Every epoch passes floor(N / B) batches of a new permutation; the few faces left over differ from epoch to epoch.

    Args:
        faces: uint8 [N, S, S, 3], kept in memory.
        first_step: the step whose batch comes first.
        flip: mirror each face with probability 1/2.

    Raises:
        UserError: there are fewer faces than one batch takes.
    """
    check_batch_size(faces, batch_size)
    count = len(faces)
    steps_per_epoch = count // batch_size
    stored = tf.constant(faces)

    def epoch_batches(epoch: tf.Tensor) -> tf.data.Dataset:
        order = tf.random.experimental.stateless_shuffle(tf.range(count, dtype=tf.int64), seed=[seed, epoch])
        indices = tf.reshape(order[: steps_per_epoch * batch_size], (steps_per_epoch, batch_size))
        steps = epoch * steps_per_epoch + tf.range(steps_per_epoch, dtype=tf.int64)
        batches = tf.data.Dataset.from_tensor_slices((steps, indices))
        return batches.skip(tf.maximum(tf.constant(0, tf.int64), first_step - steps[0]))

    def batch(step: tf.Tensor, indices: tf.Tensor) -> dict[str, tf.Tensor]:
        high = tf.gather(stored, indices)
        if flip:
            high = flip_some(high, seed, step)
        high.set_shape((batch_size, *faces.shape[1:]))
        return {"low": degrade_in_graph(high, low_size), "high": high}

    epochs = tf.data.Dataset.range(first_step // steps_per_epoch, tf.int64.max)
    steps = epochs.flat_map(epoch_batches)
    return steps.map(batch, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True).prefetch(tf.data.AUTOTUNE)


def check_batch_size(faces: np.ndarray, batch_size: int) -> None:
    """Raises UserError if there are fewer faces than one batch takes."""
    if len(faces) < batch_size:
        raise UserError(f"A batch takes {batch_size} faces and there are only {len(faces)}; lower --batch_size.")


def flip_some(images: tf.Tensor, seed: int, step: tf.Tensor) -> tf.Tensor:
    """Mirrors each image [B, H, W, C] with probability 1/2, decided by (seed, step) alone."""
    # The second word differs from every epoch's of the permutation, which counts upwards from 0.
    draw = tf.random.stateless_uniform((tf.shape(images)[0],), seed=tf.stack([tf.constant(seed, tf.int64), -1 - step]))
    return tf.where((draw < 0.5)[:, None, None, None], images[:, :, ::-1], images)
