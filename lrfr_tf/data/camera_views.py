"""The tf.data graph that feeds the distillation: small faces as cameras make them, each beside its teacher's embedding.

A batch is a pure function of (seed, step), as in `data.graph`, so a run resumes exactly from its step alone.
"""

import dataclasses
import functools
import math
import re
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from lrfr_tf.data.face_source import FaceSource
from lrfr_tf.data.graph import augmentation_seed
from lrfr_tf.errors import UserError
from lrfr_tf.images.camera import LEVELS
from lrfr_tf.images.camera_in_graph import photograph_in_graph, project_in_graph
from lrfr_tf.images.resize import resize_in_graph

# How many sizes a group has at most: a graph holds one branch for each size and level.
SIZES = 10
# How far a face is misaligned at most before the camera sees it: turned (degrees), enlarged or shrunk (as a logarithm),
# stretched (as a logarithm), moved (share of its side), tilted (what the frame's far side is smaller by).
ROTATION, LOG_SCALE, LOG_STRETCH, SHIFT, TILT = 15.0, 0.2, 0.15, 0.06, 0.12


@dataclasses.dataclass(frozen=True)
class CameraGroup:
    """Views of one camera level; sizes in pixels are drawn evenly on a logarithmic scale from least to largest."""

    level: str
    least: int
    largest: int

    @property
    def name(self) -> str:
        """As `parse_groups` takes it."""
        return f"{self.level}:{self.least}-{self.largest}"

    def kinds(self) -> list[tuple[str, int]]:
        """All that a view may be, level and size, each as likely."""
        count = min(SIZES, self.largest - self.least + 1)
        steps = np.linspace(0.0, 1.0, count) if count > 1 else np.zeros(1)
        sizes = [round(self.least * (self.largest / self.least) ** step) for step in steps]
        return [(self.level, size) for size in sizes]


@dataclasses.dataclass(frozen=True)
class CameraViews:
    """What one batch holds.

    Attributes:
        groups: a group of views each; its size is drawn anew at every step.
        side: of the aligned faces, without their margins.
        misaligned: share of the views that are coarsely misaligned first, as faces in profile are by their landmarks.
    """

    groups: tuple[CameraGroup, ...]
    side: int
    misaligned: float = 0.0

    def __post_init__(self) -> None:
        for group in self.groups:
            if not 1 <= group.least <= group.largest <= self.side:
                raise UserError(f"`groups`: the sizes of {group.name} do not lie within 1 to {self.side}.")
        if not 0 <= self.misaligned <= 1:
            raise UserError(f"`misaligned`={self.misaligned:g} is out of range; it is 0 to 1.")


def parse_groups(texts: Sequence[str]) -> tuple[CameraGroup, ...]:
    """Groups as flags give them: "<level>:<least>-<largest>" or "<level>:<size>".

    Raises:
        UserError: there is none, or one is not of the form.
    """
    groups = []
    for text in texts:
        match = re.fullmatch(rf"({'|'.join(LEVELS)}):(\d+)(?:-(\d+))?", text)
        if not match:
            raise UserError(f"`groups`: {text!r} is no <level>:<least>-<largest>, with a level {', '.join(LEVELS)}.")
        groups.append(CameraGroup(match[1], int(match[2]), int(match[3] or match[2])))
    if not groups:
        raise UserError("`groups` names no group of views.")
    return tuple(groups)


