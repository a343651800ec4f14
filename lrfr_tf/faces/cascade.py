"""MTCNN's cascade with each of its three nets compiled into one graph, with the nets' input cut out in the graph.

It gives what the package mtcnn 1.0.0 gives (`lrfr_tf.faces.package_cascade`), at a fraction of its time. The graphs
take images of any number and size, so each is traced once; between them the boxes, a few hundred rows, are NumPy.
"""

import functools
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from lrfr_tf.faces.boxes import best_first, best_of_overlapping, ranks_in_groups, suppress, widen_to_squares
from lrfr_tf.faces.pyramid import scaled
from lrfr_tf.models.mtcnn import CELL_SIZE, CELL_STEP, OUTPUT_SIZE, REFINEMENT_SIZE
from lrfr_tf.weights.mtcnn import mtcnn_nets

OVERLAP_IN_LEVEL, OVERLAP_IN_IMAGE = 0.5, 0.7

# Suppressing overlaps compares proposals with each other; ordinary photos stay far below this bound.
PROPOSALS_PER_LEVEL = 1000

# Crops go through a net in one of these numbers, the last of them empty: a number that was never there before costs
# the libraries below TensorFlow some milliseconds. More crops at once would be no faster, and need more memory.
CROP_COUNTS = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 80, 96, 112, 128)

IMAGES = tf.TensorSpec([None, None, None, 3], tf.uint8)
PIXELS = tf.TensorSpec([None, None, None, 3], tf.float32)
BOXES = tf.TensorSpec([None, 4], tf.float32)

Graph = Callable[..., tuple[tf.Tensor, ...]]


