"""The tf.data graph that feeds super-resolution training: cached uint8 faces -> (LR, HR) batches.

A batch is a pure function of (seed, step): each epoch has one stateless permutation of all faces, each step one
stateless seed for its augmentation. So a run resumes exactly from its step alone, and the global order is the same
under any number of replicas (they share out the global batch).
"""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from lrfr_tf.errors import UserError
from lrfr_tf.faces.frame import celeba_face_box
from lrfr_tf.images.camera import CLEAN_LEVEL
from lrfr_tf.images.camera_in_graph import photograph_with_target_in_graph
from lrfr_tf.images.degrade import degrade_in_graph
from lrfr_tf.images.resize import resize_boxes_in_graph
from lrfr_tf.plural import counted

# How far an edge of a random frame may wander, as a share of the portrait's height.
FRAME_JITTER = 0.02


def face_batches(
    faces: np.ndarray,
    batch_size: int,
    seed: int,
    *,
    first_step: int = 0,
    low_size: int = 16,
    flip: bool = True,
    framed_size: int | None = None,
    features: tuple[tf.Tensor, tf.Tensor] | None = None,
    cameras: Sequence[str] = (CLEAN_LEVEL,),
    face_box: tuple[float, float, float, float] | None = None,
) -> tf.data.Dataset:
    """An endless dataset of {"low": uint8 [B, low, low, 3], "high": uint8 [B, S, S, 3]}.

    Every epoch passes floor(N / B) batches of a new permutation; the few faces left over differ from epoch to epoch.

    Args:
        faces: uint8 [N, S, S, 3], or portraits [N, H, W, 3] if `framed_size` is given; kept in memory.
        first_step: the step whose batch comes first.
        flip: mirror each face with probability 1/2.
        framed_size: S of HR faces that are cut out of portraits, each in a frame of `draw_frames`.
        features: what a network sees in each face and in each mirrored face, both [N, ...]; a batch then also has
            "high_features", which fit "high". Only where `framed_size` is None: a new frame has new features.
        cameras: levels of `images.camera` that take turns: row i of a batch is of the level i modulo their number. What
            is not clean is not misplaced, and "high" is what `photograph_with_target` calls the target.
        face_box: (x1, y1, x2, y2) in all portraits; a batch then also has "face_boxes", float32 [B, 4], where that is
            in "high". Only where `framed_size` is given.

    Raises:
        UserError: there are fewer faces than one batch takes, or its rows do not divide into the levels.
        ValueError: features of faces that are framed anew or that a camera changes, or a box of others.
    """
    if features is not None and (framed_size or set(cameras) != {CLEAN_LEVEL}):
        raise ValueError("Features can only be given for faces whose frame is fixed, and whose colors are.")
    if face_box is not None and not framed_size:
        raise ValueError("A box can only be followed in faces that are framed anew.")
    check_batch_size(faces, batch_size, cameras)
    count, height, width = faces.shape[:3]
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
        mirrored = draw_mirrored(batch_size, seed, step) if flip else tf.zeros(batch_size, tf.bool)
        high = tf.where(mirrored[:, None, None, None], high[:, :, ::-1], high)
        boxes = None
        if framed_size:
            frames = draw_frames(batch_size, height, width, seed, step=step)
            high = resize_boxes_in_graph(high, frames, framed_size, framed_size)
            boxes = None if face_box is None else boxes_in_frames(face_box, frames, framed_size)
        high.set_shape((batch_size, framed_size or height, framed_size or width, 3))
        parts = photograph_alternately(high, low_size, cameras, augmentation_seed(seed, 2, step))
        if boxes is not None:
            parts["face_boxes"] = boxes
        if features is not None:
            plain, of_mirrored = (tf.gather(part, indices) for part in features)
            choice = tf.reshape(mirrored, (batch_size, *[1] * (plain.shape.rank - 1)))
            parts["high_features"] = tf.where(choice, of_mirrored, plain)
        return parts

    epochs = tf.data.Dataset.range(first_step // steps_per_epoch, tf.int64.max)
    steps = epochs.flat_map(epoch_batches)
    return steps.map(batch, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True).prefetch(tf.data.AUTOTUNE)


def check_batch_size(faces: np.ndarray, batch_size: int, cameras: Sequence[str] = (CLEAN_LEVEL,)) -> None:
    """Raises UserError if there are fewer faces than one batch takes, or its rows do not divide into the levels."""
    if batch_size % len(cameras):
        raise UserError(f"`batch_size`={batch_size} is no multiple of the {len(cameras)} levels of `camera`.")
    if len(faces) < batch_size:
        raise UserError(
            f"A batch takes {counted(batch_size, 'face')}, more than the {len(faces)} there; lower `batch_size`."
        )


def draw_mirrored(count: int, seed: int, step: tf.Tensor) -> tf.Tensor:
    """Which images of a batch are mirrored, each with probability 1/2, decided by (seed, step) alone: bool [count]."""
    return tf.random.stateless_uniform((count,), seed=augmentation_seed(seed, 0, step)) < 0.5


def draw_frames(count: int, height: int, width: int, seed: int, *, step: tf.Tensor) -> tf.Tensor:
    """Frames of faces in portraits, anywhere between "squash" and "face", decided by (seed, step) alone.

    A share of 3/16 is framed as "squash" (the whole portrait), as many as "face" (`faces.frame.celeba_face_box`), the
    rest between. The four edges of what is tighter than "squash" wander by up to 2 % of the portrait's height, so that
    a network also learns faces that lie a little off, or are a little wider or higher.

    Args:
        count: of the portraits.
        height, width: of them, with CelebA's proportions.

    Returns:
        float32 [count, 4], (x1, y1, x2, y2) in pixels of the portraits, inside them.
    """
    draws = tf.random.stateless_uniform((count, 5), seed=augmentation_seed(seed, 1, step))
    tightness = tf.clip_by_value(draws[:, :1] * 1.6 - 0.3, 0.0, 1.0)
    whole = tf.constant([[0.0, 0.0, width, height]])
    face = tf.constant([celeba_face_box(height, width)], tf.float32)
    wander = tightness * (draws[:, 1:] - 0.5) * (2 * FRAME_JITTER * height)
    boxes = whole + tightness * (face - whole) + wander
    return tf.clip_by_value(boxes, 0.0, [width, height, width, height])


def boxes_in_frames(box: tuple[float, float, float, float], frames: tf.Tensor, size: int) -> tf.Tensor:
    """Where a box (x1, y1, x2, y2) of portraits lies in each of their frames [N, 4], once that is resized to `size`."""
    starts = tf.tile(frames[:, :2], (1, 2))
    sides = tf.tile(frames[:, 2:] - frames[:, :2], (1, 2))
    return (tf.constant([box], tf.float32) - starts) * (size / sides)


def photograph_alternately(
    high: tf.Tensor, low_size: int, cameras: Sequence[str], seed: tf.Tensor
) -> dict[str, tf.Tensor]:
    """LR faces of several camera levels, which take turns from row to row, and what should be made of them.

    Args:
        high: uint8 [B, S, S, 3]; B is a multiple of the number of levels.
        cameras: the levels.
        seed: int64 [2]; a photo depends on it and on its row.

    Returns:
        {"low": uint8 [B, low_size, low_size, 3], "high": uint8 [B, S, S, 3]}; clean rows of "high" are as they came.
    """
    if set(cameras) == {CLEAN_LEVEL}:
        return {"low": degrade_in_graph(high, low_size), "high": high}
    count = high.shape[0]
    seeds = tf.random.experimental.stateless_split(seed, count)
    places, lows, targets = [], [], []
    for level in dict.fromkeys(cameras):
        own = [row for row in range(count) if cameras[row % len(cameras)] == level]
        faces, of_them = tf.gather(high, own), tf.gather(seeds, own)
        low, target = photograph_with_target_in_graph(faces, low_size, level, of_them, misplaced=False)
        places += own
        lows.append(low)
        targets.append(target)
    order = np.argsort(places)
    return {"low": tf.gather(tf.concat(lows, 0), order), "high": tf.gather(tf.concat(targets, 0), order)}


def augmentation_seed(seed: int, kind: int, step: tf.Tensor) -> tf.Tensor:
    """A stateless seed for one kind of augmentation (1, 2, ...) at one step."""
    # Negative, so that it differs from every seed of a permutation, whose second word counts upwards from 0; flips
    # (kind 0) have the words -1, -2, ...
    return tf.stack([tf.constant(seed, tf.int64), -1 - step - kind * tf.constant(2**40, tf.int64)])
