"""Open-set identification with galleries that are drawn: some persons are enrolled, all others are strangers.

Each draw enrolls some persons with some photos each, and asks about every other photo: those of enrolled persons should
get the right name, those of strangers none. A person is one template, the mean of the enrolled embeddings. FPIR is the
share of decisions about strangers that give a name, TPIR the share of an enrolled person's other photos that get the
right one; where no face is found there is no decision, and for TPIR that is a miss.
"""

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from lrfr_tf.plural import counted

RESAMPLES = 1000


@dataclasses.dataclass(frozen=True)
class Photos:
    """Embeddings of photos, as they are and as probes.

    Attributes:
        persons: int [photos], whom each shows.
        enrolled: float32 [photos, D], the embeddings that templates are made of; unit length.
        probes: float32 [photos, D].
        found: bool [photos], whether the face was found in the probe.
        used: bool [photos], whether there is such a probe.
    """

    persons: np.ndarray
    enrolled: np.ndarray
    probes: np.ndarray
    found: np.ndarray
    used: np.ndarray


@dataclasses.dataclass
class Outcome:
    """What came of all draws at one threshold; counts by person, int64 [persons], or by stranger and enrolled person.

    Attributes:
        known, known_found, right, wrong: photos of enrolled persons, those with a face found, those with the right
            name, those with another's.
        strangers: decisions about each person as a stranger.
        named: int64 [persons, persons], decisions that gave the stranger (row) the name of an enrolled person (column).
        met: the same for decisions in which that enrolled person was in the gallery.
        known_scores, known_persons: of each found photo of an enrolled person the score of the right name, -inf where
            another name is better; and whose it is.
        stranger_scores, stranger_persons: of each decision about a stranger the best score; and who it is.
    """

    known: np.ndarray
    known_found: np.ndarray
    right: np.ndarray
    wrong: np.ndarray
    strangers: np.ndarray
    named: np.ndarray
    met: np.ndarray
    known_scores: np.ndarray
    known_persons: np.ndarray
    stranger_scores: np.ndarray
    stranger_persons: np.ndarray


def check_gallery_size(photos_each: np.ndarray, size: int, photos: int) -> None:
    """Refuses galleries for which there are too few people.

    Args:
        photos_each: int [persons], how many photos there are of each person.
        size, photos: as for `sample_galleries`.

    Raises:
        ValueError: there are too few.
    """
    eligible = int(np.sum(np.asarray(photos_each) > photos))
    if eligible < size or len(photos_each) <= size:
        raise ValueError(
            f"A gallery of {counted(size, 'person')} needs so many with more than {counted(photos, 'photo')}, and "
            "strangers besides; there "
            f"are {eligible} of {len(photos_each)}."
        )


