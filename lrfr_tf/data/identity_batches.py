"""The tf.data graph that feeds the Siamese network: distinct identities, several photos of each, one at each size.

A batch is a pure function of (seed, step), as in `data.graph`, so a run resumes exactly from its step alone.
"""

import dataclasses

import numpy as np
import tensorflow as tf

from lrfr_tf.data.face_source import FaceSource
from lrfr_tf.data.graph import augmentation_seed
from lrfr_tf.errors import UserError
from lrfr_tf.images.camera_in_graph import photograph_in_graph
from lrfr_tf.images.resize import resize_in_graph
from lrfr_tf.plural import counted


@dataclasses.dataclass(frozen=True)
class Views:
    """What one batch holds of each of its identities.

    Attributes:
        sizes: for each view its size in pixels.
        camera: how views are made small, one of `images.camera.LEVELS`.
        high_size: side of the aligned faces; a view of that size is the photo as it is, whatever the camera.
        in_place: probability that a view is the right-most square of a face with a margin, where the landmarks lie on
            the template; otherwise it is any square of it.
    """

    sizes: tuple[int, ...]
    camera: str = "clean"
    high_size: int = 128
    in_place: float = 0.5

    def __post_init__(self) -> None:
        if not self.sizes or not all(1 <= size <= self.high_size for size in self.sizes):
            raise UserError(f"`sizes`={','.join(map(str, self.sizes))}: each is 1 to {self.high_size}.")


def identity_batches(
    faces: FaceSource, identities: np.ndarray, count: int, views: Views, *, seed: int, first_step: int = 0
) -> tf.data.Dataset:
    """An endless dataset of batches of `count` distinct identities with V views each.

    "faces" uint8 [count * V, S, S, 3], each view made as small as its size and enlarged to S again; "labels" int64
    [count * V]; the V views of an identity follow each other. The photos of the views are drawn independently, and each
    is mirrored with probability 1/2. Every epoch passes each identity once, in a new order, and leaves out the last
    partial batch, as Lai and Lam do.

    Args:
        faces: aligned, [N, S, S + margin, 3]. The margin lies to the left.
        identities: int64 [N], 0 to C - 1, each with one image at least.
        count: identities in a batch.
        seed, first_step: the batch of step n is the same whatever the first step is.

    Raises:
        UserError: there are fewer identities than a batch takes.
    """
    check_enough_identities(identities, count)
    counts = np.bincount(identities)
    first_images = np.concatenate([[0], np.cumsum(counts)[:-1]])
    order_of = tf.constant(np.argsort(identities, kind="stable"), tf.int64)
    counts_of, first_of = tf.constant(counts, tf.int64), tf.constant(first_images, tf.int64)
    steps_per_epoch, high, margin = len(counts) // count, views.high_size, faces.width - views.high_size

    def draw_identities(step: tf.Tensor) -> tf.Tensor:
        epoch, place = step // steps_per_epoch, step % steps_per_epoch
        shuffled = tf.random.experimental.stateless_shuffle(tf.range(len(counts), dtype=tf.int64), [seed, epoch])
        return shuffled[place * count : (place + 1) * count]

    def draw_photos(chosen: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        """One sharp face of each chosen identity."""
        which, mirrored, stays, place = tf.unstack(draws, 4)
        of_identity = tf.cast(which * tf.cast(tf.gather(counts_of, chosen), tf.float32), tf.int64)
        # A float32 just below 1 times a large count may round up to the count itself.
        of_identity = tf.minimum(of_identity, tf.gather(counts_of, chosen) - 1)
        photos = faces(tf.gather(order_of, tf.gather(first_of, chosen) + of_identity))
        if margin:
            offset = tf.where(stays < views.in_place, margin, tf.cast(place * (margin + 1), tf.int32))
            columns = tf.minimum(offset, margin)[:, None] + tf.range(high)
            photos = tf.gather(photos, columns, axis=2, batch_dims=1)
        photos = tf.where((mirrored < 0.5)[:, None, None, None], photos[:, :, ::-1], photos)
        return tf.ensure_shape(photos, (count, high, high, 3))

    def at_size(photos: tf.Tensor, size: int, own_seed: tf.Tensor) -> tf.Tensor:
        if size == high:
            return photos
        return resize_in_graph(photograph_in_graph(photos, size, views.camera, own_seed), high, high)

    def batch(step: tf.Tensor) -> dict[str, tf.Tensor]:
        chosen = draw_identities(step)
        draws = tf.random.stateless_uniform((len(views.sizes), 4, count), augmentation_seed(seed, 0, step))
        seen = [
            at_size(draw_photos(chosen, draws[view]), size, augmentation_seed(seed, 1 + view, step))
            for view, size in enumerate(views.sizes)
        ]
        # [V, count, ...] -> [count, V, ...], so that replicas share out whole identities.
        rows = tf.reshape(tf.stack(seen, 1), (count * len(seen), high, high, 3))
        return {"faces": rows, "labels": tf.ensure_shape(tf.repeat(chosen, len(seen)), (count * len(seen),))}

    steps = tf.data.Dataset.range(first_step, np.iinfo(np.int64).max)
    return steps.map(batch, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True).prefetch(2)


def check_enough_identities(identities: np.ndarray, count: int) -> None:
    """Raises UserError if there are fewer identities than one batch takes."""
    there = len(np.unique(identities))
    if there < count:
        raise UserError(
            f"A batch takes {counted(count, 'identity', 'identities')}, more than the {there} there; lower "
            "`batch_size`."
        )