def camera_batches(
    faces: FaceSource,
    targets: np.ndarray,
    identities: np.ndarray,
    weights: np.ndarray,
    *,
    batch_size: int,
    views: CameraViews,
    seed: int,
    first_step: int = 0,
) -> tf.data.Dataset:
    """An endless dataset of batches: "faces" uint8 [batch_size, S, S, 3], as small as their cameras made them and
    enlarged to S again, half of them mirrored; "targets" float32 [batch_size, D] and "identities" int32 [batch_size].

    Row i is of the group i modulo the number of groups, so that replicas share out all groups alike.

    Args:
        faces: aligned, [N, S + 2 * margin, S + 2 * margin, 3].
        targets: float32 [N, D] that belong to them.
        identities: int [N], whom they show.
        weights: float [N], in proportion to which faces are drawn, independently.
        batch_size: a multiple of the number of groups.
        seed, first_step: the batch of step n is the same whatever the first step is.

    Raises:
        UserError: the batch does not divide into the groups, or the faces are no squares of at least that size.
    """
    groups = len(views.groups)
    if batch_size % groups:
        raise UserError(f"`batch_size`={batch_size} is no multiple of the {groups} of `groups`.")
    if faces.height != faces.width or faces.height < views.side or (faces.height - views.side) % 2:
        raise UserError(
            f"Distillation takes aligned faces of {views.side} pixels with equal margins, not {faces.width} x "
            f"{faces.height}; prepare_aligned makes such with size={views.side}, margin=16, left_margin=0."
        )
    count, margin, side = batch_size // groups, (faces.height - views.side) // 2, views.side
    kinds = [group.kinds() for group in views.groups]
    branches = list(dict.fromkeys(kind for group in kinds for kind in group))
    most = math.lcm(*(len(group) for group in kinds))
    table = tf.constant([[branches.index(group[place % len(group)]) for place in range(most)] for group in kinds])
    cumulative = tf.constant(np.cumsum(weights) / np.sum(weights), tf.float64)
    kept_targets, kept_identities = tf.constant(targets, tf.float32), tf.constant(identities, tf.int32)

    def photograph(photos: tf.Tensor, seeds: tf.Tensor, kind: tuple[str, int]) -> tf.Tensor:
        level, size = kind
        small = photograph_in_graph(photos, size, level, seeds, margin=margin)
        return small if size == side else resize_in_graph(small, side, side)

    def make_group(number: tf.Tensor) -> dict[str, tf.Tensor]:
        draws = tf.random.stateless_uniform((count + 1, 3), augmentation_seed(seed, 0, number), dtype=tf.float64)
        place = tf.searchsorted(cumulative, draws[:count, 0], side="right")
        place = tf.minimum(tf.cast(place, tf.int64), faces.count - 1)
        photos = faces(place)
        photos = tf.where((draws[:count, 1] < 0.5)[:, None, None, None], photos[:, :, ::-1], photos)
        photos.set_shape((count, faces.height, faces.height, 3))
        if views.misaligned:
            photos = misalign(photos, views.misaligned, augmentation_seed(seed, 1, number), side)
        choice = table[tf.cast(number % groups, tf.int32), tf.cast(draws[count, 0] * most, tf.int32)]
        own_seed = augmentation_seed(seed, 2, number)
        ways = [functools.partial(photograph, photos, own_seed, kind) for kind in branches]
        seen = tf.ensure_shape(tf.switch_case(choice, ways), (count, side, side, 3))
        labels = {"targets": tf.gather(kept_targets, place), "identities": tf.gather(kept_identities, place)}
        return {"faces": seen, **labels}

    def rows(group: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """[groups, count, ...] -> [count * groups, ...], group by group in turn."""
        turned = {name: tf.experimental.numpy.swapaxes(value, 0, 1) for name, value in group.items()}
        return {name: tf.reshape(value, (batch_size, *value.shape[2:])) for name, value in turned.items()}

    numbers = tf.data.Dataset.range(first_step * groups, np.iinfo(np.int64).max)
    made = numbers.map(make_group, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return made.batch(groups, drop_remainder=True).map(rows).prefetch(2)


def misalign(photos: tf.Tensor, share: float, seed: tf.Tensor, side: int) -> tf.Tensor:
    """Turns, scales, stretches, moves and tilts a share of the photos, each by its own random amounts; bilinear.

    Args:
        photos: uint8 [N, S, S, 3]; what comes in at the edges is reflected.
        share: probability that a photo is changed, 0 to 1.
        seed: int64 [2].
        side: of the faces in the photos, which shifts are shares of.

    Returns:
        uint8 [N, S, S, 3].
    """
    count, middle = photos.shape[0], (photos.shape[1] - 1) / 2
    draws = tf.random.stateless_uniform((8, count), seed)
    angle, scale, stretch, right, down, tilt_x, tilt_y = tf.unstack(2 * draws[:7] - 1)
    cosine, sine = tf.cos(angle * np.radians(ROTATION)), tf.sin(angle * np.radians(ROTATION))
    wide, tall = (tf.exp(-scale * LOG_SCALE + sign * stretch * LOG_STRETCH / 2) for sign in (-1, 1))
    # Where a pixel of the result comes from, about the middle: x' = (a x + b y) / (1 + g x + h y).
    a, b, c, d = wide * cosine, wide * sine, -tall * sine, tall * cosine
    g, h = tilt_x * (TILT / side), tilt_y * (TILT / side)
    zero, one = tf.zeros_like(a), tf.ones_like(a)
    about = tf.stack([a, b, right * SHIFT * side, c, d, down * SHIFT * side, g, h, one], 1)
    about = tf.reshape(about, (count, 3, 3))
    there = tf.constant([[1.0, 0.0, middle], [0.0, 1.0, middle], [0.0, 0.0, 1.0]])
    back = tf.constant([[1.0, 0.0, -middle], [0.0, 1.0, -middle], [0.0, 0.0, 1.0]])
    whole = there @ about @ back
    whole /= whole[:, 2:, 2:]
    same = tf.stack([one, zero, zero, zero, one, zero, zero, zero], 1)
    rows = tf.where((draws[7] < share)[:, None], tf.reshape(whole, (count, 9))[:, :8], same)
    return tf.ensure_shape(project_in_graph(photos, rows), photos.shape)
