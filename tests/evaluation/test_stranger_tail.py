"""The tail of strangers: SciPy's distribution is found again, persons are what is drawn, and pairs are counted once."""

import numpy as np
import pytest
import scipy.stats

from lrfr_tf.evaluation.stranger_tail import StrangerTail, fit_pareto, fit_stranger_tail

PERSONS, PHOTOS, SIZE = 60, 6, 24


def comparisons(seed: int, repeated: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores of photos against one template a person; with `repeated`, every photo counts so many times."""
    random = np.random.default_rng(seed)
    faces = random.normal(size=(PERSONS, SIZE))
    probes = np.repeat(np.arange(PERSONS), PHOTOS)
    photos = faces[probes] + random.normal(size=(len(probes), SIZE))
    photos /= np.linalg.norm(photos, axis=1, keepdims=True)
    faces /= np.linalg.norm(faces, axis=1, keepdims=True)
    return np.repeat(photos @ faces.T, repeated, axis=0), np.repeat(probes, repeated), np.arange(PERSONS)


@pytest.mark.parametrize("shape", [-0.3, -0.05, 0.0, 0.2])
def test_the_distribution_is_found_again(shape: float) -> None:
    excess = np.sort(scipy.stats.genpareto.rvs(shape, scale=0.04, size=40_000, random_state=1))
    found_shape, found_scale = fit_pareto(excess, np.ones(len(excess)))
    assert found_shape == pytest.approx(shape, abs=0.03)
    assert found_scale == pytest.approx(0.04, rel=0.03)
    # A weight is a number of occurrences.
    weights = np.random.default_rng(2).integers(0, 3, len(excess))
    expected = fit_pareto(np.repeat(excess, weights), np.ones(weights.sum()))
    assert fit_pareto(excess, weights.astype(float)) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("shape", [-0.2, 0.0, 0.1])
def test_quantiles_are_those_of_scipy(shape: float) -> None:
    tail = StrangerTail(100, 10_000, 0.3, 0.02, shape, 0.05, ((0.02, shape, 0.05),), ((0.5, 0.0),), (0.5, 0.4))
    for share in (0.01, 1e-3, 1e-5):
        expected = 0.3 + scipy.stats.genpareto.isf(share / 0.02, shape, scale=0.05)
        assert tail.quantile(share).score == pytest.approx(expected, abs=1e-9)
    assert tail.quantile(0.02).score == pytest.approx(0.3)
    assert tail.quantile(0.1).score == pytest.approx(0.3 * np.log(0.5 / 0.1) / np.log(0.5 / 0.02))
    for share in (0.0, -0.1, 0.6, float("nan")):
        with pytest.raises(ValueError, match="share of stranger comparisons"):
            tail.quantile(share)


def test_the_fit_follows_the_scores() -> None:
    scores, probes, templates = comparisons(0)
    tail = fit_stranger_tail(scores, probes, templates)
    strangers = scores[probes[:, None] != templates]
    assert (tail.persons, tail.comparisons) == (PERSONS, len(strangers))
    for share in (0.5, 0.1, 0.02, 0.01, 0.003):
        assert tail.quantile(share).score == pytest.approx(np.quantile(strangers, 1 - share), abs=0.015)
    quantiles = [tail.quantile(share) for share in (0.02, 0.01, 1e-3, 1e-4, 1e-6)]
    assert [q.score for q in quantiles] == sorted(q.score for q in quantiles)
    widths = [q.interval[1] - q.interval[0] for q in quantiles]
    assert widths[1:] == sorted(widths[1:])
    assert all(q.interval[0] < q.score < q.interval[1] for q in quantiles)
    # Pairs of persons are counted without regard to who was the probe, by hand:
    level = quantiles[1].score
    rows, columns = np.nonzero((scores > level) & (probes[:, None] != templates))
    by_hand = {frozenset((int(probes[row]), int(column))) for row, column in zip(rows, columns, strict=True)}
    assert quantiles[1].pairs_beyond == len(by_hand) > 10
    assert fit_stranger_tail(scores, probes, templates) == tail


def test_photos_counted_again_are_not_more_persons() -> None:
    """Each photo four times over, as at four sizes: the interval does not shrink, nor do pairs of persons grow."""
    once, again = (fit_stranger_tail(*comparisons(3, repeated)) for repeated in (1, 4))
    first, second = once.quantile(1e-3), again.quantile(1e-3)
    assert second.score == pytest.approx(first.score, abs=1e-3)
    assert second.pairs_beyond == first.pairs_beyond
    width, width_again = (np.ptp(q.interval) for q in (first, second))
    assert width_again == pytest.approx(width, rel=0.1)


def test_too_little_is_refused() -> None:
    scores, probes, templates = comparisons(0)
    few = probes < 20
    with pytest.raises(ValueError, match="needs 30 persons at least, not 20"):
        fit_stranger_tail(scores[few][:, :20], probes[few], templates[:20])
    with pytest.raises(ValueError, match="cannot make a tail, being too few"):
        fit_stranger_tail(scores[::PHOTOS][:, :1], probes[::PHOTOS], templates[:1])
    scores[0, 5] = np.nan
    with pytest.raises(ValueError, match="not a number"):
        fit_stranger_tail(scores, probes, templates)
