"""Verification: are two faces of one person? Accuracy in folds, the ROC curve, and two methods on the same pairs."""

import dataclasses

import numpy as np

from lrfr_tf.evaluation.significance import bootstrap_interval, paired_members_interval


@dataclasses.dataclass(frozen=True)
class FoldAccuracy:
    """How many pairs are told rightly, each fold with the threshold that suits the other folds best.

    Attributes:
        correct: bool [n], one for each pair.
        accuracies: float64 [folds].
        thresholds: float64 [folds]; a pair of that similarity or more is called one person.
    """

    correct: np.ndarray
    accuracies: np.ndarray
    thresholds: np.ndarray

    @property
    def mean(self) -> float:
        """The mean of the folds' accuracies, in [0, 1]."""
        return float(self.accuracies.mean())

    @property
    def standard_error(self) -> float:
        """The standard error of that mean over folds, as LFW reports it."""
        return float(self.accuracies.std(ddof=1) / np.sqrt(len(self.accuracies)))


@dataclasses.dataclass(frozen=True)
class Difference:
    """How much more often one method is right than another on the same pairs.

    Attributes:
        mean: difference of the shares of right pairs, in [-1, 1].
        over_pairs: 95 % bootstrap interval that takes pairs as independent. It is the usual one, and too narrow where
            pairs share images and persons.
        over_persons: 95 % bootstrap interval that draws persons, and with each all pairs that he or she is in.
    """

    mean: float
    over_pairs: tuple[float, float]
    over_persons: tuple[float, float]


def fold_accuracy(similarities: np.ndarray, same: np.ndarray, folds: np.ndarray) -> FoldAccuracy:
    """The accuracy by LFW's protocol (Huang et al. 2007, view 2): the threshold comes from the other folds.

    Args:
        similarities: float [n], larger is more alike.
        same: bool [n], the truth.
        folds: int [n], the fold of each pair; two different ones at least.

    Raises:
        ValueError: there is one fold only, lengths differ, or a similarity is not a number.
    """
    similarities, same = _checked(similarities, same)
    numbers = np.unique(folds)
    if len(folds) != len(same) or len(numbers) < 2:
        raise ValueError("Each pair needs a fold, and the threshold of a fold needs another fold.")
    correct = np.empty(len(same), bool)
    accuracies, thresholds = [], []
    for number in numbers:
        tested = folds == number
        threshold = best_threshold(similarities[~tested], same[~tested])
        correct[tested] = (similarities[tested] >= threshold) == same[tested]
        accuracies.append(correct[tested].mean())
        thresholds.append(threshold)
    return FoldAccuracy(correct, np.array(accuracies), np.array(thresholds))


def best_threshold(similarities: np.ndarray, same: np.ndarray) -> float:
    """The threshold that tells most pairs rightly: half-way between two similarities, or beyond all of them.

    Where several are equally good it is the middle one, so that a gap between the two kinds is halved.

    Args:
        similarities, same: as for `fold_accuracy`.
    """
    similarities, same = _checked(similarities, same)
    values = np.unique(similarities)
    candidates = np.concatenate([[values[0] - 1], (values[1:] + values[:-1]) / 2, [values[-1] + 1]])
    accepted = same.sum() - np.searchsorted(np.sort(similarities[same]), candidates)
    refused = np.searchsorted(np.sort(similarities[~same]), candidates)
    best = np.flatnonzero(accepted + refused == (accepted + refused).max())
    return float(candidates[best[len(best) // 2]])


def roc_curve(similarities: np.ndarray, same: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The ROC curve: for every threshold, which share of the mismatched and of the matched pairs is accepted.

    Args:
        similarities, same: as for `fold_accuracy`, with both kinds of pairs.

    Returns:
        (FAR float64 [m], TAR float64 [m]), both rising from 0 to 1; pairs of equal similarity make one step.

    Raises:
        ValueError: there is one kind of pairs only, lengths differ, or a similarity is not a number.
    """
    similarities, same = _checked(similarities, same)
    if same.all() or not same.any():
        raise ValueError("A ROC curve needs matched and mismatched pairs.")
    from sklearn.metrics import roc_curve as curve  # here, since recognizing people needs none of it

    far, tar, _ = curve(same, similarities, drop_intermediate=False)
    return far, tar


def roc_auc(similarities: np.ndarray, same: np.ndarray) -> float:
    """The area under the ROC curve: how often a matched pair is more alike than a mismatched one, ties counting half.

    Arguments and errors as for `roc_curve`.
    """
    from sklearn.metrics import auc

    return float(auc(*roc_curve(similarities, same)))


def tar_at_far(similarities: np.ndarray, same: np.ndarray, far: float) -> float:
    """The true accept rate at a false accept rate, on the straight lines between the points of the ROC curve.

    Args:
        similarities, same: as for `roc_curve`.
        far: in [0, 1].
    """
    return float(np.interp(far, *roc_curve(similarities, same)))  # where the curve rises straight up, its upper end


def compare(correct: np.ndarray, baseline: np.ndarray, persons: np.ndarray) -> Difference:
    """The paired comparison of two methods on the same pairs; each keeps the thresholds of its folds.

    Args:
        correct, baseline: bool [n], as in `FoldAccuracy`.
        persons: [n, 2], names or numbers: who is on the two images of each pair.
    """
    if not len(correct) == len(baseline) == len(persons):
        raise ValueError("Two methods are compared on the same pairs.")
    differences = correct.astype(np.float64) - baseline.astype(np.float64)
    return Difference(
        float(differences.mean()), bootstrap_interval(differences), paired_members_interval(differences, persons)
    )


def _checked(similarities: np.ndarray, same: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    similarities, same = np.asarray(similarities, np.float64), np.asarray(same, bool)
    if similarities.shape != same.shape or similarities.ndim != 1 or len(same) == 0:
        raise ValueError(f"Each pair needs one similarity and one truth, not {similarities.shape} and {same.shape}.")
    if np.isnan(similarities).any():
        raise ValueError("A similarity is not a number.")
    return similarities, same
