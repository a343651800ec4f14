"""LFW's verification as the low-resolution papers report it: a grid of thresholds, the mean and spread over folds.

Low-resolution LFW (Lai & Lam 2021) compares image 1 as it is with image 2 at S pixels. The threshold of a fold is the
one of 10,001 values from -1 to 1 that classifies most pairs of the other folds correctly, the last of equally good
ones.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lrfr_tf.benchmarks.figures import difference_figures, pack_correct, read_correct
from lrfr_tf.errors import UserError
from lrfr_tf.evaluation.significance import bootstrap_interval
from lrfr_tf.evaluation.verification import FoldAccuracy, compare, roc_auc, tar_at_far

GRID = 10_001
FALSE_ACCEPT_RATES = (0.01, 0.001)


def grid_accuracy(similarities: np.ndarray, same: np.ndarray, folds: np.ndarray, values: int = GRID) -> FoldAccuracy:
    """The accuracy with each fold's threshold chosen on the other folds out of evenly spaced values in [-1, 1].

    Args:
        similarities: float [n], cosines.
        same: bool [n], the truth.
        folds: int [n], the fold of each pair; two different ones at least.
        values: how many thresholds there are; of equally good ones the largest is taken ("last best wins").

    Raises:
        ValueError: there is one fold only, lengths differ, or a similarity is not a number.
    """
    similarities, same, folds = np.asarray(similarities, np.float64), np.asarray(same, bool), np.asarray(folds)
    if not similarities.shape == same.shape == folds.shape or np.isnan(similarities).any():
        raise ValueError("Each pair needs a similarity, a truth and a fold.")
    numbers = np.unique(folds)
    if len(numbers) < 2:
        raise ValueError("The threshold of a fold comes from the others, so two are needed.")
    grid = np.linspace(-1.0, 1.0, values)
    # For each fold, how many of its pairs every threshold classifies correctly; the other folds: the sum less it.
    counts = np.stack([_correct(similarities[folds == number], same[folds == number], grid) for number in numbers])
    elsewhere = counts.sum(axis=0) - counts
    best = values - 1 - np.argmax(elsewhere[:, ::-1], axis=1)
    thresholds = grid[best]
    places = np.searchsorted(numbers, folds)
    correct = (similarities >= thresholds[places]) == same
    accuracies = np.array([correct[folds == number].mean() for number in numbers])
    return FoldAccuracy(correct, accuracies, thresholds)


def threshold_at_far(similarities: np.ndarray, same: np.ndarray, far: float) -> float:
    """The least threshold at which at most a share `far` of the mismatched pairs is accepted (similarity >= threshold).

    Args:
        similarities, same: as for `grid_accuracy`, with a mismatched pair.
        far: in [0, 1).

    Raises:
        ValueError: there is no mismatched pair, or `far` is out of range.
    """
    mismatched = np.sort(np.asarray(similarities, np.float64)[~np.asarray(same, bool)])[::-1]
    if len(mismatched) == 0 or not 0 <= far < 1:
        raise ValueError("A threshold at a false accept rate in [0, 1) needs mismatched pairs.")
    # Rounded, because 0.29 * 100 is 28.999999999999996.
    accepted = int(np.floor(round(far * len(mismatched), 9)))
    return float(np.nextafter(mismatched[accepted], np.inf))


def lfw_row(similarities: np.ndarray, same: np.ndarray, folds: np.ndarray) -> tuple[dict[str, Any], FoldAccuracy]:
    """What is reported of one probe size: accuracy, AUC, TAR and thresholds at FAR, and which pairs are right."""
    accuracy = grid_accuracy(similarities, same, folds)
    row = {
        "accuracy": accuracy.mean,
        # As NumPy and the published code have it: divided by the number of folds.
        "standard_deviation": float(accuracy.accuracies.std()),
        "interval_95": list(bootstrap_interval(accuracy.correct)),
        "folds": accuracy.accuracies.tolist(),
        "fold_thresholds": accuracy.thresholds.tolist(),
        "auc": roc_auc(similarities, same),
        "tar_at_far": {str(far): tar_at_far(similarities, same, far) for far in FALSE_ACCEPT_RATES},
        "threshold_at_far": {str(far): threshold_at_far(similarities, same, far) for far in FALSE_ACCEPT_RATES},
        "correct": pack_correct(accuracy.correct),
    }
    return row, accuracy


def differences(
    accuracies: Mapping[str, FoldAccuracy], baseline: Any, pairs_sha256: str, persons: np.ndarray, *, where: str
) -> dict[str, Any]:
    """The paired difference to another result at each probe size that both have.

    Args:
        accuracies: probe size, as text -> accuracy.
        baseline: the other result, as read from JSON.
        pairs_sha256: SHA-256 of the list of pairs, which must be the other's.
        persons: int [n, 2], who is in each pair.
        where: how messages call the other result.

    Returns:
        size -> mean, interval_95 (over pairs), interval_95_over_persons; positive where we are right more often.

    Raises:
        UserError: the other result is none of this tool, is of other pairs, or shares no size.
    """
    if not isinstance(baseline, dict) or not isinstance(baseline.get("sizes"), dict):
        raise UserError(f"{where} is no result of lrfr evaluate lfw.")
    if baseline.get("pairs_sha256") != pairs_sha256:
        raise UserError(f"{where} was measured on another list of pairs; a paired difference needs the same.")
    found: dict[str, Any] = {}
    for size, accuracy in accuracies.items():
        if size not in baseline["sizes"]:
            continue
        try:
            other = read_correct(baseline["sizes"][size], len(persons))
        except ValueError:
            raise UserError(f"{where} does not say of each pair whether it is right at {size} px.") from None
        found[size] = difference_figures(compare(accuracy.correct, other, persons))
    if not found:
        raise UserError(f"{where} has none of the probe sizes {', '.join(accuracies)}.")
    return found


def _correct(similarities: np.ndarray, same: np.ndarray, grid: np.ndarray) -> np.ndarray:
    accepted = same.sum() - np.searchsorted(np.sort(similarities[same]), grid)
    refused = np.searchsorted(np.sort(similarities[~same]), grid)
    return accepted + refused
