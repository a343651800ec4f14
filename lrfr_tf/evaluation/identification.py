"""Closed-set identification: ranks, top-k accuracy and the cumulative match characteristic."""

import numpy as np

COMPARISONS_AT_ONCE = 2**24  # bounds the memory of `ranks`


def ranks(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The rank of the true class among all classes, 1 = best.

    Ties count against us: every class with a score equal to the true one's is put before it, so a head that answers
    the same for all classes has rank `classes`, not 1. A score that is not a number counts against us too.

    Args:
        scores: float [n, classes], higher is better.
        labels: int [n], the true classes.

    Returns:
        int64 [n], in 1 .. classes.
    """
    images, classes = scores.shape
    found = np.empty(images, np.int64)
    step = max(1, COMPARISONS_AT_ONCE // classes)
    for start in range(0, images, step):
        chunk = scores[start : start + step]
        true = np.take_along_axis(chunk, labels[start : start + step, None], axis=1)
        found[start : start + step] = classes - np.sum(chunk < true, axis=1)
    return found


def rank_misses_last(ranks: np.ndarray, usable: np.ndarray, classes: int) -> np.ndarray:
    """Ranks int64 [n] with `classes + 1` where `usable`, bool [n], is False: a miss is never right for k <= classes."""
    return np.where(usable, ranks, classes + 1)


def top_k(ranks: np.ndarray, k: int) -> float:
    """The share of images whose true class is among the first k, in [0, 1]; k is at most the number of classes.

    Raises:
        ValueError: there are no images.
    """
    if len(ranks) == 0:
        raise ValueError("An accuracy needs at least one image.")
    return float(np.mean(ranks <= k))


def cmc(ranks: np.ndarray, k_max: int) -> np.ndarray:
    """The cumulative match characteristic: float64 [k_max], top-k accuracy for k = 1 .. k_max.

    Raises:
        ValueError: there are no images.
    """
    return np.array([top_k(ranks, k) for k in range(1, k_max + 1)])
