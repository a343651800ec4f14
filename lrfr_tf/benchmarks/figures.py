"""How the results of several benchmarks write the same figures, and how their tables print them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lrfr_tf.evaluation.significance import bootstrap_interval
from lrfr_tf.evaluation.verification import Difference, FoldAccuracy


def accuracy_figures(accuracy: FoldAccuracy) -> dict[str, Any]:
    """The accuracy of a verification: the mean with its interval, and what each fold has."""
    return {
        "mean": accuracy.mean,
        "standard_error": accuracy.standard_error,
        "interval_95": list(bootstrap_interval(accuracy.correct)),
        "folds": accuracy.accuracies.tolist(),
        "thresholds": accuracy.thresholds.tolist(),
    }


def difference_figures(difference: Difference) -> dict[str, Any]:
    """A paired difference of two accuracies, with its intervals over pairs and over persons."""
    return {
        "mean": difference.mean,
        "interval_95": list(difference.over_pairs),
        "interval_95_over_persons": list(difference.over_persons),
    }


def pack_correct(correct: np.ndarray) -> str:
    """Which answers are right: a bit for each, eight to a byte, first answer first, in hexadecimal."""
    return np.packbits(correct).tobytes().hex()


def read_correct(row: Mapping[str, Any], count: int) -> np.ndarray:
    """`correct` of a row, made by `pack_correct`, as bool [count].

    Raises:
        ValueError: it is missing or of another number of answers.
    """
    bits = np.unpackbits(np.frombuffer(bytes.fromhex(str(row.get("correct", ""))), np.uint8))
    if (len(bits) + 7) // 8 != (count + 7) // 8 or bits[count:].any():
        raise ValueError("The row does not say of each pair whether it is right.")
    return bits[:count].astype(bool)


def format_interval(ends: Sequence[float], form: str) -> str:
    """An interval of shares in per cent, such as "[97.10, 98.20]"; `form` is that of a number, such as ".2f"."""
    return "[{}, {}]".format(*(format(100 * end, form) for end in ends))
