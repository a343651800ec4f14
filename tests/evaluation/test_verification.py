"""Verification against counting at every threshold, and sums done by hand."""

import numpy as np
import pytest

from lrfr_tf.evaluation.significance import bootstrap_interval, paired_members_interval
from lrfr_tf.evaluation.verification import (
    best_threshold,
    compare,
    fold_accuracy,
    roc_auc,
    roc_curve,
    tar_at_far,
)


def pairs(count: int, decimals: int | None, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Overlapping similarities of matched and mismatched pairs; few decimals make ties."""
    random = np.random.default_rng(seed)
    same = random.random(count) < 0.4
    similarities = random.normal(np.where(same, 0.5, 0.2), 0.25)
    return (similarities if decimals is None else similarities.round(decimals)), same


@pytest.mark.parametrize("decimals", [None, 1], ids=["distinct", "ties"])
def test_the_roc_curve_is_counted_at_every_threshold(decimals: int | None) -> None:
    similarities, same = pairs(500, decimals)
    thresholds = [np.inf, *np.unique(similarities)[::-1]]
    expected_far, expected_tar = (
        [np.mean(similarities[kind] >= threshold) for threshold in thresholds] for kind in (~same, same)
    )
    far, tar = roc_curve(similarities, same)
    np.testing.assert_allclose(far, expected_far, atol=1e-12)
    np.testing.assert_allclose(tar, expected_tar, atol=1e-12)
    matched, mismatched = similarities[same][:, None], similarities[~same]
    area = np.mean((matched > mismatched) + 0.5 * (matched == mismatched))
    assert roc_auc(similarities, same) == pytest.approx(area, abs=1e-12)
    for rate in (0.0, 0.001, 0.013, 0.1, 0.3, 0.9999, 1.0):
        # Where the curve stands upright points repeat a FAR; its upper end is meant.
        nearest = np.interp(rate + 1e-12, expected_far, expected_tar)
        assert tar_at_far(similarities, same, rate) == pytest.approx(nearest, abs=1e-6)


def test_tar_at_far_by_hand() -> None:
    # Accepted one after another: +, -, +, +, -: the curve is (0, 0) (0, 1/3) (1/2, 1/3) (1/2, 1) (1, 1).
    similarities, same = np.array([0.9, 0.8, 0.7, 0.6, 0.5]), np.array([True, False, True, True, False])
    assert tar_at_far(similarities, same, 0.0) == pytest.approx(1 / 3)
    assert tar_at_far(similarities, same, 0.25) == pytest.approx(1 / 3)
    assert tar_at_far(similarities, same, 0.5) == 1.0
    # With a tie between the first two the curve is (0, 0) (1/2, 1/3) ...
    similarities[1] = 0.9
    assert tar_at_far(similarities, same, 0.25) == pytest.approx(1 / 6)


@pytest.mark.parametrize("decimals", [None, 1], ids=["distinct", "ties"])
def test_no_threshold_is_better_than_the_best(decimals: int | None) -> None:
    for seed in range(5):
        similarities, same = pairs(80, decimals, seed)
        tried = np.linspace(similarities.min() - 0.1, similarities.max() + 0.1, 20_001)
        reached = ((similarities >= tried[:, None]) == same).mean(axis=1).max()
        found = ((similarities >= best_threshold(similarities, same)) == same).mean()
        assert found == pytest.approx(reached)


def test_a_gap_between_the_kinds_is_halved() -> None:
    assert best_threshold(np.array([0.1, 0.2, 0.6, 0.9]), np.array([False, False, True, True])) == pytest.approx(0.4)
    assert best_threshold(np.array([0.3, 0.4]), np.array([True, True])) < 0.3
    assert best_threshold(np.array([0.3, 0.4]), np.array([False, False])) > 0.4


def test_each_fold_is_judged_by_the_others() -> None:
    similarities, same = pairs(300, None)
    folds = np.random.default_rng(1).permutation(np.arange(300) % 10)
    # What suits fold 3 best suits no other fold: a threshold of its own would tell it rightly.
    similarities[folds == 3] += 5.0
    result = fold_accuracy(similarities, same, folds)
    for fold in range(10):
        others = folds != fold
        threshold = best_threshold(similarities[others], same[others])
        right = [(s >= threshold) == t for s, t in zip(similarities[~others], same[~others], strict=True)]
        assert result.thresholds[fold] == threshold
        assert result.correct[~others].tolist() == right
        assert result.accuracies[fold] == pytest.approx(sum(right) / len(right))
    assert result.accuracies[3] == pytest.approx(same[folds == 3].mean())
    assert result.mean == pytest.approx(sum(result.accuracies) / 10)
    deviation = sum((accuracy - result.mean) ** 2 for accuracy in result.accuracies) / 9
    assert result.standard_error == pytest.approx((deviation / 10) ** 0.5)


def test_two_methods_on_the_same_pairs() -> None:
    random = np.random.default_rng(0)
    correct, baseline = random.random(400) < 0.9, random.random(400) < 0.8
    persons = random.integers(0, 40, (400, 2))
    result = compare(correct, baseline, persons)
    only_one = int((correct & ~baseline).sum()) - int((baseline & ~correct).sum())
    assert result.mean == pytest.approx(only_one / 400)
    differences = correct.astype(int) - baseline.astype(int)
    assert result.over_pairs == bootstrap_interval(differences)
    assert result.over_persons == paired_members_interval(differences, persons)
    assert result.over_pairs[0] < result.mean < result.over_pairs[1]
    assert compare(correct, correct, persons).over_pairs == (0.0, 0.0)


def test_what_cannot_be_judged_is_refused() -> None:
    similarities, same = pairs(20, None)
    with pytest.raises(ValueError, match="needs another fold"):
        fold_accuracy(similarities, same, np.zeros(20))
    with pytest.raises(ValueError, match="not a number"):
        best_threshold(np.where(same, similarities, np.nan), same)
    with pytest.raises(ValueError, match="one similarity and one truth"):
        roc_curve(similarities, same[1:])
    with pytest.raises(ValueError, match="matched and mismatched"):
        roc_auc(similarities, np.ones(20, bool))
    with pytest.raises(ValueError, match="same pairs"):
        compare(same, same[1:], np.zeros((20, 2)))
