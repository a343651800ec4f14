"""Aligned photos and their pairs -> how well an embedder verifies them at each probe size."""

import dataclasses
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lrfr_tf.benchmarks.curves import draw_curves
from lrfr_tf.benchmarks.lfw_protocol import FALSE_ACCEPT_RATES, GRID, lfw_row
from lrfr_tf.benchmarks.probes import embed_probes
from lrfr_tf.benchmarks.published import published_lines, published_rows
from lrfr_tf.data.pairs import PairedImages
from lrfr_tf.evaluation.verification import FoldAccuracy, roc_curve
from lrfr_tf.images.camera import CLEAN_LEVEL
from lrfr_tf.networks.embedding import Embedder


@dataclasses.dataclass(frozen=True)
class MeasuredSizes:
    """The outcome at each probe size (as text): the row of the result, the folds' accuracy and the similarities."""

    rows: dict[str, dict[str, Any]]
    accuracies: dict[str, FoldAccuracy]
    similarities: dict[str, np.ndarray]
    same: np.ndarray


def protocol(
    template: str,
    side: int,
    probe_form: str,
    matched_gallery: bool,
    flip: bool,
    cameras: Sequence[str] = (CLEAN_LEVEL,),
) -> str:
    """The protocol in words, for the result; `side` is that of the aligned faces."""
    shrunk = "Pillow's bicubic, antialiased"
    if set(cameras) != {CLEAN_LEVEL}:
        shrunk += ", or the camera model of docs/camera.md, the seed of a photo being its place among the images"
    first = "shrunk to S x S, too," if matched_gallery else "stays as it is"
    handed = f"enlarged to {side} again" if probe_form == "enlarged" else "handed to the model as it is"
    flipped = "; embeddings averaged over a face and its mirror image" if flip else ""
    return (
        f"Both images aligned to {side} x {side} by five landmarks on the template {template!r}; image 1 {first}, "
        f"image 2 shrunk to S x S ({shrunk}) and {handed} (S = {side}: as it is). Cosine of the embeddings"
        f"{flipped}. Contiguous folds; each fold's threshold is the one of {GRID:,} values in [-1, 1] that tells most "
        "pairs of the other folds rightly, the last of equally good ones; a pair of that similarity or more is one "
        "person. Mean and standard deviation over folds; intervals are 95 % bootstraps over pairs."
    )


def verify_at_sizes(
    embedder: Embedder,
    faces: np.ndarray,
    photos: PairedImages[str],
    sizes: Sequence[int],
    probe_form: str,
    matched_gallery: bool,
    cameras: Sequence[str] = (CLEAN_LEVEL,),
    margin: int = 0,
) -> MeasuredSizes:
    """Embeds every photo once for each size in which it is needed, and compares the pairs.

    Args:
        faces: uint8 [N, S + 2 * margin, S + 2 * margin, 3], in the order of `photos.images`.
        sizes: sides of image 2 in pixels.
        probe_form: see `as_probe`.
        matched_gallery: image 1 is shrunk as image 2 is.
        cameras: how images are shrunk, of `images.camera.LEVELS`; each at every size.
    """
    side = faces.shape[1] - 2 * margin
    firsts, seconds = np.unique(photos.first), np.unique(photos.second)
    both = np.union1d(firsts, seconds)
    measured = MeasuredSizes({}, {}, {}, photos.same)

    def embed(places: np.ndarray, size: int, progress: str, camera: str = CLEAN_LEVEL) -> np.ndarray:
        chosen = embed_probes(embedder, faces[places], size, probe_form, progress, camera, margin)
        return _at_places(chosen, places, len(faces))

    # At full size both images of a pair are alike, so one pass serves image 1 at every size and image 2 at that one.
    one_pass = side in sizes and CLEAN_LEVEL in cameras
    whole = None if matched_gallery else embed(both if one_pass else firsts, side, "embed image 1")
    for camera, size in itertools.product(dict.fromkeys(cameras), sizes):
        key = condition_name(size, camera)
        if whole is None:
            first = second = embed(both, size, f"embed {key} px", camera)
        elif camera == CLEAN_LEVEL and size == side:
            first = second = whole
        else:
            first, second = whole, embed(seconds, size, f"embed {key} px", camera)
        similarities = np.einsum("nd,nd->n", first[photos.first], second[photos.second])
        row, accuracy = lfw_row(similarities, photos.same, photos.folds)
        measured.rows[key], measured.accuracies[key], measured.similarities[key] = row, accuracy, similarities
    return measured


