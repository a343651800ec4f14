"""Does a gallery work? Every reference is held against all persons as if it were a new photo.

Its own person is then the mean of the other references, so that it does not recognize itself. All of it is one product
of the references with the templates, in blocks, so 10,000 persons fit in memory.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from lrfr_tf.gallery.check_figures import HeightBand, Pair, PersonFigures, RateFigures, SmallCost, Strangers
from lrfr_tf.gallery.check_report import LEAST_PERSONS, Report
from lrfr_tf.gallery.check_scores import (
    SMALL,
    ActiveReferences,
    OtherPersons,
    compare_with_others,
    references_in_force,
)

if TYPE_CHECKING:
    from lrfr_tf.recognition.calibration import Threshold

BANDS = (0.0, 16.0, 32.0, 64.0)  # pixels; each ends where the next begins
FACES = 4  # references named for each person


def check(
    names: Sequence[str],
    embeddings: np.ndarray,
    active: np.ndarray,
    heights: np.ndarray,
    *,
    ids: Sequence[str],
    threshold: "Threshold | None" = None,
    weights: np.ndarray | None = None,
    reasons: Mapping[str, str] | None = None,
    others: "Sequence[Threshold]" = (),
    person_ids: Mapping[str, str] | None = None,
    bare: Sequence[str] = (),
) -> Report:
    """Checks a gallery.

    Args:
        names: of each reference, whom it shows.
        embeddings: float32 [n, D] of unit length.
        active: bool [n], whether it is in force.
        heights: float [n], of the faces in pixels of their photos.
        ids: of each reference.
        threshold: the one in force; None: nobody knows one.
        weights: float [n], of each reference in the mean that is its person; None: all the same.
        reasons: why references were set aside, by id.
        others: thresholds of false positive identification rates; what each would give is counted.
        person_ids: the ids of persons by name.
        bare: the names of persons who have no reference at all.

    Raises:
        ValueError: there is no reference, or the arguments differ in length.
    """
    if not len(names) or len({len(names), len(embeddings), len(active), len(heights), len(ids)}) != 1:
        raise ValueError("A check needs a name, an embedding, a height and an id of each reference, and one at least.")
    people, persons = np.unique(np.asarray(names, dtype=object).astype(str), return_inverse=True)
    heights = np.asarray(heights, np.float64)
    force = references_in_force(
        embeddings, persons, np.asarray(active, bool), heights, weights=weights, count=len(people)
    )
    least = math.inf if threshold is None or threshold.score is None else threshold.score
    compared = compare_with_others(force, least)
    testable, right, wrong = _outcomes(force, compared, least)
    figures = _people(people, persons, force, testable=testable, right=right, wrong=wrong, others=compared, ids=ids)
    counts = np.bincount(force.persons, minlength=len(people))
    return Report(
        persons=len(people) + len(bare),
        references=len(names),
        active=len(force.rows),
        threshold=None if threshold is None else {**threshold.as_json(), "in_words": threshold.in_words()},
        people=tuple(sorted(figures, key=_trouble)),
        pairs=_pairs(compared, people, force, ids, least=least),
        set_aside=tuple(
            (ids[row], str(names[row]), (reasons or {}).get(ids[row], "no reason was given"))
            for row in np.flatnonzero(~np.asarray(active, bool)).tolist()
        ),
        single=tuple(people[counts == 1].tolist()),
        without=tuple(sorted([*people[counts == 0].tolist(), *bare])),
        bands=tuple(_bands(heights[force.rows], testable, right, force.own)),
        small_cost=_small_cost(heights[force.rows], force, compared.best, least),
        strangers=_strangers(force, compared, threshold, persons=int((counts > 0).sum())),
        rates=tuple(_at(one, force, compared) for one in others),
        person_ids=person_ids or {},
    )


def _outcomes(force: ActiveReferences, others: OtherPersons, least: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which references are compared, which of them get the right name and which another's: bool [n] each."""
    testable = np.isfinite(force.own)
    right = testable & (force.own >= least) & (force.own > others.best)
    return testable, right, testable & (others.best >= least) & ~right


