"""How well an embedder does on QMUL-SurvFace: verification of pairs, and open-set identification."""

from pathlib import Path
from typing import Any

import numpy as np

from lrfr_tf.benchmarks.curves import draw_curves
from lrfr_tf.benchmarks.published import published_lines
from lrfr_tf.benchmarks.stream import embed_all, embed_files, stretched
from lrfr_tf.benchmarks.survface_files import OpenSet, VerificationPairs
from lrfr_tf.errors import UserError
from lrfr_tf.evaluation.open_set import (
    RANK,
    mean_templates,
    open_set_auc,
    open_set_curve,
    reduce_mated,
    reduce_unmated,
    tpir_at_fpir,
)
from lrfr_tf.evaluation.significance import bootstrap_interval
from lrfr_tf.evaluation.verification import fold_accuracy, roc_auc, roc_curve, tar_at_far
from lrfr_tf.networks.embedding import Embedder

TASKS = ("verification", "identification")
RATES = (0.3, 0.1, 0.01, 0.001)  # false accept rates of the verification
ALARM_RATES = (0.3, 0.2, 0.1, 0.01)  # FPIR of the identification
FOLDS = 10
COLUMN = 16  # width of a column of the table

CROPS = (
    "QMUL-SurvFace: each image resized to {side} x {side} (bicubic, aspect ignored), no alignment; cosine of the "
    "embeddings"
)
VERIFICATION = (
    "Verification: TAR at a FAR by linear interpolation between the points of the ROC curve. Mean accuracy: ten "
    "contiguous folds of each list, the threshold of a fold being the best of the other nine."
)
IDENTIFICATION = (
    "Open-set identification: the template of an identity is the mean of its gallery images' unit-length embeddings. A "
    "mated probe is right if its identity is among the 20 best templates (ties count against it) and reaches the "
    "threshold; FPIR is the share of unmated probes whose best similarity reaches it. TPIR20 at an FPIR by linear "
    "interpolation; AUC is the area under TPIR20(FPIR)."
)

Curve = tuple[np.ndarray, np.ndarray]


def protocol(tasks: tuple[str, ...], side: int, flip: bool) -> str:
    """The protocol in words, for the result; `side` is that of the faces that the embedder is given, in pixels."""
    flipped = ", averaged over a face and its mirror image" if flip else ""
    rules = {"verification": VERIFICATION, "identification": IDENTIFICATION}
    return " ".join([f"{CROPS.format(side=side)}{flipped}.", *(rules[task] for task in tasks)])


def verify_pairs(embedder: Embedder, pairs: VerificationPairs) -> tuple[dict[str, Any], Curve]:
    """Verification: metrics (shares in [0, 1]), and the ROC curve (FAR, TAR). Each image is embedded once.

    Raises:
        UserError: there are fewer than two pairs of a kind, or an image cannot be read.
    """
    if min(np.sum(pairs.same), np.sum(~pairs.same)) < 2:
        raise UserError("Each list of pairs needs two pairs at least, for the accuracy in folds.")
    embeddings = embed_all(embedder, pairs.images, stretched, "embed pairs")
    similarities = np.einsum("nd,nd->n", embeddings[pairs.first], embeddings[pairs.second])
    accuracy = fold_accuracy(similarities, pairs.same, contiguous_folds(pairs.same))
    metrics = {
        "tar_at_far": {str(far): tar_at_far(similarities, pairs.same, far) for far in RATES},
        "auc": roc_auc(similarities, pairs.same),
        "accuracy": {
            "mean": accuracy.mean,
            "standard_error": accuracy.standard_error,
            "interval_95": list(bootstrap_interval(accuracy.correct)),
            "folds": accuracy.accuracies.tolist(),
            "thresholds": accuracy.thresholds.tolist(),
        },
        "counts": {"pairs": len(pairs.same), "matched": int(pairs.same.sum()), "images": len(pairs.images)},
    }
    return metrics, roc_curve(similarities, pairs.same)


def contiguous_folds(same: np.ndarray) -> np.ndarray:
    """The fold of each pair, int64 [n]: each kind is cut into ten runs of equal length (fewer where pairs are few)."""
    folds = np.empty(len(same), np.int64)
    count = min(FOLDS, int(same.sum()), int(np.sum(~same)))
    for kind in (same, ~same):
        folds[kind] = np.arange(kind.sum()) * count // kind.sum()
    return folds