class CompiledCascade:
    """Finds faces in images of one size.

    It holds no state between calls, so threads may share it. A forked child hangs with it: load it after the fork.

    Raises:
        UserError: as `lrfr_tf.weights.mtcnn.mtcnn_nets`.
    """

    def __init__(self) -> None:
        with tf.device("CPU:0"):
            self._nets = mtcnn_nets()
        self._propose = tf.function(
            self._propose_in_graph,
            input_signature=[IMAGES, tf.TensorSpec([None, 2], tf.int32), tf.TensorSpec([], tf.float32)],
        )
        crops_signature = [PIXELS, BOXES, tf.TensorSpec([None], tf.int32)]
        self._refine = tf.function(self._refine_in_graph, input_signature=crops_signature)
        self._finish = tf.function(self._finish_in_graph, input_signature=crops_signature)

    @property
    def traces(self) -> int:
        """How often a graph was traced; 3 once each has been used."""
        graphs = (self._propose, self._refine, self._finish)
        return sum(graph.experimental_get_tracing_count() for graph in graphs)

    def search(self, images: np.ndarray, scales: Sequence[float], thresholds: Sequence[float]) -> np.ndarray:
        """Finds the faces.

        Args:
            images: uint8 [N, H, W, 3].
            scales: the sizes at which to search, as `lrfr_tf.faces.pyramid.pyramid_scales` gives them.
            thresholds: the least scores of the three nets.

        Returns:
            float64 [n, 16]: image, x1, y1, x2, y2, score, five landmark x, five landmark y; boxes are not clipped.
        """
        if len(scales) == 0:
            return np.empty((0, 16))
        # What an empty box divides by its area suppresses nothing.
        with tf.device("CPU:0"), np.errstate(divide="ignore", invalid="ignore"):
            pixels, rows = self._proposals(images, scales, thresholds[0])
            rows = self._refined(pixels, rows, thresholds[1]) if len(rows) > 0 else rows
            return self._finished(pixels, rows, thresholds[2]) if len(rows) > 0 else np.empty((0, 16))

    def _proposals(self, images: np.ndarray, scales: Sequence[float], threshold: float) -> tuple[tf.Tensor, np.ndarray]:
        """The images in -1 to 1, float32 [N, H, W, 3], and squares in them that may be faces, [n, 6]."""
        count, height, width = images.shape[:3]
        sizes = np.array([(scaled(height, scale), scaled(width, scale)) for scale in scales], np.int32)
        pixels, *found = self._propose(images, sizes, np.float32(threshold))
        cells, offsets, scores = (part.numpy() for part in found)
        level, image, row, column = cells.T
        left_top = np.stack([column, row], axis=1) * CELL_STEP + 1
        right_bottom = left_top + CELL_SIZE - 1
        corners = np.concatenate([left_top, right_bottom], axis=1) + offsets * np.float64(CELL_SIZE - 1)
        corners /= np.asarray(scales)[level][:, None]
        rows = np.concatenate([image[:, None], corners, scores[:, None]], axis=1)
        groups = level * count + image
        order = best_first(rows[:, 5], groups)
        order = order[ranks_in_groups(groups[order]) < PROPOSALS_PER_LEVEL]
        rows, groups = rows[order], groups[order]
        rows = rows[best_of_overlapping(rows[:, 1:5], groups, OVERLAP_IN_LEVEL)]
        return pixels, widen_to_squares(suppress(rows, OVERLAP_IN_IMAGE))

    def _refined(self, pixels: tf.Tensor, rows: np.ndarray, threshold: float) -> np.ndarray:
        """Squares that are likely to be faces, [n, 6]."""
        offsets, scores = _in_parts(self._refine, pixels, rows)
        rows = _adjusted(rows, offsets, scores)
        return widen_to_squares(suppress(rows[rows[:, 5] > threshold], OVERLAP_IN_IMAGE))

    def _finished(self, pixels: tf.Tensor, rows: np.ndarray, threshold: float) -> np.ndarray:
        """Faces with their landmarks, [n, 16]."""
        offsets, landmarks, scores = _in_parts(self._finish, pixels, rows)
        corners, sides = rows[:, 1:3], rows[:, 3:5] - rows[:, 1:3] + 1
        points = landmarks.reshape(-1, 2, 5) * sides[:, :, None] + corners[:, :, None] - 1
        rows = np.concatenate([_adjusted(rows, offsets, scores), points.reshape(-1, 10)], axis=1)
        return suppress(rows[rows[:, 5] > threshold], OVERLAP_IN_IMAGE, over_smaller=True)

    def _propose_in_graph(self, images: tf.Tensor, sizes: tf.Tensor, threshold: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """The images in -1 to 1, and their cells above the threshold at all sizes [levels, 2]: int64 [n, 4] (level,
        image, row, column), offsets [n, 4] and scores [n]."""
        pixels = (tf.cast(images, tf.float32) - 127.5) / 128
        levels = tf.shape(sizes)[0]
        cells = tf.TensorArray(tf.int64, levels, element_shape=[None, 4], infer_shape=False)
        offsets = tf.TensorArray(tf.float32, levels, element_shape=[None, 4], infer_shape=False)
        scores = tf.TensorArray(tf.float32, levels, element_shape=[None], infer_shape=False)
        # A little less than what gives a probability of the threshold, since that is rounded.
        least_difference = tf.math.log(threshold) - tf.math.log(1 - threshold) - 0.01
        for level in tf.range(levels):
            resized = tf.image.resize(pixels, sizes[level], tf.image.ResizeMethod.AREA)
            all_offsets, answers = self._nets.proposal(resized, training=False)
            # Probabilities of the likely cells alone, bit for bit those that all cells would have.
            likely = tf.where(answers[..., 1] - answers[..., 0] > least_difference)
            face = tf.nn.softmax(tf.gather_nd(answers, likely))[:, 1]
            found, face = likely[face > threshold], face[face > threshold]
            number = tf.fill([tf.shape(found)[0], 1], tf.cast(level, tf.int64))
            cells = cells.write(level, tf.concat([number, found], axis=1))
            offsets = offsets.write(level, tf.gather_nd(all_offsets, found))
            scores = scores.write(level, face)
        return pixels, cells.concat(), offsets.concat(), scores.concat()

    def _refine_in_graph(self, pixels: tf.Tensor, boxes: tf.Tensor, owners: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """Offsets [n, 4] and scores [n] of the boxes [n, 4] (y1, x1, y2, x2, in parts of the image `owners` [n])."""
        crops = tf.image.crop_and_resize(pixels, boxes, owners, (REFINEMENT_SIZE, REFINEMENT_SIZE))
        offsets, probabilities = self._nets.refinement(crops, training=False)
        return offsets, probabilities[:, 1]

    def _finish_in_graph(self, pixels: tf.Tensor, boxes: tf.Tensor, owners: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """Offsets [n, 4], landmarks [n, 10] and scores [n] of the boxes."""
        crops = tf.image.crop_and_resize(pixels, boxes, owners, (OUTPUT_SIZE, OUTPUT_SIZE))
        offsets, landmarks, probabilities = self._nets.output(crops, training=False)
        return offsets, landmarks, probabilities[:, 1]


@functools.cache
def compiled_cascade() -> CompiledCascade:
    """The cascade that all detectors of this process share, so that its graphs are traced once."""
    return CompiledCascade()


def _in_parts(graph: Graph, pixels: tf.Tensor, rows: np.ndarray) -> list[np.ndarray]:
    """Runs a graph of crops on all rows, some at a time, the last ones made up to a number of CROP_COUNTS."""
    height, width = pixels.shape[1:3]
    results = []
    for start in range(0, len(rows), CROP_COUNTS[-1]):
        part = rows[start : start + CROP_COUNTS[-1]]
        count = next(count for count in CROP_COUNTS if count >= len(part))
        boxes, owners = np.zeros((count, 4), np.float32), np.zeros(count, np.int32)
        boxes[: len(part)], owners[: len(part)] = part[:, [2, 1, 4, 3]] / (height, width, height, width), part[:, 0]
        results.append([output.numpy()[: len(part)] for output in graph(pixels, boxes, owners)])
    return [np.concatenate(parts) for parts in zip(*results, strict=True)]


def _adjusted(rows: np.ndarray, offsets: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """The rows with their boxes moved by offsets in parts of their sides, and with new scores."""
    rows = rows.copy()
    sides = np.tile(rows[:, 3:5] - rows[:, 1:3] + 1, 2)
    rows[:, 1:5] += offsets * sides
    rows[:, 5] = scores
    return rows