def condition_name(size: int, camera: str) -> str:
    """What a row is called: "16" of clean probes, "moderate 16" of others."""
    return str(size) if camera == CLEAN_LEVEL else f"{camera} {size}"


def lfw_lines(result: dict[str, Any]) -> list[str]:
    """The result as lines of text with the published rows below; accuracies in per cent."""
    lines = [
        f"{result['model']['name']}: {result['counts']['pairs']} pairs of {result['counts']['persons']} persons",
        f"{'probe':>14} {'accuracy':>8} {'std':>5} {'95 %':>16} {'AUC':>7} "
        + " ".join(f"{f'TAR at {100 * far:g} %':>12} {'threshold':>9}" for far in FALSE_ACCEPT_RATES)
        + ("  to the baseline (95 %: pairs; persons)" if result["difference_to_baseline"] else ""),
    ]
    for size, row in result["sizes"].items():
        interval = "[{:.2f}, {:.2f}]".format(*(100 * end for end in row["interval_95"]))
        rates = " ".join(
            f"{100 * row['tar_at_far'][str(far)]:12.1f} {row['threshold_at_far'][str(far)]:9.3f}"
            for far in FALSE_ACCEPT_RATES
        )
        difference = (result["difference_to_baseline"] or {}).get(size)
        compared = "" if difference is None else f"  {_difference(difference)}"
        lines.append(
            f"{size + ' px':>14} {100 * row['accuracy']:8.2f} {100 * row['standard_deviation']:5.2f} {interval:>16} "
            f"{row['auc']:7.4f} {rates}{compared}"
        )
    sizes = [size for size in result["sizes"] if size.isdecimal()]
    if not sizes:
        return lines
    lines += ["", "published, on LFW:", " ".join(f"{size + ' px':>10}" for size in sizes)]
    return lines + published_lines("lfw", sizes)


def draw_lfw(output: Path, name: str, measured: MeasuredSizes) -> None:
    """Draws accuracy against pixels and the ROC curves beside the result."""
    curves: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for camera in dict.fromkeys(row.rpartition(" ")[0] for row in measured.rows):
        rows = {row.rpartition(" ")[2]: row for row in measured.rows if row.rpartition(" ")[0] == camera}
        points = sorted((int(size), 100 * measured.rows[row]["accuracy"]) for size, row in rows.items())
        ours = np.array(points).T
        curves[f"{name}, {camera}" if camera else name] = (ours[0], ours[1])
    for row in published_rows("lfw"):
        if row.same_protocol:
            curves[f"{row.method} (LFW)"] = (
                np.array([int(size) for size in row.figures]), np.array(list(row.figures.values()))
            )  # fmt: skip
    draw_curves(
        output.with_suffix(".accuracy.png"), "Verification against resolution", "side of image 2 in pixels",
        "accuracy in per cent", curves, log_x=True,
    )  # fmt: skip
    rocs = {}
    for size, similarities in measured.similarities.items():
        rocs[f"{size} px"] = roc_curve(similarities, measured.same)
    draw_curves(
        output.with_suffix(".roc.png"), f"ROC of {name}", "false accept rate", "true accept rate", rocs, log_x=True
    )


def _at_places(embeddings: np.ndarray, places: np.ndarray, count: int) -> np.ndarray:
    """Embeddings of some photos at the places of those photos among all `count`."""
    spread = np.zeros((count, embeddings.shape[1]), np.float32)
    spread[places] = embeddings
    return spread


def _difference(difference: dict[str, Any]) -> str:
    pairs, persons = (
        "[{:+.2f}, {:+.2f}]".format(*(100 * end for end in difference[name]))
        for name in ("interval_95", "interval_95_over_persons")
    )
    return f"{100 * difference['mean']:+.2f} {pairs}; {persons}"