def identify_open_set(embedder: Embedder, faces: OpenSet) -> tuple[dict[str, Any], Curve]:
    """Open-set identification: metrics (shares in [0, 1]), and the curve (FPIR, TPIR at rank 20).

    All images are streamed. What stays in memory is a template for each identity and a few numbers for each probe.

    Raises:
        UserError: an image cannot be read.
    """
    gallery = embed_files(embedder, faces.gallery, stretched, "embed gallery")
    templates = mean_templates(gallery, faces.gallery_labels)
    start, own, ranks = 0, [], []
    for chunk in embed_files(embedder, faces.mated, stretched, "embed mated"):
        scores, places = reduce_mated(chunk, faces.mated_labels[start : start + len(chunk)], templates)
        own.append(scores)
        ranks.append(places)
        start += len(chunk)
    unmated = embed_files(embedder, faces.unmated, stretched, "embed unmated")
    outcome = (
        np.concatenate(own),
        np.concatenate(ranks),
        np.concatenate([reduce_unmated(chunk, templates) for chunk in unmated]),
    )
    within = outcome[1] <= RANK
    metrics = {
        "tpir20_at_fpir": {str(fpir): tpir_at_fpir(*outcome, fpir) for fpir in ALARM_RATES},
        "auc": open_set_auc(*outcome),
        "closed_set": {
            "rank_1": float(np.mean(outcome[1] == 1)),
            f"rank_{RANK}": float(within.mean()),
            f"rank_{RANK}_interval_95": list(bootstrap_interval(within)),
        },
        "counts": {
            "identities": faces.identities,
            "gallery": len(faces.gallery),
            "mated": len(faces.mated),
            "unmated": len(faces.unmated),
        },
    }
    return metrics, open_set_curve(*outcome)


def survface_lines(result: dict[str, Any]) -> list[str]:
    """The result as lines of text with the published rows below; all in per cent."""
    lines = [f"{result['model']['name']} on QMUL-SurvFace, in per cent"]
    verification, identification = (result[task] for task in TASKS)
    if verification is not None:
        columns = [f"TAR at FAR {100 * far:g} %" for far in RATES] + ["AUC", "accuracy"]
        figures = [*verification["tar_at_far"].values(), verification["auc"], verification["accuracy"]["mean"]]
        counts = verification["counts"]
        lines += ["", f"verification of {counts['pairs']:,} pairs, {counts['matched']:,} of them matched"]
        lines += [_row(columns), _row([f"{100 * figure:.2f}" for figure in figures]), "published, on QMUL-SurvFace:"]
        lines += published_lines("survface", columns, COLUMN)
    if identification is not None:
        counts = identification["counts"]
        columns = [f"TPIR20 at {100 * fpir:g} %" for fpir in ALARM_RATES] + ["AUC", "rank-20, closed"]
        figures = [*identification["tpir20_at_fpir"].values(), identification["auc"]]
        figures.append(identification["closed_set"][f"rank_{RANK}"])
        lines += [
            "",
            f"open-set identification: {counts['mated']:,} mated and {counts['unmated']:,} unmated probes, "
            f"{counts['identities']:,} persons in the gallery; TPIR20 at FPIR",
            _row(columns),
            _row([f"{100 * figure:.2f}" for figure in figures]),
        ]
        published = published_lines("survface", columns[:-2], COLUMN)
        lines += ["published, on QMUL-SurvFace:", *published] if published else []
    return lines


def draw_survface(output: Path, name: str, curves: dict[str, Curve]) -> None:
    """Draws the curve of each task beside the result: `.roc.png` and `.open_set.png`."""
    if "verification" in curves:
        far, tar = curves["verification"]
        draw_curves(
            output.with_suffix(".roc.png"), "QMUL-SurvFace verification", "false accept rate", "true accept rate",
            {name: (far, tar)}, log_x=True,
        )  # fmt: skip
    if "identification" in curves:
        fpir, tpir = curves["identification"]
        draw_curves(
            output.with_suffix(".open_set.png"), "QMUL-SurvFace open-set identification",
            "false positive identification rate", "true positive identification rate at rank 20", {name: (fpir, tpir)},
            log_x=True,
        )  # fmt: skip


def _row(texts: list[str]) -> str:
    return " ".join(f"{text:>{COLUMN}}" for text in texts)
