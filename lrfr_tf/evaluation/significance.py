"""How sure a figure is: bootstrap intervals and McNemar's test."""

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.stats

RESAMPLES_AT_ONCE = 100  # bounds the memory of the bootstrap to so many counts a distinct value


def mean_with_interval(values: np.ndarray) -> dict[str, Any]:
    """The "mean" of values, [n], and its "interval_95" as `bootstrap_interval` gives it; both None where n is 0."""
    if len(values) == 0:
        return {"mean": None, "interval_95": None}
    return {"mean": float(np.mean(values)), "interval_95": list(bootstrap_interval(values))}


def bootstrap_interval(
    values: np.ndarray, confidence: float = 0.95, resamples: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """The percentile bootstrap interval of the mean (Efron 1979).

    Drawing n of n values with replacement is the same as drawing how often each distinct value occurs from a
    multinomial distribution; for right-or-wrong values that is two counts a resample instead of n.

    Args:
        values: [n], numbers or booleans, n > 0; each is one image, taken as independent of the others.
        confidence: share of resampled means inside the interval, in (0, 1).
        resamples: number of resamples.
        seed: seed of the resampling.

    Returns:
        The lower and upper end.

    Raises:
        ValueError: there are no values.
    """
    if len(values) == 0:
        raise ValueError("A bootstrap interval needs at least one value.")
    distinct, counts = np.unique(np.asarray(values, dtype=np.float64), return_counts=True)
    shares = counts / len(values)
    return _interval(
        lambda draws: draws @ distinct / len(values), len(values), shares, confidence, resamples=resamples, seed=seed
    )


def paired_members_interval(
    values: np.ndarray, members: np.ndarray, *, confidence: float = 0.95, resamples: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """The percentile bootstrap interval of a mean over pairs, drawing the members of the pairs instead of the pairs.

    Values of pairs that share a person are not independent. Here persons are drawn with replacement; a pair of two
    persons counts as often as the product of the times that each was drawn, a pair of one person as often as he or she
    was drawn. It is Owen's "pigeonhole bootstrap" (2007, Annals of Applied Statistics) and errs to the wide side.

    Args:
        values: float [n], n > 0, one for each pair.
        members: [n, 2], who is in each pair; names or numbers.
        confidence, resamples, seed: as for `bootstrap_interval`.

    Returns:
        The lower and upper end.

    Raises:
        ValueError: there are no values, or `members` does not fit them.
    """
    values, members = np.asarray(values, np.float64), np.asarray(members)
    if len(values) == 0 or members.shape != (len(values), 2):
        raise ValueError(f"Pairs and their members are needed, not {values.shape} and {members.shape}.")
    everybody, numbers = np.unique(members, return_inverse=True)
    first, second = numbers.reshape(-1, 2).T
    alone = first == second

    def means(drawn: np.ndarray) -> np.ndarray:
        times = drawn[:, first] * np.where(alone, 1, drawn[:, second])
        total = times.sum(axis=1)
        # With a handful of persons a resample may hold no pair at all: it says nothing and is left out.
        return (times @ values)[total > 0] / total[total > 0]

    persons = len(everybody)
    return _interval(means, persons, np.full(persons, 1 / persons), confidence, resamples=resamples, seed=seed)


def grouped_interval(
    values: np.ndarray, groups: np.ndarray, *, confidence: float = 0.95, resamples: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """The percentile bootstrap interval of a mean over images, drawing the groups that they come in.

    Images of one person are not independent, so persons are drawn with replacement, each with all of his or her images.

    Args:
        values: float [n], n > 0, one for each image.
        groups: [n], which person each is of; names or numbers.
        confidence, resamples, seed: as for `bootstrap_interval`.

    Returns:
        The lower and upper end.

    Raises:
        ValueError: there are no values, or `groups` does not fit them.
    """
    values, groups = np.asarray(values, np.float64), np.asarray(groups)
    if len(values) == 0 or groups.shape != (len(values),):
        raise ValueError(f"Values and their groups are needed, not {values.shape} and {groups.shape}.")
    _, numbers = np.unique(groups, return_inverse=True)
    sums, counts = np.bincount(numbers, values), np.bincount(numbers)
    shares = np.full(len(sums), 1 / len(sums))
    return _interval(
        lambda drawn: drawn @ sums / (drawn @ counts), len(sums), shares, confidence, resamples=resamples, seed=seed
    )


def mcnemar(correct_a: np.ndarray, correct_b: np.ndarray) -> float:
    """The exact two-sided p-value of McNemar's test (1947): do two methods err equally often on the same images?

    Only images that one method gets right and the other wrong count; under the null hypothesis each of the two cases
    has probability 1/2, so the p-value is binomial. Without such an image it is 1.

    Args:
        correct_a, correct_b: bool [n], the same images in the same order.
    """
    correct_a, correct_b = np.asarray(correct_a, dtype=bool), np.asarray(correct_b, dtype=bool)
    if correct_a.shape != correct_b.shape:
        raise ValueError(f"McNemar's test needs the same images, not {len(correct_a)} and {len(correct_b)}.")
    only_a = int(np.sum(correct_a & ~correct_b))
    only_b = int(np.sum(correct_b & ~correct_a))
    if only_a + only_b == 0:
        return 1.0
    return float(scipy.stats.binomtest(only_a, only_a + only_b, 0.5).pvalue)


def _interval(
    means: Callable[[np.ndarray], np.ndarray],
    count: int,
    shares: np.ndarray,
    confidence: float,
    *,
    resamples: int,
    seed: int,
) -> tuple[float, float]:
    """The ends between which the middle `confidence` of resampled means lies.

    Args:
        means: takes resamples, int [k, items], how often each item was drawn, and gives their means, float [k].
        count: how many items are drawn each time, with the probabilities `shares`, float [items].
    """
    random = np.random.default_rng(seed)
    sizes = [min(RESAMPLES_AT_ONCE, resamples - start) for start in range(0, resamples, RESAMPLES_AT_ONCE)]
    resampled = np.concatenate([means(random.multinomial(count, shares, size=size)) for size in sizes])
    tail = (1.0 - confidence) / 2
    low, high = np.quantile(resampled, [tail, 1.0 - tail])
    return float(low), float(high)
