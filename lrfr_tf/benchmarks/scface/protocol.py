"""What is reported of SCface: rank-1 by distance and camera, the CMC, and the difference to another result."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lrfr_tf.benchmarks.figures import pack_correct, read_correct
from lrfr_tf.benchmarks.scface.files import CAMERAS, Probe
from lrfr_tf.errors import UserError
from lrfr_tf.evaluation.identification import cmc, top_k
from lrfr_tf.evaluation.significance import bootstrap_interval, mean_with_interval

CMC_RANKS = 20


def distance_figures(found: np.ndarray, probes: Sequence[Probe], labels: np.ndarray, classes: int) -> dict[str, Any]:
    """What is reported of the probes of one distance.

    Args:
        found: int [n], the rank of each probe's person among the mugshots.
        labels: int [n], identities of the probes.
        classes: how many mugshots there are.
    """
    right = found == 1
    cameras = np.array([probe.camera for probe in probes])
    # Each person has the same number of probes, so the mean over persons of their shares is the mean over probes.
    shares = np.array([right[labels == label].mean() for label in np.unique(labels)])
    return {
        "rank_1": top_k(found, 1),
        "interval_95": list(bootstrap_interval(shares)),
        "interval_95_over_probes": list(bootstrap_interval(right)),
        "probes": len(probes),
        "cameras": {str(camera): float(right[cameras == camera].mean()) for camera in CAMERAS},
        "cmc": cmc(found, min(CMC_RANKS, classes)).tolist(),
        "correct": pack_correct(right),
    }


def differences(
    rows: Mapping[str, Mapping[str, Any]], persons: int, baseline: Any, checksum: str, *, where: str
) -> dict[str, dict[str, Any]]:
    """The difference of rank-1 to another result on the same images, with a bootstrap interval over persons.

    Args:
        rows: distance -> `distance_figures`.
        baseline: the other result, as read from JSON.
        checksum: `images_checksum`, which must be the other's.
        where: how messages call the other result.

    Returns:
        distance -> mean, interval_95; positive where we are right more often.

    Raises:
        UserError: the other result is none of this tool, or of other images.
    """
    if not isinstance(baseline, dict) or not isinstance(baseline.get("distances"), dict):
        raise UserError(f"{where} is no result of lrfr evaluate scface.")
    if baseline.get("images_sha256") != checksum:
        raise UserError(f"{where} was measured on other images; a paired difference needs the same.")
    found = {}
    for distance, row in rows.items():
        ours, theirs = (_correct(r, persons).mean(axis=1) for r in (row, baseline["distances"][distance]))
        found[distance] = mean_with_interval(ours - theirs)
    return found


def pooled_difference(results: Sequence[Mapping[str, Any]], baselines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The mean difference of rank-1 over all distances of several results of the same persons, in the same order.

    Returns:
        mean, interval_95 (bootstrap over persons); positive where `results` are right more often.

    Raises:
        UserError: results of different images or persons.
    """
    each = []
    for ours, theirs in zip(results, baselines, strict=True):
        persons = ours["counts"]["persons"]
        if ours["images_sha256"] != theirs["images_sha256"] or persons != results[0]["counts"]["persons"]:
            raise UserError("Results of different images or persons are not pooled.")
        for distance, row in ours["distances"].items():
            other = theirs["distances"][distance]
            each.append((_correct(row, persons) - _correct(other, persons)).mean(axis=1))
    return mean_with_interval(np.mean(each, axis=0))


def _correct(row: Mapping[str, Any], persons: int) -> np.ndarray:
    """`correct` of a row as float [persons, cameras]; probes are sorted by person, then camera."""
    return read_correct(row, persons * len(CAMERAS)).astype(np.float64).reshape(persons, len(CAMERAS))
