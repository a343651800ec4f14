"""A check says of a gallery what comparing everything with everything says, one by one."""

import json

import numpy as np
import pytest

from lrfr_tf.gallery import check_scores
from lrfr_tf.gallery.check import check
from lrfr_tf.recognition.calibration import Threshold

DIMENSIONS = 16


def people(persons: int, photos: int, alike: float = 0.7, dimensions: int = DIMENSIONS) -> tuple[list[str], np.ndarray]:
    """Names and unit embeddings of so many photos each, float32 [persons * photos, dimensions]."""
    random = np.random.default_rng(0)
    middles = random.standard_normal((persons, 1, dimensions))
    noise = random.standard_normal((persons, photos, dimensions))
    vectors = (alike * middles + (1 - alike) * noise).reshape(-1, dimensions)
    names = [f"person {number:03d}" for number in range(persons) for _ in range(photos)]
    return names, (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def ids_of(names: list[str]) -> list[str]:
    return [f"id{number}" for number in range(len(names))]


def at(score: float | None, rule: str = "far", rate: float | None = 0.001) -> Threshold:
    return Threshold(score, rule, rate)


def by_hand(names: list[str], embeddings: np.ndarray, active: np.ndarray, weights: np.ndarray, least: float) -> dict:
    """What `check` should find, one comparison at a time."""
    found: dict = {
        "recognized": 0,
        "wrong": 0,
        "tested": 0,
        "reached": 0,
        "comparisons": 0,
        "involved": set(),
        "pairs": {},
    }

    def mean(rows: list[int]) -> np.ndarray:
        total = (weights[rows, None] * embeddings[rows]).sum(axis=0)
        return total / np.linalg.norm(total)

    rows_of = {name: [row for row in range(len(names)) if names[row] == name and active[row]] for name in set(names)}
    for row in np.flatnonzero(active):
        own = [other for other in rows_of[names[row]] if other != row]
        others = {
            name: float(embeddings[row] @ mean(rows)) for name, rows in rows_of.items() if rows and name != names[row]
        }
        for name, score in others.items():
            key = tuple(sorted((names[row], name)))
            found["pairs"][key] = max(found["pairs"].get(key, -1.0), score)
            found["comparisons"] += 1
            if score >= least:
                found["reached"] += 1
                found["involved"] |= {name, names[row]}
        if own:
            score, best = float(embeddings[row] @ mean(own)), max(others.values())
            found["tested"] += 1
            right = score >= least and score > best
            found["recognized"] += right
            found["wrong"] += best >= least and not right
    return found


@pytest.mark.parametrize("block", [1, 7, 2048])
def test_it_finds_what_one_comparison_at_a_time_finds(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(check_scores, "REFERENCES_PER_BLOCK", block)
    names, embeddings = people(40, 4, alike=0.55)
    random = np.random.default_rng(1)
    order = random.permutation(len(names))
    names, embeddings = [names[place] for place in order], embeddings[order]
    active = random.random(len(names)) < 0.7
    heights = random.uniform(8, 90, len(names))
    weights = random.uniform(0.5, 2.0, len(names)).astype(np.float32)
    report = check(names, embeddings, active, heights, ids=ids_of(names), threshold=at(0.45), weights=weights)
    expected = by_hand(names, embeddings, active, weights, 0.45)
    assert (report.tested, report.recognized, report.wrong) == (
        expected["tested"], expected["recognized"], expected["wrong"],
    )  # fmt: skip
    assert 0 < report.wrong < report.tested
    assert report.strangers is not None
    assert report.strangers.reached == expected["reached"] > 0
    assert report.strangers.comparisons == expected["comparisons"]
    assert report.strangers.persons == len(expected["involved"])
    best = sorted(expected["pairs"].items(), key=lambda item: -item[1])[: len(report.pairs)]
    assert [tuple(sorted((pair.first, pair.second))) for pair in report.pairs] == [pair for pair, _ in best]
    np.testing.assert_allclose([pair.score for pair in report.pairs], [score for _, score in best], atol=1e-5)
    assert len(report.pairs) == check_scores.PAIRS
    assert sum(band.references for band in report.bands) == report.active == active.sum()
    assert sum(band.tested for band in report.bands) == report.tested


def test_a_pair_names_the_references_that_are_alike() -> None:
    names, embeddings = people(5, 3)
    embeddings[4] = embeddings[0]  # the second person's photo is the first person's
    report = check(names, embeddings, np.ones(15, bool), np.full(15, 50.0), ids=ids_of(names), threshold=at(0.9))
    assert {report.pairs[0].id, report.pairs[0].second_id} == {"id0", "id4"}
    assert {report.pairs[0].first, report.pairs[0].second} == {"person 000", "person 001"}


def test_persons_with_one_reference_and_with_none_are_named() -> None:
    names, embeddings = people(4, 2)
    active = np.array([1, 1, 1, 0, 0, 0, 1, 1], bool)
    report = check(
        names,
        embeddings,
        active,
        np.full(8, 50.0),
        ids=ids_of(names),
        threshold=at(0.3),
        reasons={"id3": "It is another's."},
    )
    assert report.single == ("person 001",)
    assert report.without == ("person 002",)
    assert report.set_aside[0] == ("id3", "person 001", "It is another's.")
    assert report.tested == 4
    text = "\n".join(report.lines())
    assert "It is another's." in text
    assert "person 002" in text


def test_under_thirty_persons_it_says_that_it_cannot_tell() -> None:
    names, embeddings = people(29, 2)
    report = check(names, embeddings, np.ones(58, bool), np.full(58, 50.0), ids=ids_of(names), threshold=at(-1.0))
    assert report.strangers is None
    assert "cannot be told" in report.strangers_in_words()
    assert "29 persons are fewer than 30" in "\n".join(report.lines())


def test_people_who_are_more_alike_than_stated_are_warned_of() -> None:
    names, embeddings = people(40, 3, alike=0.8, dimensions=128)
    family = embeddings + 1.5 * embeddings[0]  # everybody looks like the first one
    family /= np.linalg.norm(family, axis=1, keepdims=True)
    heights, active = np.full(120, 50.0), np.ones(120, bool)
    threshold = Threshold(0.75, "fpir", 0.01, persons=40)
    strangers = check(names, embeddings, active, heights, ids=ids_of(names), threshold=threshold).strangers
    assert strangers is not None
    assert not strangers.warns
    report = check(names, family.astype(np.float32), active, heights, ids=ids_of(names), threshold=threshold)
    assert report.strangers is not None
    assert report.strangers.stated == pytest.approx(1 - 0.99 ** (1 / 40))
    assert report.strangers.warns
    assert "WARNING" in report.strangers_in_words()


def test_the_warning_begins_at_twice_the_stated_rate() -> None:
    names, embeddings = people(40, 3, alike=0.5)
    arguments = (names, embeddings, np.ones(120, bool), np.full(120, 50.0))
    share = check(*arguments, ids=ids_of(names), threshold=at(0.5)).strangers.share  # type: ignore[union-attr]
    for factor, warns in ((0.49, True), (0.51, False)):
        strangers = check(*arguments, ids=ids_of(names), threshold=at(0.5, rate=factor * share)).strangers
        assert strangers is not None
        assert strangers.warns == warns


def test_a_threshold_that_somebody_gave_states_no_rate() -> None:
    names, embeddings = people(30, 2)
    report = check(
        names, embeddings, np.ones(60, bool), np.full(60, 50.0), ids=ids_of(names), threshold=at(0.0, "given", None)
    )
    assert report.strangers is not None
    assert report.strangers.stated is None
    assert not report.strangers.warns
    assert "nobody stated a rate" in report.strangers_in_words()


def test_without_a_threshold_nobody_is_recognized_and_it_says_so() -> None:
    names, embeddings = people(30, 2)
    for threshold in (None, at(None)):
        report = check(names, embeddings, np.ones(60, bool), np.full(60, 50.0), ids=ids_of(names), threshold=threshold)
        assert report.recognized == 0
        assert report.strangers is None
        assert report.lines()
        json.dumps(report.as_json(), allow_nan=False)


def test_what_small_references_cost_is_seen_by_the_large_ones() -> None:
    names, embeddings = people(30, 3, alike=0.8)
    random = np.random.default_rng(2)
    poor = random.standard_normal((30, DIMENSIONS))
    embeddings[2::3] = poor / np.linalg.norm(poor, axis=1, keepdims=True)  # the small ones show nothing
    heights = np.where(np.arange(90) % 3 == 2, 12.0, 60.0)
    report = check(names, embeddings, np.ones(90, bool), heights, ids=ids_of(names), threshold=at(0.5))
    cost = report.small_cost
    assert cost is not None
    assert cost.compared == 60
    assert cost.similarity_with < cost.similarity_without
    assert cost.with_small <= cost.without_small
    by_least = {band.least: band for band in report.bands}
    assert by_least[0.0].references == 30
    assert by_least[0.0].recognized < by_least[32.0].recognized


def test_one_person_alone_and_no_reference_in_force_are_checked_too() -> None:
    names, embeddings = people(1, 3)
    report = check(names, embeddings, np.ones(3, bool), np.full(3, 50.0), ids=ids_of(names), threshold=at(0.2))
    assert report.pairs == ()
    assert report.recognized == 3
    nobody = check(names, embeddings, np.zeros(3, bool), np.full(3, 50.0), ids=ids_of(names), threshold=at(0.2))
    assert nobody.without == ("person 000",)
    assert nobody.lines()
    with pytest.raises(ValueError, match="one at least"):
        check([], embeddings[:0], np.zeros(0, bool), np.zeros(0), ids=[], threshold=at(0.2))


def test_json_says_the_same_and_has_no_infinity() -> None:
    names, embeddings = people(30, 2)
    report = check(names, embeddings, np.arange(60) != 3, np.full(60, 50.0), ids=ids_of(names), threshold=at(0.3))
    value = json.loads(json.dumps(report.as_json(), allow_nan=False))
    assert value["persons"] == 30
    assert value["strangers"]["share"] == report.strangers.share  # type: ignore[union-attr]
    assert value["set_aside"][0]["id"] == "id3"
    assert value["people"][0]["name"] == report.people[0].name


def test_other_rates_give_what_a_check_with_their_threshold_gives() -> None:
    names, embeddings = people(40, 4, alike=0.5)
    shape: tuple = (names, embeddings, np.ones(160, bool), np.full(160, 50.0))
    ids = ids_of(names)
    others = [Threshold(score, "fpir", rate, 40) for score, rate in ((None, 0.001), (0.6, 0.01), (0.3, 0.1))]
    rates = check(*shape, ids=ids, threshold=at(0.5), others=others).rates
    assert [(one.fpir, one.threshold) for one in rates] == [(0.001, None), (0.01, 0.6), (0.1, 0.3)]
    assert (rates[0].recognized, rates[0].wrong, rates[0].strangers_share) == (0, 0, 0.0)
    assert rates[2].wrong > rates[1].wrong
    for rate, threshold in zip(rates[1:], others[1:], strict=True):
        alone = check(*shape, ids=ids, threshold=threshold)
        assert alone.strangers is not None
        assert (rate.tested, rate.recognized, rate.wrong) == (alone.tested, alone.recognized, alone.wrong)
        assert rate.strangers_share == alone.strangers.would_be_named
