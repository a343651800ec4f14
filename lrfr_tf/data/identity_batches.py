"""The tf.data graph that feeds the Siamese network: distinct identities, several photos of each, one at each size.

A batch is a pure function of (seed, step), as in `data.graph`, so a run resumes exactly from its step alone.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from lrfr_tf.data.face_source import FaceSource
from lrfr_tf.data.graph import augmentation_seed
from lrfr_tf.data.vary import mix, vary
from lrfr_tf.errors import UserError
from lrfr_tf.images.degrade import degrade_in_graph, degrade_like_cameras_in_graph
from lrfr_tf.images.resize import resize_in_graph

RANDOM = "random"


@dataclasses.dataclass(frozen=True)
class Views:
    """What one batch holds of each of its identities.

    Attributes:
        sizes: for each view its size in pixels, or "random": one size a batch, drawn evenly on a logarithmic scale.
        random_range: least and largest random size.
        high_size: side of the aligned faces; a view of that size is not degraded.
        in_place: probability that a view is the right-most square of a face with a margin, where the landmarks lie on
            the template; otherwise it is any square of it.
        cameras: what happens to small views besides shrinking, some of `images.degrade.CAMERA_KINDS`.
        varied, mixed: shares of the views that `data.vary` changes and mixes before they are shrunk.
    """

    sizes: tuple[int | str, ...]
    random_range: tuple[int, int] = (8, 128)
    high_size: int = 128
    in_place: float = 0.5
    varied: float = 0.0
    mixed: float = 0.0
    cameras: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        numbers = [size for size in self.sizes if size != RANDOM]
        if not self.sizes or not all(isinstance(size, int) and 1 <= size <= self.high_size for size in numbers):
            raise UserError(f"--sizes={','.join(map(str, self.sizes))}: each is 1 to {self.high_size} or {RANDOM!r}.")
        low, high = self.random_range
        if not 1 <= low <= high <= self.high_size:
            raise UserError(f"--random_sizes={low},{high} is no range within 1 to {self.high_size}.")


def identity_batches(
    faces: FaceSource,
    identities: np.ndarray,
    count: int,
    views: Views,
    seed: int,
    first_step: int = 0,
    by_images: bool = False,
    targets: np.ndarray | None = None,
    repeats: np.ndarray | None = None,
    with_sharp: bool = False,
) -> tf.data.Dataset:
    """An endless dataset of batches of `count` distinct identities with V views each.

    "faces" uint8 [count * V, S, S, 3], each view degraded to its size and enlarged to S again; "labels" int64
    [count * V]; the V views of an identity follow each other. The photos of the views are drawn independently, and each
    is mirrored with probability 1/2.

    Args:
        faces: aligned, [N, S, S + margin, 3]. The margin lies to the left.
        identities: int64 [N], 0 to C - 1, each with one image at least.
        count: identities in a batch.
        seed, first_step: the batch of step n is the same whatever the first step is.
        by_images: draw an identity in proportion to its number of images, without replacement within a batch
            (Efraimidis and Spirakis 2006, as Gumbel noise on log weights). Otherwise every epoch passes each identity
            once, in a new order, and leaves out the last partial batch, as Lai and Lam do.
        targets: float32 [N, D] that belong to the faces; batches then have "targets" [count * V, D].
        with_sharp: all views of an identity are of one photo, and batches have it before it is shrunk, too: "sharp"
            uint8 [count, S, S, 3].
        repeats: int [N]: an image counts as so many where photos are drawn; None: as one.

    Raises:
        UserError: there are fewer identities than a batch takes.
    """
    order = np.argsort(identities, kind="stable")
    if repeats is not None:
        order = np.repeat(order, repeats[order])
    counts = np.bincount(identities[order])
    check_enough_identities(identities, count)
    first_images = np.concatenate([[0], np.cumsum(counts)[:-1]])
    order_of = tf.constant(order, tf.int64)
    counts_of, first_of = tf.constant(counts, tf.int64), tf.constant(first_images, tf.int64)
    log_counts = tf.constant(np.log(counts), tf.float32)
    kept_targets = None if targets is None else tf.constant(targets, tf.float32)
    steps_per_epoch = len(counts) // count
    margin = faces.width - views.high_size

    def draw_identities(step: tf.Tensor) -> tf.Tensor:
        if by_images:
            uniform = tf.random.stateless_uniform((len(counts),), augmentation_seed(seed, 0, step), minval=1e-9)
            return tf.cast(tf.math.top_k(log_counts - tf.math.log(-tf.math.log(uniform)), count).indices, tf.int64)
        epoch, place = step // steps_per_epoch, step % steps_per_epoch
        shuffled = tf.random.experimental.stateless_shuffle(tf.range(len(counts), dtype=tf.int64), [seed, epoch])
        return shuffled[place * count : (place + 1) * count]

    def draw_photos(chosen: tf.Tensor, draws: tf.Tensor, view: int, step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """One sharp face of each chosen identity for a view, and the number of the photo that it is of."""
        which, mirrored, stays, place = tf.unstack(draws, 4)
        of_identity = tf.cast(which * tf.cast(tf.gather(counts_of, chosen), tf.float32), tf.int64)
        # A float32 just below 1 times a large count may round up to the count itself.
        of_identity = tf.minimum(of_identity, tf.gather(counts_of, chosen) - 1)
        image = tf.gather(order_of, tf.gather(first_of, chosen) + of_identity)
        photos = faces(image)
        if margin:
            offset = tf.where(stays < views.in_place, margin, tf.cast(place * (margin + 1), tf.int32))
            columns = tf.minimum(offset, margin)[:, None] + tf.range(views.high_size)
            photos = tf.gather(photos, columns, axis=2, batch_dims=1)
        photos = tf.where((mirrored < 0.5)[:, None, None, None], photos[:, :, ::-1], photos)
        photos.set_shape((count, views.high_size, views.high_size, 3))
        # Kinds 0 to 2 of draws are those of `draw_identities` and `batch`.
        if views.varied:
            photos = vary(photos, views.varied, augmentation_seed(seed, 3 + 2 * view, step))
        if views.mixed:
            photos = mix(photos, views.mixed, augmentation_seed(seed, 4 + 2 * view, step))
        return photos, image

    def batch(step: tf.Tensor) -> dict[str, tf.Tensor]:
        chosen = draw_identities(step)
        draws = tf.random.stateless_uniform((len(views.sizes), 4, count), augmentation_seed(seed, 1, step))
        size_draws = tf.random.stateless_uniform((len(views.sizes),), augmentation_seed(seed, 2, step))
        seen, places = [], []
        for view, size in enumerate(views.sizes):
            if view == 0 or not with_sharp:
                photos, image = draw_photos(chosen, draws[view], view, step)
            seen.append(_at_size(photos, size, size_draws[view], views, augmentation_seed(seed, 1000 + view, step)))
            places.append(image)
        high = views.high_size
        # [V, count, ...] -> [count, V, ...], so that replicas share out whole identities.
        result = {
            "faces": tf.reshape(tf.stack(seen, 1), (count * len(seen), high, high, 3)),
            "labels": tf.repeat(chosen, len(seen)),
        }
        if with_sharp:
            result["sharp"] = photos
        if kept_targets is not None:
            result["targets"] = tf.gather(kept_targets, tf.reshape(tf.stack(places, 1), [-1]))
        for name, value in result.items():
            value.set_shape((count if name == "sharp" else count * len(seen), *value.shape[1:]))
        return result

    steps = tf.data.Dataset.range(first_step, np.iinfo(np.int64).max)
    return steps.map(batch, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True).prefetch(2)


def check_enough_identities(identities: np.ndarray, count: int) -> None:
    """Raises UserError if there are fewer identities than one batch takes."""
    there = len(np.unique(identities))
    if there < count:
        raise UserError(f"A batch takes {count} identities and there are only {there}; lower --batch_size.")


def parse_sizes(sizes: Sequence[str]) -> tuple[int | str, ...]:
    """The views' sizes as flags give them: whole numbers and "random".

    Raises:
        UserError: an item is neither.
    """
    for size in sizes:
        if size != RANDOM and not size.isdecimal():
            raise UserError(f"--sizes={','.join(sizes)}: {size!r} is neither a number of pixels nor {RANDOM!r}.")
    return tuple(size if size == RANDOM else int(size) for size in sizes)


def _at_size(photos: tf.Tensor, size: int | str, draw: tf.Tensor, views: Views, seed: tf.Tensor) -> tf.Tensor:
    """Degrades aligned faces to a size and enlarges them again."""
    if size == views.high_size:
        return photos
    pixels: int | tf.Tensor
    if size == RANDOM:
        low, high = np.log(views.random_range[0]), np.log(views.random_range[1])
        pixels = tf.cast(tf.round(tf.exp(low + draw * (high - low))), tf.int32)
    else:
        pixels = int(size)
    if views.cameras:
        small = degrade_like_cameras_in_graph(photos, pixels, views.cameras, seed)
    else:
        small = degrade_in_graph(photos, pixels)
    enlarged = resize_in_graph(small, views.high_size, views.high_size)
    return tf.reshape(enlarged, (-1, views.high_size, views.high_size, 3))
