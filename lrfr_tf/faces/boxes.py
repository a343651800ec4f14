"""Arithmetic on the boxes of the cascade, in NumPy: a few hundred rows at most times, less than a call into a graph.

Rows are float64 [n, 6 or more]: image, x1, y1, x2, y2, score, and what belongs to the face. Boxes between the nets may
be empty or turned over; what comes of dividing by their area (infinite, not a number) suppresses nothing.
"""

import numpy as np

SUPPRESSORS_AT_ONCE = 16


def intersection_over_union(boxes_a: np.ndarray, boxes_b: np.ndarray) -> np.ndarray:
    """Area of the intersection / area of the union of boxes [..., 4], broadcast; float64 [...], NaN for NaN."""
    boxes_a, boxes_b = np.asarray(boxes_a, np.float64), np.asarray(boxes_b, np.float64)
    sides = np.minimum(boxes_a[..., 2:], boxes_b[..., 2:]) - np.maximum(boxes_a[..., :2], boxes_b[..., :2])
    intersection = np.maximum(sides, 0).prod(axis=-1)
    return intersection / (box_size(boxes_a) ** 2 + box_size(boxes_b) ** 2 - intersection)


def box_size(boxes: np.ndarray) -> np.ndarray:
    """The side of the square with the area of each box: [..., 4] -> [...]."""
    return np.sqrt((boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1]))


def best_first(scores: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """The order that puts the groups [n] one after the other, each with its best score [n] first.

    Many proposals have the score 1.0 exactly, and which of them is first decides which face box comes out. Each group
    is sorted by itself, in the way in which the package sorts the boxes of one image: so it gives the package's boxes,
    and they do not depend on what else is in the batch.
    """
    order = np.argsort(groups, kind="stable")
    sorted_groups = groups[order]
    starts = np.flatnonzero(np.diff(sorted_groups, prepend=-1))
    parts = np.split(order, starts[1:])
    return np.concatenate([order[:0]] + [part[np.argsort(scores[part])[::-1]] for part in parts])


def ranks_in_groups(groups: np.ndarray) -> np.ndarray:
    """0, 1, 2, ... within each run of equal numbers: [5, 5, 7] -> [0, 1, 0]."""
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    lengths = np.diff(starts, append=len(groups))
    return np.arange(len(groups)) - np.repeat(starts, lengths)


def best_of_overlapping(
    boxes: np.ndarray, groups: np.ndarray, threshold: float, over_smaller: bool = False
) -> np.ndarray:
    """Which boxes no better box of their group overlaps too much.

    A box counts against those after it even if it is itself overlapped by a better one; so does the package mtcnn,
    where greedy suppression would let it go first.

    Args:
        boxes: float64 [n, 4], x1, y1, x2, y2; the groups one after the other, each with its best box first.
        groups: int [n].
        threshold: an overlap above this is too much.
        over_smaller: the overlap is the common area over the smaller box, not over the union.

    Returns:
        int [m], positions of the boxes that stay, ascending.
    """
    ranks = ranks_in_groups(groups)
    firsts = np.arange(len(boxes)) - ranks
    x1, y1, x2, y2 = np.ascontiguousarray(boxes.T)
    areas = (x2 - x1) * (y2 - y1)
    stays = np.ones(len(boxes), bool)
    start = 0
    # The best boxes first: they suppress most of the others, which then need not be compared with the rest.
    while len(later := np.flatnonzero(stays & (ranks > start))) > 0:
        after = later[:, None]
        offsets = np.arange(start, start + SUPPRESSORS_AT_ONCE)
        better = firsts[after] + np.minimum(offsets, ranks[after] - 1)
        widths = np.minimum(x2[after], x2[better]) - np.maximum(x1[after], x1[better])
        heights = np.minimum(y2[after], y2[better]) - np.maximum(y1[after], y1[better])
        common = np.maximum(widths, 0) * np.maximum(heights, 0)
        if over_smaller:
            whole = np.minimum(areas[after], areas[better])
        else:
            whole = areas[after] + areas[better] - common
        stays[later] = ~(common / whole > threshold).any(axis=1)
        start += SUPPRESSORS_AT_ONCE
    return np.flatnonzero(stays)


def suppress(rows: np.ndarray, threshold: float, over_smaller: bool = False) -> np.ndarray:
    """The rows that no better one of the same image overlaps too much: the images in order, each best first."""
    rows = rows[best_first(rows[:, 5], rows[:, 0])]
    return rows[best_of_overlapping(rows[:, 1:5], rows[:, 0], threshold, over_smaller)]


def widen_to_squares(rows: np.ndarray) -> np.ndarray:
    """The rows with each box widened or heightened to a square, about its center."""
    rows = rows.copy()
    sides = rows[:, 3:5] - rows[:, 1:3]
    side = sides.max(axis=1, keepdims=True)
    rows[:, 1:3] += sides * 0.5 - side * 0.5
    rows[:, 3:5] = rows[:, 1:3] + side
    return rows