def sample_galleries(
    persons: np.ndarray, size: int, photos: int, draws: int, *, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Draws who is enrolled and with which photos.

    Args:
        persons: int [photos], whom each photo shows.
        size: number of persons in a gallery.
        photos: number of photos of each; who has no more than these is never enrolled.
        draws: number of galleries.

    Yields:
        (persons int64 [size], places of their photos int64 [size, photos]).

    Raises:
        ValueError: there are not more persons than that.
    """
    everybody, counts = np.unique(persons, return_counts=True)
    check_gallery_size(counts, size, photos)
    eligible = everybody[counts > photos]
    of_person = {person: np.flatnonzero(persons == person) for person in eligible}
    random = np.random.default_rng([seed, size, photos])
    for _ in range(draws):
        enrolled = np.sort(random.choice(eligible, size, replace=False))
        yield enrolled, np.stack([random.choice(of_person[person], photos, replace=False) for person in enrolled])


def identify_in_galleries(
    photos: Photos, size: int, photos_each: int, threshold: float, *, draws: int = 200, seed: int = 0
) -> Outcome:
    """Identifies all other photos in each drawn gallery; arguments as for `sample_galleries`.

    Args:
        threshold: the least score for a name.
    """
    everybody = int(photos.persons.max()) + 1
    outcome = Outcome(
        *(np.zeros(everybody, np.int64) for _ in range(5)),
        *(np.zeros((everybody, everybody), np.int64) for _ in range(2)),
        *(np.zeros(0) for _ in range(4)),
    )
    kept: list[list[np.ndarray]] = [[], [], [], []]
    for enrolled, places in sample_galleries(photos.persons, size, photos_each, draws, seed=seed):
        means = photos.enrolled[places].sum(axis=1)
        templates = means / np.linalg.norm(means, axis=1, keepdims=True)
        asked = photos.used.copy()
        asked[places] = False
        is_known = np.isin(photos.persons, enrolled)
        np.add.at(outcome.known, photos.persons[asked & is_known], 1)
        decided = np.flatnonzero(asked & photos.found)
        persons = photos.persons[decided]
        scores = photos.probes[decided] @ templates.T
        best = scores.argmax(axis=1)
        best_scores, best_persons = scores[np.arange(len(best)), best], enrolled[best]
        known, named = is_known[decided], best_scores >= threshold
        np.add.at(outcome.known_found, persons[known], 1)
        np.add.at(outcome.right, persons[known & named & (best_persons == persons)], 1)
        np.add.at(outcome.wrong, persons[known & named & (best_persons != persons)], 1)
        np.add.at(outcome.strangers, persons[~known], 1)
        np.add.at(outcome.named, (persons[~known & named], best_persons[~known & named]), 1)
        outcome.met[:, enrolled] += np.bincount(persons[~known], minlength=everybody)[:, None]
        own = np.where(best_persons == persons, best_scores, -np.inf)
        for values, more in zip(kept, (own[known], persons[known], best_scores[~known], persons[~known]), strict=True):
            values.append(more)
    outcome.known_scores, outcome.known_persons, outcome.stranger_scores, outcome.stranger_persons = (
        np.concatenate(values) for values in kept
    )
    return outcome


def pool_outcomes(outcomes: Sequence[Outcome]) -> Outcome:
    """The outcomes of the same persons, such as those of several face heights, taken together."""
    fields = [field.name for field in dataclasses.fields(Outcome)]
    parts = {name: [getattr(outcome, name) for outcome in outcomes] for name in fields}
    return Outcome(**{
        name: np.concatenate(values) if name.endswith(("_scores", "_persons")) else np.sum(values, axis=0)
        for name, values in parts.items()
    })  # fmt: skip


def false_positive_rate(outcome: Outcome, seed: int = 0) -> tuple[float, tuple[float, float]]:
    """FPIR over all draws, and its 95 % interval over persons.

    Persons are drawn with replacement; a decision counts as often as the product of the stranger's and the enrolled
    person's number of times (the pigeonhole bootstrap of `significance.paired_members_interval`).

    Raises:
        ValueError: nothing was decided about a stranger.
    """
    if outcome.strangers.sum() == 0:
        raise ValueError("Nothing was decided about a stranger.")
    size = outcome.met.sum() / outcome.strangers.sum()  # persons in a gallery
    rates = []
    for times in _drawn_persons(len(outcome.strangers), seed):
        decisions = times @ outcome.met @ times / size
        if decisions > 0:
            rates.append(min(1.0, times @ outcome.named @ times / decisions))
    return float(outcome.named.sum() / outcome.strangers.sum()), _interval(rates)


def known_share(outcome: Outcome, counts: np.ndarray, seed: int = 0) -> tuple[float, tuple[float, float]]:
    """The share of photos of enrolled persons that `counts`, one of `Outcome`'s, holds; 95 % interval over persons.

    Raises:
        ValueError: nobody was enrolled who has another photo.
    """
    if outcome.known.sum() == 0:
        raise ValueError("No photo of an enrolled person was asked about.")
    rates = []
    for times in _drawn_persons(len(counts), seed):
        if times @ outcome.known > 0:
            rates.append(times @ counts / (times @ outcome.known))
    return float(counts.sum() / outcome.known.sum()), _interval(rates)


def tpir_at_fpir(outcome: Outcome, fpir: float, seed: int = 0) -> tuple[float, tuple[float, float], float]:
    """TPIR at the threshold that gives these very strangers that FPIR: (TPIR, 95 % interval over persons, threshold).

    Such a threshold is known only afterwards; it compares networks and promises nothing.
    """
    order = np.argsort(-outcome.stranger_scores, kind="stable")
    falling, strangers = outcome.stranger_scores[order], outcome.stranger_persons[order]

    def at(times: np.ndarray) -> tuple[float, float] | None:
        weights = times[strangers]
        photos = times @ outcome.known
        if weights.sum() == 0 or photos == 0:
            return None
        allowed = int(np.searchsorted(np.cumsum(weights), fpir * weights.sum(), side="right"))
        threshold = np.nextafter(falling[min(allowed, len(falling) - 1)], np.float32(np.inf))
        right = outcome.known_scores >= threshold
        return float(times[outcome.known_persons] @ right / photos), float(threshold)

    everybody = at(np.ones(len(outcome.known)))
    if everybody is None:
        raise ValueError("TPIR at an FPIR needs strangers and enrolled persons who were asked about.")
    resampled = [at(times) for times in _drawn_persons(len(outcome.known), seed, RESAMPLES // 5)]
    return everybody[0], _interval([rates[0] for rates in resampled if rates is not None]), everybody[1]


def det_curve(outcome: Outcome, points: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """(FPIR [k], 1 - TPIR [k]), the detection error tradeoff (Martin et al. 1997), at up to `points` thresholds."""
    thresholds = np.unique(np.quantile(outcome.stranger_scores, 1 - np.geomspace(1e-4, 1, points)))
    strangers = np.sort(outcome.stranger_scores)
    known = np.sort(outcome.known_scores)
    false = 1 - np.searchsorted(strangers, thresholds) / len(strangers)
    right = (len(known) - np.searchsorted(known, thresholds)) / outcome.known.sum()
    return false, 1 - right


def _drawn_persons(persons: int, seed: int, resamples: int = RESAMPLES) -> Iterator[np.ndarray]:
    random = np.random.default_rng(seed)
    for _ in range(resamples):
        yield np.bincount(random.integers(0, persons, persons), minlength=persons).astype(np.float64)


def _interval(rates: list[float]) -> tuple[float, float]:
    low, high = np.quantile(rates, [0.025, 0.975])
    return float(low), float(high)
