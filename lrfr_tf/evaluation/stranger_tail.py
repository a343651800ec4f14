"""How alike strangers get: the upper tail of the scores of faces against persons whom they do not show.

Above a start that a small share of the comparisons reaches, the excess over the start is taken to follow a generalized
Pareto distribution (Pickands 1975, Annals of Statistics), fitted by probability-weighted moments (Hosking & Wallis
1987, Technometrics): with a0 the mean of the excess and a1 the mean of excess * (1 - its distribution function),

    shape = 2 - a0 / (a0 - 2 a1)        scale = 2 a0 a1 / (a0 - 2 a1)

The score that a share p of the comparisons reaches is then start + scale / shape * ((p / share)^-shape - 1). How sure
it is, is told by drawing persons, not comparisons: those of one person are not independent of one another.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from lrfr_tf.plural import counted

SHARE = 0.02  # of the comparisons; the tail
BODY = (0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)  # shares whose scores are kept as they are
RESAMPLES = 300
MIN_PERSONS = 30
MIN_COMPARISONS_IN_TAIL = 50  # comparisons; fewer fit no distribution
PAIRS_KEPT = 500
FLAT = 1e-6  # a shape nearer to 0 than this is the exponential distribution


@dataclasses.dataclass(frozen=True)
class Quantile:
    """The score that a share of all stranger comparisons reaches, and what it rests on.

    Attributes:
        score: the score itself.
        interval: its 95 % interval, from a bootstrap over persons.
        pairs_beyond: number of pairs of different persons of whom at least one comparison is above it.
    """

    score: float
    interval: tuple[float, float]
    pairs_beyond: int


@dataclasses.dataclass(frozen=True)
class StrangerTail:
    """The tail of the stranger comparisons of some persons.

    Attributes:
        persons, comparisons: how many there were.
        start: the score at which the tail begins.
        share: of the comparisons above it, in (0, 1).
        shape, scale: of the generalized Pareto distribution of what exceeds `start`.
        resamples: (share, shape, scale) of each bootstrap sample of the persons.
        body: (share, score) of the comparisons below the tail, by rising share.
        pairs: the best score of each pair of persons above `start`, highest first, `PAIRS_KEPT` at most.
    """

    persons: int
    comparisons: int
    start: float
    share: float
    shape: float
    scale: float
    resamples: tuple[tuple[float, float, float], ...]
    body: tuple[tuple[float, float], ...]
    pairs: tuple[float, ...]

    def quantile(self, share: float) -> Quantile:
        """The score that `share` of the comparisons reaches, 0 < share <= 0.5.

        Raises:
            ValueError: the share is outside of that.
        """
        if not 0 < share <= BODY[-1]:
            raise ValueError(f"A share of stranger comparisons lies above 0 and is at most {BODY[-1]}, not {share}.")
        in_tail = self._exceeded_by(share, self.share, self.shape, self.scale)
        score = in_tail
        if share > self.share:
            shares, scores = zip((self.share, self.start), *self.body, strict=True)
            score = float(np.interp(np.log(share), np.log(shares), scores))
        resampled = [self._exceeded_by(share, *resample) for resample in self.resamples]
        low, high = np.quantile(resampled, [0.025, 0.975]) - in_tail + score
        beyond = sum(pair > score for pair in self.pairs)
        return Quantile(float(score), (float(low), float(high)), int(beyond))

    def _exceeded_by(self, share: float, of_all: float, shape: float, scale: float) -> float:
        ratio = share / of_all
        if abs(shape) < FLAT:
            return self.start - scale * float(np.log(ratio))
        return self.start + scale / shape * float(ratio**-shape - 1)


def fit_stranger_tail(
    scores: np.ndarray,
    probes: np.ndarray,
    templates: np.ndarray,
    *,
    share: float = SHARE,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> StrangerTail:
    """Fits the tail of the comparisons of different persons.

    Args:
        scores: float [P, T], of each probe against each template.
        probes, templates: int [P] and [T], whom they show; equal numbers are one person.
        share: of the comparisons, those that are the tail.
        resamples, seed: of the bootstrap.

    Raises:
        ValueError: there are fewer than `MIN_PERSONS` persons, too few comparisons for a tail, or a score is not a
            number.
    """
    persons = np.unique(np.concatenate([probes, templates]))
    if len(persons) < MIN_PERSONS:
        raise ValueError(f"The tail of strangers needs {MIN_PERSONS} persons at least, not {len(persons)}.")
    probes, templates = np.searchsorted(persons, probes), np.searchsorted(persons, templates)
    strangers = probes[:, None] != templates[None, :]
    of_strangers = scores[strangers]
    if not np.isfinite(of_strangers).all():
        raise ValueError("A score of a comparison is not a number.")
    if len(of_strangers) * share < MIN_COMPARISONS_IN_TAIL:
        raise ValueError(
            f"{counted(len(of_strangers), 'comparison')} of different persons cannot make a tail, being too few."
        )
    levels = np.quantile(of_strangers, [1 - share, *(1 - level for level in BODY if level > share)])
    start = float(levels[0])
    rows, columns = np.nonzero(strangers & (scores > start))
    excess = scores[rows, columns].astype(np.float64) - start
    order = np.argsort(excess)
    excess, firsts, seconds = excess[order], probes[rows[order]], templates[columns[order]]
    of_all = len(excess) / len(of_strangers)
    shape, scale = fit_pareto(excess, np.ones(len(excess)))
    drawn = _resample(
        excess,
        firsts,
        seconds,
        probes=probes,
        templates=templates,
        persons=len(persons),
        resamples=resamples,
        seed=seed,
    )
    body = tuple(zip((level for level in BODY if level > share), map(float, levels[1:]), strict=True))
    pairs = _best_of_pairs(excess + start, firsts, seconds, len(persons))
    return StrangerTail(
        len(persons), len(of_strangers), start, of_all, shape, scale, drawn, body, tuple(pairs[:PAIRS_KEPT])
    )


def fit_pareto(excess: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Shape and scale of a generalized Pareto distribution, by probability-weighted moments.

    Args:
        excess: float [n], above 0, ascending.
        weights: float [n], how often each occurs.
    """
    total = weights.sum()
    above = 1 - (np.cumsum(weights) - weights / 2) / total  # one less the distribution function
    a0 = float(weights @ excess) / total
    a1 = float((weights * above) @ excess) / total
    return float(2 - a0 / (a0 - 2 * a1)), float(2 * a0 * a1 / (a0 - 2 * a1))