def _at(threshold: "Threshold", force: ActiveReferences, others: OtherPersons) -> RateFigures:
    least = math.inf if threshold.score is None else threshold.score
    tested, right, wrong = (int(one.sum()) for one in _outcomes(force, others, least))
    named = float((others.best >= least).mean()) if len(force.rows) else 0.0
    return RateFigures(float(threshold.rate or 0.0), threshold.score, tested, right, wrong, named)


def _people(
    people: np.ndarray,
    persons: np.ndarray,
    force: ActiveReferences,
    *,
    testable: np.ndarray,
    right: np.ndarray,
    wrong: np.ndarray,
    others: OtherPersons,
    ids: Sequence[str],
) -> Iterator[PersonFigures]:
    references = np.bincount(persons, minlength=len(people))
    bounds = np.searchsorted(force.persons, np.arange(len(people) + 1))
    for person, (start, end) in enumerate(zip(bounds[:-1], bounds[1:], strict=True)):
        own = force.own[start:end][testable[start:end]]
        instead = others.whose[start:end][wrong[start:end]]
        order = np.argsort(np.nan_to_num(force.own[start:end], nan=np.inf), kind="stable")[:FACES]
        yield PersonFigures(
            name=str(people[person]),
            references=int(references[person]),
            active=int(end - start),
            tested=len(own),
            recognized=int(right[start:end].sum()),
            wrong=int(wrong[start:end].sum()),
            similarity=float(np.median(own)) if len(own) else None,
            taken_for=str(people[np.bincount(instead).argmax()]) if len(instead) else None,
            ids=tuple(ids[force.rows[start + place]] for place in order),
        )


def _trouble(person: PersonFigures) -> tuple[float, float, float]:
    """Sorts those first who are recognized worst."""
    share = person.recognized / person.tested if person.tested else 2.0
    return share, -person.wrong, person.similarity if person.similarity is not None else 1.0


def _pairs(
    others: OtherPersons, people: np.ndarray, force: ActiveReferences, ids: Sequence[str], *, least: float
) -> tuple[Pair, ...]:
    pairs = []
    for score, person, other, row in others.pairs:
        start, end = np.searchsorted(force.persons, [other, other + 1])
        nearest = start + int((force.embeddings[start:end] @ force.embeddings[row]).argmax())
        names = str(people[person]), str(people[other])
        pairs.append(Pair(*names, score, score >= least, ids[force.rows[row]], ids[force.rows[nearest]]))
    return tuple(pairs)


def _bands(heights: np.ndarray, testable: np.ndarray, right: np.ndarray, own: np.ndarray) -> Iterator[HeightBand]:
    for least, most in zip(BANDS, (*BANDS[1:], None), strict=True):
        inside = (heights >= least) & (heights < (math.inf if most is None else most))
        tested = inside & testable
        similarity = float(np.median(own[tested])) if tested.any() else None
        yield HeightBand(least, most, int(inside.sum()), int(tested.sum()), int((right & inside).sum()), similarity)


def _small_cost(heights: np.ndarray, force: ActiveReferences, best: np.ndarray, least: float) -> SmallCost | None:
    has_small = np.bincount(force.persons, heights < SMALL, minlength=len(force.templates))[force.persons] > 0
    compared = (heights >= SMALL) & has_small & np.isfinite(force.own_large)
    if not compared.any():
        return None
    needed = np.maximum(best[compared], least)
    with_small, without = force.own[compared], force.own_large[compared]
    return SmallCost(
        compared=int(compared.sum()),
        with_small=int((with_small >= needed).sum()),
        without_small=int((without >= needed).sum()),
        similarity_with=float(with_small.mean()),
        similarity_without=float(without.mean()),
    )


def _strangers(
    force: ActiveReferences, others: OtherPersons, threshold: "Threshold | None", *, persons: int
) -> Strangers | None:
    if threshold is None or threshold.score is None or persons < LEAST_PERSONS:
        return None
    stated = None
    if threshold.rule == "far":
        stated = threshold.rate
    elif threshold.rule == "fpir" and threshold.rate is not None:
        # What `DecisionRule.threshold_for` asks of each comparison.
        stated = -math.expm1(math.log1p(-threshold.rate) / (threshold.persons or persons))
    comparisons = len(force.rows) * (persons - 1)
    named = float((others.best >= threshold.score).mean()) if len(force.rows) else 0.0
    return Strangers(comparisons, others.reached, others.involved, stated, named)
