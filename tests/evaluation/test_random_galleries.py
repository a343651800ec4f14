"""Rates of drawn galleries against counting by hand; persons are what intervals are drawn over."""

import numpy as np
import pytest

from lrfr_tf.evaluation.random_galleries import (
    Outcome,
    Photos,
    det_curve,
    false_positive_rate,
    identify_in_galleries,
    known_share,
    pool_outcomes,
    sample_galleries,
    tpir_at_fpir,
)

PERSONS, PHOTOS, SIZE = 24, 5, 16


def made_up_photos(noise: float = 1.0, seed: int = 0) -> Photos:
    """Photos of persons, of which every 11th shows no face and every 13th is too small to be a probe."""
    random = np.random.default_rng(seed)
    persons = np.repeat(np.arange(PERSONS), PHOTOS)
    faces = random.normal(size=(PERSONS, SIZE))

    def embedded() -> np.ndarray:
        rows = faces[persons] + noise * random.normal(size=(len(persons), SIZE))
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

    numbers = np.arange(len(persons))
    used = numbers % 13 != 0
    return Photos(persons, embedded(), embedded(), used & (numbers % 11 != 0), used)


def test_counts_are_those_of_plain_python() -> None:
    photos = made_up_photos()
    outcome = identify_in_galleries(photos, 6, 2, threshold=0.6, draws=4, seed=3)
    known = found = right = wrong = strangers = named = 0
    best_scores = []
    for enrolled, places in sample_galleries(photos.persons, 6, 2, 4, seed=3):
        assert len(set(enrolled)) == 6
        assert (photos.persons[places] == enrolled[:, None]).all()
        for photo, person in enumerate(photos.persons):
            if photo in places or not photos.used[photo]:
                continue
            scores = {}
            for name, own in zip(enrolled, places, strict=True):
                mean = photos.enrolled[own].astype(np.float64).mean(axis=0)
                scores[int(name)] = float(photos.probes[photo] @ mean / np.linalg.norm(mean))
            best = max(scores, key=scores.__getitem__)
            given = scores[best] >= 0.6
            if person in enrolled:
                known += 1
                found += bool(photos.found[photo])
                right += bool(photos.found[photo] and given and best == person)
                wrong += bool(photos.found[photo] and given and best != person)
            elif photos.found[photo]:
                strangers += 1
                named += given
                best_scores.append(scores[best])
    counts = (outcome.known, outcome.known_found, outcome.right, outcome.wrong, outcome.strangers, outcome.named)
    assert [count.sum() for count in counts] == [known, found, right, wrong, strangers, named]
    assert min(right, wrong, named) > 0
    assert outcome.met.sum() == 6 * strangers
    assert (np.diag(outcome.named) == 0).all()
    np.testing.assert_allclose(np.sort(outcome.stranger_scores), np.sort(best_scores), atol=1e-6)
    assert false_positive_rate(outcome)[0] == named / strangers
    assert known_share(outcome, outcome.right)[0] == right / known
    # The same again, and other drawings of another seed.
    assert (identify_in_galleries(photos, 6, 2, 0.6, draws=4, seed=3).named == outcome.named).all()
    assert (identify_in_galleries(photos, 6, 2, 0.6, draws=4, seed=4).named != outcome.named).any()


def test_tpir_at_an_fpir_is_the_best_that_keeps_it() -> None:
    outcome = identify_in_galleries(made_up_photos(), 6, 2, threshold=0.5, draws=20)
    for fpir in (0.01, 0.05, 0.2):
        tpir, (low, high), threshold = tpir_at_fpir(outcome, fpir)
        assert np.mean(outcome.stranger_scores >= threshold) <= fpir
        lower = outcome.stranger_scores[outcome.stranger_scores < threshold].max()
        assert np.mean(outcome.stranger_scores >= lower) > fpir  # a lower threshold would not
        assert tpir == np.sum(outcome.known_scores >= threshold) / outcome.known.sum()
        assert low <= tpir <= high


def test_det_falls_and_matches_the_rates() -> None:
    outcome = identify_in_galleries(made_up_photos(), 6, 2, threshold=0.6, draws=20)
    false, missed = det_curve(outcome)
    assert (np.diff(false) <= 0).all()
    assert (np.diff(missed) >= 0).all()
    at = np.searchsorted(-false, -false_positive_rate(outcome)[0])
    assert missed[at] == pytest.approx(1 - known_share(outcome, outcome.right)[0], abs=0.03)


def test_intervals_are_over_persons_not_over_decisions() -> None:
    """Ten times as many drawings of the same persons do not make the rate surer; ten times the persons do."""
    few, many = (identify_in_galleries(made_up_photos(), 6, 2, 0.6, draws=draws) for draws in (20, 200))
    widths = [np.ptp(false_positive_rate(outcome)[1]) for outcome in (few, many)]
    assert 0.6 < widths[1] / widths[0] < 1.4
    widths = [np.ptp(known_share(outcome, outcome.right)[1]) for outcome in (few, many)]
    assert 0.6 < widths[1] / widths[0] < 1.4


def test_outcomes_are_pooled() -> None:
    first, second = (identify_in_galleries(made_up_photos(noise), 6, 2, 0.6, draws=5) for noise in (1.0, 1.5))
    both = pool_outcomes([first, second])
    assert isinstance(both, Outcome)
    assert both.named.sum() == first.named.sum() + second.named.sum()
    assert len(both.stranger_scores) == len(first.stranger_scores) + len(second.stranger_scores)
    assert both.met.sum() / both.strangers.sum() == 6
    total = first.strangers.sum() + second.strangers.sum()
    assert false_positive_rate(both)[0] == (first.named.sum() + second.named.sum()) / total


def test_too_few_people_are_refused() -> None:
    persons = made_up_photos().persons
    with pytest.raises(ValueError, match="gallery of 24 persons needs .* there are 24 of 24"):
        next(sample_galleries(persons, PERSONS, 2, 1, seed=0))
    with pytest.raises(ValueError, match="more than 5 photos"):
        next(sample_galleries(persons, 3, PHOTOS, 1, seed=0))
    nobody = made_up_photos()
    nobody.found[:] = False
    outcome = identify_in_galleries(nobody, 6, 2, 0.6, draws=2)
    with pytest.raises(ValueError, match="Nothing was decided about a stranger"):
        false_positive_rate(outcome)
