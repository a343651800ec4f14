"""The recognition table: methods x heads, over all test images, detected ones, and those that all methods detected.

A miss (no face found, so no embedding) counts as wrong. Figures carry 95 % bootstrap intervals over images; each
method is compared with bicubic on the same images by McNemar's test.
"""

import dataclasses
from typing import Any

import numpy as np

from lrfr_tf.data.embeddings import EmbeddingSet
from lrfr_tf.evaluation.identification import cmc
from lrfr_tf.evaluation.image_quality import luma, psnr, ssim
from lrfr_tf.evaluation.significance import bootstrap_interval, mcnemar

# Top-5 says nothing among a handful of classes.
FEWEST_CLASSES_FOR_TOP_5 = 11
CMC_RANKS = 20
BASELINE = "bicubic"


@dataclasses.dataclass(frozen=True)
class Recognition:
    """The outcome of one head on one method's test images.

    Attributes:
        method: whose images were tested, such as "srgan".
        head: "logistic", "mlp" or "cosine".
        trained_on: whose images the head was fitted on: "hr", or `method` itself.
        ranks: int [N], rank of the true identity, 1 is right; a miss has a rank beyond the last class.
    """

    method: str
    head: str
    trained_on: str
    ranks: np.ndarray


def recognition_rows(
    recognitions: list[Recognition], tests: dict[str, EmbeddingSet], chosen: np.ndarray, classes: int
) -> list[dict[str, Any]]:
    """One row for each recognition, over the test images that `chosen` (bool [N]) keeps.

    Args:
        tests: method -> its test embeddings, all with the same paths.
        classes: number of identities that a head chooses from.
    """
    everywhere = np.logical_and.reduce([test.detected for test in tests.values()]) & chosen
    labels = next(iter(tests.values())).labels
    correct = {(r.method, r.head, r.trained_on): r.ranks == 1 for r in recognitions}
    rows = []
    for recognition in recognitions:
        method = recognition.method
        right = correct[(method, recognition.head, recognition.trained_on)]
        within_5 = recognition.ranks <= 5
        row: dict[str, Any] = {"method": method, "head": recognition.head, "trained_on": recognition.trained_on}
        for name, subset in (
            ("all", chosen),
            ("detected", tests[method].detected & chosen),
            ("intersection", everywhere),
        ):
            row[name] = {
                "images": int(subset.sum()),
                "identities": len(np.unique(labels[subset])),
                "top_1": rate(right[subset]),
            }
            if classes >= FEWEST_CLASSES_FOR_TOP_5:
                row[name]["top_5"] = rate(within_5[subset])
        # The baseline's head was fitted the same way: on HR, or on its own images.
        fitted_on = "hr" if recognition.trained_on == "hr" else BASELINE
        baseline = correct.get((BASELINE, recognition.head, fitted_on))
        if baseline is not None and method != BASELINE:
            row["p_against_bicubic"] = mcnemar(right[chosen], baseline[chosen])
        row["cmc"] = cmc(recognition.ranks[chosen], min(CMC_RANKS, classes)).tolist()
        rows.append(row)
    return rows


def quality_rows(
    images: dict[str, np.ndarray], high: np.ndarray, tests: dict[str, EmbeddingSet], chosen: np.ndarray
) -> dict[str, dict[str, Any]]:
    """Detection rate, and PSNR and SSIM against HR on RGB and on luma, for each method.

    Args:
        images: method -> uint8 [N, S, S, 3]; HR itself may be among them and gets no PSNR.
        high: uint8 [N, S, S, 3].
    """
    rows = {}
    for method, faces in images.items():
        row: dict[str, Any] = {"images": int(chosen.sum()), "detected": rate(tests[method].detected[chosen])}
        if method != "hr":
            row["psnr_rgb"] = _mean(_finite(psnr(faces[chosen], high[chosen])))
            row["ssim_rgb"] = _mean(ssim(faces[chosen], high[chosen]))
            luma_faces, luma_high = luma(faces[chosen]), luma(high[chosen])
            row["psnr_luma"] = _mean(_finite(psnr(luma_faces, luma_high)))
            row["ssim_luma"] = _mean(ssim(luma_faces, luma_high))
        rows[method] = row
    return rows


def _finite(decibels: np.ndarray) -> np.ndarray:
    """Images equal to HR have an infinite PSNR, which no mean and no JSON can hold: they count as 100 dB."""
    return np.minimum(decibels, 100.0)


def rate(values: np.ndarray) -> dict[str, Any]:
    """The share of images for which something holds, bool [n], with its 95 % interval; both None without an image."""
    return _mean(values.astype(np.float64)) if len(values) else {"mean": None, "interval_95": None}


def _mean(values: np.ndarray) -> dict[str, Any]:
    low, high = bootstrap_interval(values)
    return {"mean": float(values.mean()), "interval_95": [float(low), float(high)]}
