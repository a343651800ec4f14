"""Open-set identification (Cheng, Zhu & Gong 2018): probes of known persons, and strangers who must be turned away.

A mated probe is right at a threshold if its person is among the `RANK` templates most like it and that similarity
reaches the threshold; TPIR is the share of such probes. An unmated probe is a false alarm if the template most like it
reaches the threshold; FPIR is their share. So a mated probe comes down to two numbers, an unmated one to one.
"""

from collections.abc import Iterable

import numpy as np

from lrfr_tf.evaluation.identification import ranks
from lrfr_tf.evaluation.streamed_ranks import TIE
from lrfr_tf.evaluation.verification import roc_auc, roc_curve, tar_at_far

RANK = 20
NEVER = np.finfo(np.float32).min  # in place of a similarity: accepted at no threshold


def mean_templates(chunks: Iterable[np.ndarray], labels: np.ndarray, identities: int | None = None) -> np.ndarray:
    """The mean embedding of each identity, made unit length.

    Args:
        chunks: float32 [k, D] each, of unit length; together as long as `labels`.
        labels: int [n], 0 .. identities - 1.
        identities: how many there are; None: up to the highest label.

    Returns:
        float32 [identities, D]; zeros where an identity has no embedding, or they cancel out.

    Raises:
        ValueError: there are fewer or more embeddings than labels.
    """
    sums: np.ndarray | None = None
    start = 0
    for chunk in chunks:
        if sums is None:
            sums = np.zeros((int(labels.max()) + 1 if identities is None else identities, chunk.shape[1]))
        np.add.at(sums, labels[start : start + len(chunk)], chunk)
        start += len(chunk)
    if sums is None or start != len(labels):
        raise ValueError(f"{len(labels)} labels need as many embeddings, not {start}.")
    # The mean and the sum have one direction.
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    return (sums / np.maximum(lengths, np.finfo(np.float64).tiny)).astype(np.float32)


def mated_scores_and_ranks(
    probes: np.ndarray, labels: np.ndarray, templates: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What remains of a chunk of mated probes: similarity to the own template, and its rank (ties count against us).

    Args:
        probes: float32 [k, D], of unit length.
        labels: int [k], the right templates.
        templates: float32 [identities, D].

    Returns:
        (float32 [k], int64 [k])
    """
    scores = probes @ templates.T
    own = np.take_along_axis(scores, labels[:, None], axis=1)
    np.put_along_axis(scores, labels[:, None], own - TIE, axis=1)  # so that rounding breaks no tie in our favor
    return own[:, 0], ranks(scores, labels)


def unmated_best_scores(probes: np.ndarray, templates: np.ndarray) -> np.ndarray:
    """What remains of a chunk of unmated probes: the best similarity, float32 [k].

    Arguments as for `mated_scores_and_ranks`.
    """
    return (probes @ templates.T).max(axis=1)


def open_set_curve(
    mated: np.ndarray, mated_ranks: np.ndarray, unmated: np.ndarray, rank: int = RANK
) -> tuple[np.ndarray, np.ndarray]:
    """TPIR against FPIR for every threshold.

    Args:
        mated, mated_ranks: [n], as `mated_scores_and_ranks` gives them.
        unmated: float [m], as `unmated_best_scores` gives it.

    Returns:
        (FPIR float64 [k], TPIR float64 [k]); FPIR rises from 0 to 1, TPIR from 0 to the closed-set accuracy at `rank`.

    Raises:
        ValueError: there are no mated or no unmated probes, or a similarity is not a number.
    """
    fpir, tpir = roc_curve(*_as_pairs(mated, mated_ranks, unmated, rank))
    # A probe beyond the rank is right at no threshold; the ROC curve gets it at its last threshold, below all.
    reached = tpir <= np.mean(mated_ranks <= rank) + 0.5 / len(mated)
    return fpir[reached], tpir[reached]


def tpir_at_fpir(
    mated: np.ndarray, mated_ranks: np.ndarray, unmated: np.ndarray, fpir: float, *, rank: int = RANK
) -> float:
    """TPIR at an FPIR below 1, on the straight lines between the points of `open_set_curve`; arguments as there."""
    return tar_at_far(*_as_pairs(mated, mated_ranks, unmated, rank), fpir)


def open_set_auc(mated: np.ndarray, mated_ranks: np.ndarray, unmated: np.ndarray, rank: int = RANK) -> float:
    """The area under `open_set_curve`; arguments as there."""
    # The step up to the probes beyond the rank stands at FPIR = 1, where it adds no area.
    return roc_auc(*_as_pairs(mated, mated_ranks, unmated, rank))


def _as_pairs(
    mated: np.ndarray, mated_ranks: np.ndarray, unmated: np.ndarray, rank: int
) -> tuple[np.ndarray, np.ndarray]:
    """The same question as a ROC curve: mated probes are matched pairs, and one beyond the rank is never accepted."""
    return (
        np.concatenate([np.where(mated_ranks <= rank, mated, NEVER), unmated]),
        np.repeat([True, False], [len(mated), len(unmated)]),
    )