def _resample(
    excess: np.ndarray,
    firsts: np.ndarray,
    seconds: np.ndarray,
    *,
    probes: np.ndarray,
    templates: np.ndarray,
    persons: int,
    resamples: int,
    seed: int,
) -> tuple[tuple[float, float, float], ...]:
    """(share, shape, scale) with persons drawn anew: a comparison counts as often as the product of its two persons.

    That is the pigeonhole bootstrap of `significance.paired_members_interval`.
    """
    random = np.random.default_rng(seed)
    probes_of, templates_of = (np.bincount(labels, minlength=persons) for labels in (probes, templates))
    found = []
    for _ in range(resamples):
        times = np.bincount(random.integers(0, persons, persons), minlength=persons).astype(np.float64)
        total = (times @ probes_of) * (times @ templates_of) - (times**2) @ (probes_of * templates_of)
        weights = times[firsts] * times[seconds]
        used = weights > 0
        if total <= 0 or used.sum() < MIN_COMPARISONS_IN_TAIL:
            continue  # a sample of so few distinct persons says nothing about a tail
        found.append((float(weights.sum() / total), *fit_pareto(excess[used], weights[used])))
    if not found:
        raise ValueError("Too few comparisons of different persons lie in the tail.")
    return tuple(found)


def _best_of_pairs(scores: np.ndarray, firsts: np.ndarray, seconds: np.ndarray, persons: int) -> Sequence[float]:
    """The best score of each pair of persons, whoever of them was the probe; highest first."""
    keys = np.minimum(firsts, seconds) * persons + np.maximum(firsts, seconds)
    _, numbers = np.unique(keys, return_inverse=True)
    best = np.full(numbers.max() + 1, -np.inf)
    np.maximum.at(best, numbers, scores)
    return [float(score) for score in np.sort(best)[::-1]]
