"""How well an embedder does on QMUL-SurvFace: verification of pairs, and open-set identification."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lrfr_tf.benchmarks.benchmark_folders import find_entry
from lrfr_tf.benchmarks.curves import draw_curves
from lrfr_tf.benchmarks.embed_crops import embed_all, embed_files, stretch_to_square
from lrfr_tf.benchmarks.figures import accuracy_figures
from lrfr_tf.benchmarks.interface import Measured, Note
from lrfr_tf.benchmarks.published import DSN, Published, published_lines
from lrfr_tf.benchmarks.survface.files import (
    ARCHIVE,
    IDENTIFICATION,
    VERIFICATION,
    OpenSet,
    VerificationPairs,
    find_open_set,
    find_verification_pairs,
    survface_root,
)
from lrfr_tf.config import option, required
from lrfr_tf.errors import UserError
from lrfr_tf.evaluation.open_set import (
    RANK,
    mated_scores_and_ranks,
    mean_templates,
    open_set_auc,
    open_set_curve,
    tpir_at_fpir,
    unmated_best_scores,
)
from lrfr_tf.evaluation.significance import bootstrap_interval
from lrfr_tf.evaluation.verification import fold_accuracy, roc_auc, roc_curve, tar_at_far
from lrfr_tf.networks.embedding import BACKBONES, Embedder
from lrfr_tf.plural import counted

TASKS = ("verification", "identification")
RATES = (0.3, 0.1, 0.01, 0.001)  # false accept rates of the verification
ALARM_RATES = (0.3, 0.2, 0.1, 0.01)  # FPIR of the identification
FOLDS = 10
COLUMN = 16  # width of a column of the table

CROP_PROTOCOL = (
    "QMUL-SurvFace: each image resized to {side} x {side} (bicubic, aspect ignored), no alignment; cosine of the "
    "embeddings"
)
VERIFICATION_RULES = (
    "Verification: TAR at a FAR by linear interpolation between the points of the ROC curve. Mean accuracy: ten "
    "contiguous folds of each list, the threshold of a fold being the best of the other nine."
)
IDENTIFICATION_RULES = (
    "Open-set identification: the template of an identity is the mean of its gallery images' unit-length embeddings. A "
    "mated probe is right if its identity is among the 20 best templates (ties count against it) and reaches the "
    "threshold; FPIR is the share of unmated probes whose best similarity reaches it. TPIR20 at an FPIR by linear "
    "interpolation; AUC is the area under TPIR20(FPIR)."
)

PICTURES = {  # suffix, title, axes
    "verification": (".roc.png", "QMUL-SurvFace verification", "false accept rate", "true accept rate"),
    "identification": (
        ".open_set.png", "QMUL-SurvFace open-set identification", "false positive identification rate",
        "true positive identification rate at rank 20",
    ),
}  # fmt: skip

Curve = tuple[np.ndarray, np.ndarray]


def _survface(method: str, figures: Sequence[float]) -> Published:
    names = ("TAR at FAR 30 %", "TAR at FAR 10 %", "TAR at FAR 1 %", "TAR at FAR 0.1 %", "AUC")
    protocol = "not trained on SurvFace; the ROC read one step of the curve otherwise"
    return Published(method, protocol, dict(zip(names, figures, strict=True)), "README")


PUBLISHED = (
    _survface(f"{DSN}, paper", (75.09, 52.74, 21.41, 11.02, 80.03)),
    _survface(f"{DSN}, paper's weights, new libraries", (75.15, 52.41, 21.86, 10.49, 80.06)),
    _survface(f"{DSN}, authors' rerun 2024", (77.56, 56.37, 28.71, 11.88, 82.17)),
    *(
        Published(method, "mean accuracy, CASIA", {"accuracy": accuracy}, "LRFR report", False)
        for method, accuracy in (
            ("AdaFace", 53.2), ("SphereFace", 59.5), ("ArcFace", 63.0), ("CosFace", 64.1),
            ("Octuplet fine-tuning", 66.0), ("Laplacian margin v2", 71.3),
        )
    ),
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Settings:
    """Verifies pairs of QMUL-SurvFace, and identifies its probes in an open set: native, unaligned small faces.

    Beside the result lie two pictures, result.roc.png and result.open_set.png.
    """

    model: str = required("facenet, the folder of an exported embedder, or a file *.weights.h5 (with `backbone`)")
    data: str = required("the folder QMUL-SurvFace")
    output: str = required("the result to write (JSON)")
    task: str = option("both", "what to measure", (*TASKS, "both"))
    backbone: str = option("spherenet20", "network that a file of weights belongs to", BACKBONES)
    facenet_weights: str | None = option(None, "FaceNet's weight file; without it, the cache or a download")
    flip: bool = option(False, "mean of the embeddings of a face and its mirror image")


@dataclasses.dataclass(frozen=True)
class SurvFaceData:
    """Pairs to verify and an open set to identify in; None where only the other task is measured."""

    pairs: VerificationPairs | None
    faces: OpenSet | None


class SurvFaceBenchmark:
    """Verification and open-set identification of native small faces; see `interface.RegisteredBenchmark`."""

    name = "survface"
    folder = ARCHIVE
    settings = Settings
    published: tuple[Published, ...] = PUBLISHED

    def settings_in(self, folder: Path, tables: Path | None, keep: Path, note: Note) -> dict[str, Any]:
        root = survface_root(folder)
        there = [
            task for task, tests in zip(TASKS, (VERIFICATION, IDENTIFICATION), strict=True) if find_entry(root, tests)
        ]
        if len(there) == 1:
            note(f"there is only the test set of the {there[0]}.")
        return {"data": str(folder), "task": "both" if len(there) == 2 else there[0]}

    def read(self, settings: Settings, note: Note) -> SurvFaceData:
        pairs = find_verification_pairs(Path(settings.data)) if settings.task != "identification" else None
        faces = find_open_set(Path(settings.data)) if settings.task != "verification" else None
        return SurvFaceData(pairs, faces)

    def prepare(self, data: SurvFaceData, embedder: Embedder, settings: Settings, note: Note) -> SurvFaceData:
        return data

    def evaluate(self, faces: SurvFaceData, embedder: Embedder, settings: Settings) -> Measured:
        metrics: dict[str, dict[str, Any] | None] = dict.fromkeys(TASKS)
        curves: dict[str, Curve] = {}
        if faces.pairs is not None:
            metrics["verification"], curves["verification"] = verify_pairs(embedder, faces.pairs)
        if faces.faces is not None:
            metrics["identification"], curves["identification"] = identify_open_set(embedder, faces.faces)
        return Measured(protocol(tuple(curves), embedder.aligned_size, settings.flip), metrics, curves)

    def table(self, result: dict[str, Any]) -> list[str]:
        lines = [f"{result['model']['name']} on QMUL-SurvFace, in per cent"]
        verification, identification = (result[task] for task in TASKS)
        if verification is not None:
            columns = [f"TAR at FAR {100 * far:g} %" for far in RATES] + ["AUC", "accuracy"]
            figures = [*verification["tar_at_far"].values(), verification["auc"], verification["accuracy"]["mean"]]
            counts = verification["counts"]
            lines += ["", f"verification of {counted(counts['pairs'], 'pair')}, {counts['matched']:,} of them matched"]
            lines += [
                _row(columns),
                _row([f"{100 * figure:.2f}" for figure in figures]),
                "published, on QMUL-SurvFace:",
            ]
            lines += published_lines(PUBLISHED, columns, COLUMN)
        if identification is not None:
            counts = identification["counts"]
            columns = [f"TPIR20 at {100 * fpir:g} %" for fpir in ALARM_RATES] + ["AUC", "rank-20, closed"]
            figures = [*identification["tpir20_at_fpir"].values(), identification["auc"]]
            figures.append(identification["closed_set"][f"rank_{RANK}"])
            lines += [
                "",
                f"open-set identification: {counts['mated']:,} mated and "
                f"{counted(counts['unmated'], 'unmated probe')}, "
                f"{counted(counts['identities'], 'person')} in the gallery; TPIR20 at FPIR",
                _row(columns),
                _row([f"{100 * figure:.2f}" for figure in figures]),
            ]
            others = published_lines(PUBLISHED, columns[:-2], COLUMN)
            lines += ["published, on QMUL-SurvFace:", *others] if others else []
        return lines

    def draw(self, output: Path, name: str, curves: dict[str, Curve]) -> None:
        for task, curve in curves.items():
            suffix, title, x, y = PICTURES[task]
            draw_curves(output.with_suffix(suffix), title, x, y, curves={name: curve}, log_x=True)

    def main_figures(self, result: Mapping[str, Any]) -> dict[str, float]:
        figures: dict[str, float] = {}
        verification, identification = result["verification"], result["identification"]
        if verification is not None:
            figures |= {f"TAR at FAR {100 * float(far):g} %": tar for far, tar in verification["tar_at_far"].items()}
            figures |= {"AUC": verification["auc"], "mean accuracy": verification["accuracy"]["mean"]}
        if identification is not None:
            rates = identification["tpir20_at_fpir"]
            figures |= {f"TPIR20 at FPIR {100 * float(fpir):g} %": tpir for fpir, tpir in rates.items()}
            figures |= {"AUC of TPIR20": identification["auc"]}
        return {name: 100 * share for name, share in figures.items()}


def protocol(tasks: tuple[str, ...], side: int, flip: bool) -> str:
    """The protocol in words, for the result; `side` is that of the faces that the embedder is given, in pixels."""
    flipped = ", averaged over a face and its mirror image" if flip else ""
    rules = {"verification": VERIFICATION_RULES, "identification": IDENTIFICATION_RULES}
    return " ".join([f"{CROP_PROTOCOL.format(side=side)}{flipped}.", *(rules[task] for task in tasks)])


def verify_pairs(embedder: Embedder, pairs: VerificationPairs) -> tuple[dict[str, Any], Curve]:
    """Verification: metrics (shares in [0, 1]), and the ROC curve (FAR, TAR). Each image is embedded once.

    Raises:
        UserError: there are fewer than two pairs of a kind, or an image cannot be read.
    """
    if min(np.sum(pairs.same), np.sum(~pairs.same)) < 2:
        raise UserError("Each list of pairs needs two pairs at least, for the accuracy in folds.")
    embeddings = embed_all(embedder, pairs.images, stretch_to_square, "embed pairs")
    similarities = np.einsum("nd,nd->n", embeddings[pairs.first], embeddings[pairs.second])
    accuracy = fold_accuracy(similarities, pairs.same, contiguous_folds(pairs.same))
    metrics = {
        "tar_at_far": {str(far): tar_at_far(similarities, pairs.same, far) for far in RATES},
        "auc": roc_auc(similarities, pairs.same),
        "accuracy": accuracy_figures(accuracy),
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
    gallery = embed_files(embedder, faces.gallery, stretch_to_square, "embed gallery")
    templates = mean_templates(gallery, faces.gallery_labels)
    start, own, ranks = 0, [], []
    for chunk in embed_files(embedder, faces.mated, stretch_to_square, "embed mated"):
        scores, places = mated_scores_and_ranks(chunk, faces.mated_labels[start : start + len(chunk)], templates)
        own.append(scores)
        ranks.append(places)
        start += len(chunk)
    unmated = embed_files(embedder, faces.unmated, stretch_to_square, "embed unmated")
    outcome = (
        np.concatenate(own),
        np.concatenate(ranks),
        np.concatenate([unmated_best_scores(chunk, templates) for chunk in unmated]),
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


def _row(texts: list[str]) -> str:
    return " ".join(f"{text:>{COLUMN}}" for text in texts)
