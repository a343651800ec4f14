"""Open-set identification against counting at every threshold."""

import numpy as np
import pytest
from sklearn.metrics import auc

from lrfr_tf.evaluation.open_set import (
    mated_scores_and_ranks,
    mean_templates,
    open_set_auc,
    open_set_curve,
    tpir_at_fpir,
    unmated_best_scores,
)

IDENTITIES, DIMENSIONS = 40, 12


def unit(array: np.ndarray) -> np.ndarray:
    return (array / np.linalg.norm(array, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def sets() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    centers = random.normal(size=(IDENTITIES, DIMENSIONS))
    gallery_labels = random.permutation(np.concatenate([np.arange(IDENTITIES), random.integers(0, IDENTITIES, 60)]))
    labels = random.integers(0, IDENTITIES, 200)
    return {
        "gallery_labels": gallery_labels,
        "labels": labels,
        "gallery": unit(centers[gallery_labels] + random.normal(size=(100, DIMENSIONS))),
        "mated": unit(centers[labels] + 1.5 * random.normal(size=(200, DIMENSIONS))),
        "unmated": unit(random.normal(size=(300, DIMENSIONS))),
    }


def by_counting(sets: dict[str, np.ndarray], rank: int) -> tuple[np.ndarray, np.ndarray]:
    """All similarities at once; for each threshold the two shares, in the words of the definition."""
    templates = np.stack(
        [sets["gallery"][sets["gallery_labels"] == i].astype(float).mean(axis=0) for i in range(IDENTITIES)]
    )
    templates /= np.linalg.norm(templates, axis=1, keepdims=True)
    mated, unmated = sets["mated"].astype(float) @ templates.T, sets["unmated"].astype(float) @ templates.T
    first = np.argsort(-mated, axis=1)[:, :rank]
    within = (first == sets["labels"][:, None]).any(axis=1)
    own, best = mated[np.arange(len(mated)), sets["labels"]], unmated.max(axis=1)
    fpir, tpir = [0.0], [0.0]
    for threshold in np.unique(np.concatenate([mated.ravel(), unmated.ravel()]))[::-1]:
        tpir.append(np.mean(within & (own >= threshold)))
        fpir.append(np.mean(best >= threshold))
    return np.array(fpir), np.array(tpir)


def reduced(sets: dict[str, np.ndarray], chunk: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    templates = mean_templates(
        (sets["gallery"][start : start + chunk] for start in range(0, 100, chunk)), sets["gallery_labels"]
    )
    pairs = [
        mated_scores_and_ranks(sets["mated"][start : start + chunk], sets["labels"][start : start + chunk], templates)
        for start in range(0, 200, chunk)
    ]
    unmated = [unmated_best_scores(sets["unmated"][start : start + chunk], templates) for start in range(0, 300, chunk)]
    return np.concatenate([a for a, _ in pairs]), np.concatenate([b for _, b in pairs]), np.concatenate(unmated)


@pytest.mark.parametrize("chunk", [1, 33, 300])
@pytest.mark.parametrize("rank", [1, 5, 20])
def test_curve_rates_and_area_are_those_of_counting(sets: dict[str, np.ndarray], chunk: int, rank: int) -> None:
    outcome = reduced(sets, chunk)
    fpir, tpir = by_counting(sets, rank)
    assert open_set_auc(*outcome, rank) == pytest.approx(auc(fpir, tpir), abs=1e-6)
    for target in (0.3, 0.2, 0.1, 0.01):
        # 300 strangers: every target is a multiple of 1/300, so that the curve's upper end there is the answer.
        assert tpir_at_fpir(*outcome, target, rank=rank) == pytest.approx(tpir[fpir <= target + 1e-9].max(), abs=1e-9)
    curve_fpir, curve_tpir = open_set_curve(*outcome, rank)
    assert curve_tpir[-1] == pytest.approx(tpir.max())
    assert (curve_fpir[0], curve_tpir[0], curve_fpir[-1]) == (0, 0, 1)
    assert set(zip(curve_fpir.round(6), curve_tpir.round(6), strict=True)) <= set(
        zip(fpir.round(6), tpir.round(6), strict=True)
    )
    assert np.mean(outcome[1] <= rank) == pytest.approx(tpir.max())
    assert 0.05 < tpir_at_fpir(*outcome, 0.1, rank=rank) < 0.95


def test_between_two_points_the_line_is_straight() -> None:
    mated, ranks, unmated = np.array([0.9, 0.5, 0.2, 0.95]), np.array([1, 20, 3, 21]), np.array([0.7, 0.3])
    # Points (FPIR, TPIR): (0, 0) (0, .25) (.5, .25) (.5, .5) (1, .5) (1, .75); the fourth probe is beyond rank 20.
    assert tpir_at_fpir(mated, ranks, unmated, 0.25) == pytest.approx(0.25)
    assert tpir_at_fpir(mated, ranks, unmated, 0.5) == pytest.approx(0.5)
    assert open_set_auc(mated, ranks, unmated) == pytest.approx(0.5 * 0.25 + 0.5 * 0.5)
    fpir, tpir = open_set_curve(mated, ranks, unmated)
    assert (fpir.tolist(), tpir.tolist()) == ([0, 0, 0.5, 0.5, 1, 1], [0, 0.25, 0.25, 0.5, 0.5, 0.75])
    assert open_set_auc(np.array([0.5]), np.array([1]), np.array([0.5])) == pytest.approx(0.5)
    assert tpir_at_fpir(np.array([0.5]), np.array([1]), np.array([0.5]), 0.3) == pytest.approx(0.3)


def test_a_network_that_answers_one_thing_finds_nobody() -> None:
    same = np.tile(unit(np.random.default_rng(0).normal(size=(1, 128))), (30, 1))
    templates = mean_templates([same], np.arange(30))
    _, ranks = mated_scores_and_ranks(same, np.arange(30), templates)
    np.testing.assert_array_equal(ranks, 30)


def test_embeddings_and_labels_must_fit() -> None:
    with pytest.raises(ValueError, match="3 labels need as many embeddings, not 2"):
        mean_templates([np.ones((2, 4), np.float32)], np.array([0, 1, 1]))
