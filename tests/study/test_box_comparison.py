import json

import numpy as np
import pytest

from lrfr_tf.faces.boxes import intersection_over_union
from lrfr_tf.study.box_comparison import MEASURES, compare_boxes

NO_BOX = [np.nan] * 4
NO_POINTS = np.full((5, 2), np.nan)
POINTS = np.array([[20, 30], [40, 30], [30, 42], [22, 50], [38, 50]], np.float32)  # eyes 20 px apart


def test_known_intersections_over_union() -> None:
    square = [0, 0, 10, 10]
    others = {
        (0, 0, 10, 10): 1.0,
        (5, 0, 15, 10): 50 / 150,
        (5, 5, 15, 15): 25 / 175,
        (2, 2, 4, 7): 10 / 100,
        (10, 0, 20, 10): 0.0,  # a common side
        (30, 30, 40, 40): 0.0,
        (30, 0, 40, 10): 0.0,  # apart in x alone
        (-10, -10, 20, 20): 100 / 900,
    }
    boxes = np.array(list(others), np.float32)
    expected = list(others.values())
    np.testing.assert_allclose(intersection_over_union(np.array([square] * len(boxes)), boxes), expected)
    np.testing.assert_allclose(intersection_over_union(boxes, np.array([square] * len(boxes))), expected)


def test_intersection_over_union_counts_pixels() -> None:
    generator = np.random.default_rng(3)
    corners = generator.integers(0, 20, (50, 2, 2))
    boxes = np.concatenate([corners, corners + generator.integers(1, 12, (50, 2, 2))], axis=2)  # [50, 2, 4]
    measured = intersection_over_union(boxes[:, 0], boxes[:, 1])
    for (first, second), value in zip(boxes, measured, strict=True):
        masks = np.zeros((2, 40, 40), bool)
        for mask, (x1, y1, x2, y2) in zip(masks, (first, second), strict=True):
            mask[y1:y2, x1:x2] = True
        assert value == pytest.approx((masks[0] & masks[1]).sum() / (masks[0] | masks[1]).sum())


def test_measures_by_hand() -> None:
    comparison = compare_boxes(
        np.array([[10, 10, 50, 50]]), POINTS[None], np.array([[13, 14, 63, 64]]), (POINTS + [3, 4])[None]
    )
    # HR: center (30, 30), size 40. Method: center (38, 39), size 50. Common part: (13, 14) to (50, 50).
    assert comparison.iou[0] == pytest.approx(37 * 36 / (1600 + 2500 - 37 * 36))
    assert comparison.centre_error[0] == pytest.approx(np.hypot(8, 9) / 40)
    assert comparison.size_error[0] == pytest.approx(0.25)
    assert comparison.coordinate_mse[0] == pytest.approx((9 + 16 + 169 + 196) / 4)
    assert comparison.landmark_error[0] == pytest.approx(5 / 20)


def test_landmark_error_is_the_mean_over_five_points() -> None:
    moved = POINTS.copy()
    moved[2] += (6, 8)
    comparison = compare_boxes(np.array([[0, 0, 9, 9]]), POINTS[None], np.array([[0, 0, 9, 9]]), moved[None])
    assert comparison.landmark_error[0] == pytest.approx(10 / 5 / 20)


def test_a_smaller_or_larger_box_is_an_error_in_size_and_scale_does_not_matter() -> None:
    hr, method = np.array([[10.0, 10, 50, 50]] * 2), np.array([[20.0, 20, 40, 40], [0, 0, 60, 60]])
    points = np.stack([POINTS] * 2)
    comparison = compare_boxes(hr, points, method, points + 1)
    np.testing.assert_allclose(comparison.size_error, [0.5, 0.5])
    np.testing.assert_allclose(comparison.centre_error, [0, 0])
    doubled = compare_boxes(2 * hr, 2 * points, 2 * method, 2 * points + 2)
    for measure in ("iou", "centre_error", "size_error", "landmark_error"):
        np.testing.assert_allclose(getattr(doubled, measure), getattr(comparison, measure), atol=1e-12)
    np.testing.assert_allclose(doubled.coordinate_mse, 4 * comparison.coordinate_mse)


def test_summary_counts_every_image_and_averages_the_pairs() -> None:
    box, half = [0, 0, 10, 10], [0, 0, 10, 5]
    hr_boxes = np.array([box, box, box, NO_BOX, NO_BOX, NO_BOX, box])
    method_boxes = np.array([box, half, NO_BOX, box, NO_BOX, NO_BOX, half])
    hr_points = np.stack([NO_POINTS if np.isnan(row[0]) else POINTS for row in hr_boxes])
    method_points = np.stack([NO_POINTS if np.isnan(row[0]) else POINTS for row in method_boxes])
    hr_points[6] = NO_POINTS  # a box without points: no landmark error, but an IoU
    comparison = compare_boxes(hr_boxes, hr_points, method_boxes, method_points)
    summary = comparison.summary()
    assert summary["images"] == 7
    assert summary["found"] == {"both": 3, "hr_only": 1, "method_only": 1, "neither": 2}
    assert summary["hr_detection_rate"] == pytest.approx(4 / 7)
    assert summary["method_detection_rate"] == pytest.approx(4 / 7)
    assert summary["iou"]["n"] == 3
    assert summary["iou"]["mean"] == pytest.approx(2 / 3)
    assert summary["iou"]["median"] == pytest.approx(0.5)
    low, high = summary["iou"]["interval_95"]
    assert 0.5 <= low <= 2 / 3 <= high <= 1
    assert summary["landmark_error"]["n"] == 2
    assert summary["landmark_error"]["interval_95"] == [0, 0]
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    assert summary == comparison.summary()  # seeded
    rows = comparison.rows()
    assert [(row["hr_found"], row["method_found"]) for row in rows[:4]] == [(1, 1), (1, 1), (1, 0), (0, 1)]
    assert rows[1]["iou"] == pytest.approx(0.5)
    assert all(rows[2][measure] is None for measure in MEASURES)


@pytest.mark.parametrize("images", [0, 3])
def test_no_pairs_give_no_figures_and_no_warnings(images: int) -> None:
    boxes, points = np.full((images, 4), np.nan), np.full((images, 5, 2), np.nan)
    summary = compare_boxes(boxes, points, boxes, points).summary()
    assert summary["found"]["both"] == 0
    assert summary["found"]["neither"] == images
    for measure in MEASURES:
        assert summary[measure]["n"] == 0
        assert summary[measure]["mean"] is None
    assert summary["iou"]["interval_95"] is None
    json.dumps(summary, allow_nan=False)


def test_eyes_on_one_point_give_no_landmark_error() -> None:
    points = np.full((1, 5, 2), 7.0)
    assert np.isnan(compare_boxes(np.array([[0, 0, 9, 9]]), points, np.array([[0, 0, 9, 9]]), points).landmark_error[0])


def test_wrong_shapes_and_empty_boxes_are_refused() -> None:
    good, points = np.array([[0, 0, 9, 9]]), POINTS[None]
    with pytest.raises(ValueError, match="method boxes"):
        compare_boxes(good, points, np.concatenate([good, good]), points)
    with pytest.raises(ValueError, match="landmarks"):
        compare_boxes(good, points[:, :4], good, points)
    with pytest.raises(ValueError, match="no area"):
        compare_boxes(good, points, np.array([[5, 5, 5, 9]]), points)
