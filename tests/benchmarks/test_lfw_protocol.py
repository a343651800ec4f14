"""LFW's figures against loops over pairs and thresholds."""

import numpy as np
import pytest
from sklearn.metrics import roc_curve

from lrfr_tf.benchmarks.figures import read_correct
from lrfr_tf.benchmarks.lfw.protocol import differences, grid_accuracy, lfw_row, threshold_at_far
from lrfr_tf.errors import UserError


@pytest.fixture
def pairs() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(5)
    same = np.tile(np.repeat([True, False], 12), 5)
    return np.clip(random.normal(0.25, 0.3, 120) + 0.35 * same, -1, 1), same, np.repeat(np.arange(5), 24)


def test_the_grid_by_brute_force(pairs: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    similarities, same, folds = pairs
    grid = np.linspace(-1, 1, 101)
    found = grid_accuracy(similarities, same, folds, values=101)
    for fold in range(5):
        best, threshold = -1, None
        for candidate in grid:
            right = sum(
                (similarity >= candidate) == truth
                for similarity, truth, where in zip(similarities, same, folds, strict=True)
                if where != fold
            )
            if right >= best:  # the last best wins
                best, threshold = right, candidate
        assert found.thresholds[fold] == pytest.approx(threshold)
        inside = folds == fold
        expected = np.mean((similarities[inside] >= threshold) == same[inside])
        assert found.accuracies[fold] == pytest.approx(expected)
        np.testing.assert_array_equal(found.correct[inside], (similarities[inside] >= threshold) == same[inside])
    assert len(set(found.thresholds)) > 1


def test_of_equally_good_thresholds_the_largest() -> None:
    similarities, same = np.array([0.9, 0.1, 0.9, 0.1]), np.array([True, False, True, False])
    found = grid_accuracy(similarities, same, np.array([0, 0, 1, 1]))
    np.testing.assert_allclose(found.thresholds, [0.9, 0.9], atol=3e-4)  # 0.9 itself may lie a rounding error above
    assert found.mean == 1.0


def test_bad_input(pairs: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    similarities, same, folds = pairs
    with pytest.raises(ValueError, match="two are needed"):
        grid_accuracy(similarities, same, np.zeros(len(same)))
    with pytest.raises(ValueError, match="a similarity, a truth and a fold"):
        grid_accuracy(similarities[1:], same, folds)
    with pytest.raises(ValueError, match="a similarity, a truth and a fold"):
        grid_accuracy(similarities * np.nan, same, folds)
    with pytest.raises(ValueError, match="needs mismatched pairs"):
        threshold_at_far(similarities[same], same[same], 0.01)


def test_threshold_at_far() -> None:
    mismatched = np.random.default_rng(0).permutation(np.arange(1000) / 1000)
    similarities, same = np.concatenate([mismatched, [2.0]]), np.array([False] * 1000 + [True])
    for far, accepted in ((0.01, 10), (0.001, 1), (0.0, 0), (0.29, 290)):
        threshold = threshold_at_far(similarities, same, far)
        assert (mismatched >= threshold).sum() == accepted
        # The least such threshold: one step lower lets one more in.
        assert (mismatched >= np.nextafter(threshold, -1)).sum() == accepted + 1
    # Of several equal ones all or none are accepted.
    assert threshold_at_far(np.array([0.5, 0.5, 0.5, 0.1]), np.zeros(4, bool), 0.3) > 0.5


def test_the_row(pairs: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    similarities, same, folds = pairs
    row, accuracy = lfw_row(similarities, same, folds)
    assert row["accuracy"] == pytest.approx(np.mean(row["folds"]))
    assert row["standard_deviation"] == pytest.approx(np.std(row["folds"]))
    assert row["interval_95"][0] < row["accuracy"] < row["interval_95"][1]
    far, tar, _ = roc_curve(same, similarities, drop_intermediate=False)
    assert row["tar_at_far"]["0.01"] == pytest.approx(np.interp(0.01, far[1:], tar[1:]), abs=0.05)
    np.testing.assert_array_equal(read_correct(row, 120), accuracy.correct)
    for wrong in ({}, {"correct": row["correct"] + "00"}, {"correct": "zz"}):
        with pytest.raises(ValueError, match=r"each pair|non-hexadecimal"):
            read_correct(wrong, 120)


def test_paired_differences(pairs: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    similarities, same, folds = pairs
    persons = np.arange(240).reshape(120, 2)
    better_row, better = lfw_row(similarities + 0.2 * same, same, folds)
    worse_row, worse = lfw_row(similarities, same, folds)
    other = {"pairs_sha256": "abc", "sizes": {"8": worse_row, "16": better_row}}
    found = differences({"8": better, "12": better}, other, "abc", persons, where="other.json")
    assert list(found) == ["8"]
    expected = (better.correct.astype(float) - worse.correct).mean()
    assert found["8"]["mean"] == pytest.approx(expected)
    assert expected > 0
    low, high = found["8"]["interval_95"]
    assert low < expected < high
    for baseline, message in (
        ([], r"other\.json is no result"),
        ({**other, "pairs_sha256": "d"}, "another list of pairs"),
        ({**other, "sizes": {"8": {}}}, "does not say of each pair whether it is right at 8 px"),
        ({**other, "sizes": {"9": worse_row}}, "has none of the probe sizes 8, 12"),
    ):
        with pytest.raises(UserError, match=message):
            differences({"8": better, "12": better}, baseline, "abc", persons, where="other.json")
