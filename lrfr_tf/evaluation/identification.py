"""Closed-set identification: ranks, top-k, CMC, and the comparison of methods on the same test images."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from lrfr_tf.evaluation.significance import bootstrap_interval, mcnemar

MISS_RANK = int(np.iinfo(np.int64).max)  # the rank of a test image without a usable face: beyond every k
SCORES_AT_ONCE = 2**24  # comparisons held in memory


@dataclasses.dataclass(frozen=True)
class Accuracy:
    """Accuracy over one set of test images; without an image every figure is None.

    Attributes:
        images: number of test images.
        identities: number of distinct true identities among them.
        top1, top5: share of images whose true class is first, or among the first five, in [0, 1].
        top1_interval, top5_interval: 95 % bootstrap intervals over images.
    """

    images: int
    identities: int
    top1: float | None
    top5: float | None
    top1_interval: tuple[float, float] | None
    top5_interval: tuple[float, float] | None


@dataclasses.dataclass(frozen=True)
class MethodAccuracy:
    """One row of the identification table.

    Attributes:
        all: over all test images; a miss is wrong.
        detected: over the images in which the detector found a face in this method's version.
        intersection: over the images in which it found a face in every method's version.
        p_against_baseline: McNemar p-value of top-1 over all images; None for the baseline, and without one.
    """

    all: Accuracy
    detected: Accuracy
    intersection: Accuracy
    p_against_baseline: float | None


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
    step = max(1, SCORES_AT_ONCE // classes)
    for start in range(0, images, step):
        chunk = scores[start : start + step]
        true = np.take_along_axis(chunk, labels[start : start + step, None], axis=1)
        found[start : start + step] = classes - np.sum(chunk < true, axis=1)
    return found


def with_misses(ranks: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """Ranks int64 [n] with `MISS_RANK` where `usable`, bool [n], is False: a miss is never right, whatever k is."""
    return np.where(usable, ranks, MISS_RANK)


def top_k(ranks: np.ndarray, k: int) -> float:
    """The share of images whose true class is among the first k, in [0, 1]; NaN without an image."""
    return float(np.mean(ranks <= k)) if len(ranks) else float("nan")


def cmc(ranks: np.ndarray, k_max: int) -> np.ndarray:
    """The cumulative match characteristic: float64 [k_max], top-k accuracy for k = 1 .. k_max."""
    return np.array([top_k(ranks, k) for k in range(1, k_max + 1)])


def measure_accuracy(ranks: np.ndarray, labels: np.ndarray, chosen: np.ndarray) -> Accuracy:
    """Accuracy over the test images that `chosen`, bool [n], names.

    Args:
        ranks: int64 [n], `MISS_RANK` for a miss.
        labels: int [n], the true classes; they serve to count identities.
    """
    ranks, labels = ranks[chosen], labels[chosen]
    if len(ranks) == 0:
        return Accuracy(0, 0, None, None, None, None)
    return Accuracy(
        images=len(ranks),
        identities=len(np.unique(labels)),
        top1=top_k(ranks, 1),
        top5=top_k(ranks, 5),
        top1_interval=bootstrap_interval(ranks <= 1),
        top5_interval=bootstrap_interval(ranks <= 5),
    )


def compare_methods(
    ranks: Mapping[str, np.ndarray],
    detected: Mapping[str, np.ndarray],
    labels: np.ndarray,
    baseline: str = "bicubic",
) -> dict[str, MethodAccuracy]:
    """The identification table: every method over all, its detected and the commonly detected test images.

    Args:
        ranks: method -> int64 [n], `MISS_RANK` for a miss; the same images in the same order for every method.
        detected: method -> bool [n], the detector found a face.
        labels: int [n], the true classes.
        baseline: the method that McNemar's test compares with.
    """
    everywhere = np.logical_and.reduce([detected[method] for method in ranks])
    table = {}
    for method, found in ranks.items():
        p_value = None
        if baseline in ranks and method != baseline:
            p_value = mcnemar(found <= 1, ranks[baseline] <= 1)
        table[method] = MethodAccuracy(
            all=measure_accuracy(found, labels, np.ones(len(labels), dtype=bool)),
            detected=measure_accuracy(found, labels, detected[method]),
            intersection=measure_accuracy(found, labels, everywhere),
            p_against_baseline=p_value,
        )
    return table
