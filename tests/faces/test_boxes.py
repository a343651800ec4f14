"""Box arithmetic against the same rule written out by hand, box by box."""

import numpy as np
import pytest

from lrfr_tf.faces.boxes import best_first, best_of_overlapping, ranks_in_groups, suppress, widen_to_squares


def random_boxes(count: int, seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    corners = generator.uniform(0, 60, (count, 2))
    return np.concatenate([corners, corners + generator.uniform(5, 50, (count, 2))], axis=1)


def overlap(first: np.ndarray, second: np.ndarray, over_smaller: bool) -> float:
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    common = max(width, 0.0) * max(height, 0.0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)]
    return common / (min(areas) if over_smaller else sum(areas) - common)


@pytest.mark.parametrize("over_smaller", [False, True])
@pytest.mark.parametrize("sizes", [[1], [70, 3, 1, 40], [2] * 30, [150]])
def test_overlapped_boxes_go_even_if_what_overlaps_them_goes_too(sizes: list[int], over_smaller: bool) -> None:
    boxes = random_boxes(sum(sizes), seed=len(sizes))
    groups = np.repeat(np.arange(len(sizes)) * 3 + 2, sizes)
    expected = [
        this
        for this in range(len(boxes))
        if not any(
            groups[better] == groups[this] and overlap(boxes[better], boxes[this], over_smaller) > 0.3
            for better in range(this)
        )
    ]
    np.testing.assert_array_equal(best_of_overlapping(boxes, groups, 0.3, over_smaller), expected)
    if max(sizes) > 30:
        assert 0 < len(expected) < len(boxes)


def test_empty_boxes_suppress_nothing() -> None:
    boxes = np.array([[0, 0, 10, 10], [5, 5, 5, 5], [5, 5, 5, 5], [9, 9, 2, 2], [1, 0, 10, 10]], float)
    with np.errstate(all="ignore"):
        assert list(best_of_overlapping(boxes, np.zeros(5, int), 0.5)) == [0, 1, 2, 3]
    assert len(best_of_overlapping(np.empty((0, 4)), np.empty(0, int), 0.5)) == 0


def test_groups_one_after_the_other_each_with_its_best_first() -> None:
    scores = np.array([0.2, 0.9, 0.5, 0.7, 0.1, 0.8])
    groups = np.array([4, 1, 4, 1, 0, 4])
    order = best_first(scores, groups)
    assert list(order) == [4, 1, 3, 5, 2, 0]
    assert list(ranks_in_groups(groups[order])) == [0, 0, 1, 0, 1, 2]
    assert len(best_first(scores[:0], groups[:0])) == len(ranks_in_groups(groups[:0])) == 0


def test_equal_scores_come_in_the_same_order_whatever_else_is_in_the_batch() -> None:
    scores = np.random.default_rng(1).choice([0.8, 0.9, 1.0], 200)
    alone = best_first(scores[60:160], np.zeros(100))
    groups = np.repeat([2, 0, 1], [60, 100, 40])
    together = best_first(scores, groups)
    np.testing.assert_array_equal(together[:100] - 60, alone)


def test_suppress_keeps_images_apart() -> None:
    box = [10, 10, 20, 20]
    rows = np.array([[1, *box, 0.5], [0, *box, 0.6], [1, *box, 0.9], [0, 30, 30, 40, 40, 0.7]], float)
    np.testing.assert_array_equal(suppress(rows, 0.5), rows[[3, 1, 2]])


def test_squares_keep_center_and_longest_side() -> None:
    rows = np.array([[0, 10, 20, 30, 26, 0.5], [3, 0, 0, 4, 10, 0.6]])
    squares = widen_to_squares(rows)
    np.testing.assert_allclose(squares, [[0, 10, 13, 30, 33, 0.5], [3, -3, 0, 7, 10, 0.6]])
    assert rows[0, 2] == 20
