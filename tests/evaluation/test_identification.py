"""Ranks, top-k and CMC against scikit-learn and by hand."""

import numpy as np
import pytest
from sklearn.metrics import top_k_accuracy_score

from lrfr_tf.evaluation import identification
from lrfr_tf.evaluation.identification import cmc, rank_misses_last, ranks, top_k


@pytest.fixture
def scores() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(200, 12)).astype(np.float32)


@pytest.fixture
def labels() -> np.ndarray:
    return np.arange(200) % 12


def test_top_k_and_cmc_are_those_of_scikit_learn(scores: np.ndarray, labels: np.ndarray) -> None:
    found = ranks(scores, labels)
    expected = [top_k_accuracy_score(labels, scores, k=k, labels=np.arange(12)) for k in range(1, 12)]
    np.testing.assert_allclose([top_k(found, k) for k in range(1, 12)], expected)
    np.testing.assert_allclose(cmc(found, 12), [*expected, 1.0])


def test_ranks_in_chunks_are_the_same(scores: np.ndarray, labels: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = ranks(scores, labels)
    monkeypatch.setattr(identification, "COMPARISONS_AT_ONCE", 12 * 7)
    np.testing.assert_array_equal(ranks(scores, labels), whole)


def test_ties_and_missing_scores_count_against_us() -> None:
    scores = np.array([[0.5, 0.5, 0.1], [0.2, 0.2, 0.2], [np.nan, 0.1, 0.2], [0.9, np.nan, 0.1], [0.1, 0.2, 0.9]])
    np.testing.assert_array_equal(ranks(scores, np.array([0, 1, 0, 0, 2])), [2, 3, 3, 2, 1])


def test_a_miss_is_never_right() -> None:
    found = rank_misses_last(np.array([1, 1, 3]), np.array([True, False, True]), classes=4)
    np.testing.assert_array_equal(found, [1, 5, 3])
    np.testing.assert_allclose(cmc(found, 4), [1 / 3, 1 / 3, 2 / 3, 2 / 3])


def test_no_image_has_no_accuracy() -> None:
    with pytest.raises(ValueError, match="at least one image"):
        top_k(np.zeros(0, np.int64), 1)
