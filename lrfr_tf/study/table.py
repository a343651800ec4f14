"""The recognition table: methods x heads, over all test images, detected ones, and those that all methods detected.

A miss (no face found, so no embedding) counts as wrong. Figures carry 95 % bootstrap intervals over images; each
method is compared with bicubic on the same images by McNemar's test.
"""

import dataclasses
from typing import Any

import numpy as np

from lrfr_tf.data.embeddings import EmbeddingSet
from lrfr_tf.evaluation.identification import cmc
from lrfr_tf.evaluation.image_quality import finite_psnr, luma, ssim
from lrfr_tf.evaluation.significance import mcnemar, mean_with_interval

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
                "top_1": mean_with_interval(right[subset]),
            }
            if classes >= FEWEST_CLASSES_FOR_TOP_5:
                row[name]["top_5"] = mean_with_interval(within_5[subset])
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
        row: dict[str, Any] = {
            "images": int(chosen.sum()),
            "detected": mean_with_interval(tests[method].detected[chosen]),
        }
        if method != "hr":
            rgb = faces[chosen], high[chosen]
            for kind, pair in (("rgb", rgb), ("luma", [luma(images) for images in rgb])):
                row[f"psnr_{kind}"] = mean_with_interval(finite_psnr(*pair))
                row[f"ssim_{kind}"] = mean_with_interval(ssim(*pair))
        rows[method] = row
    return rows
