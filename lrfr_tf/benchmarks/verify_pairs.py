"""A list of pairs and a prepared tree -> how well one face recognizer verifies each method's images of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lrfr_tf.benchmarks.embed_crops import embed_probes
from lrfr_tf.benchmarks.figures import accuracy_figures, difference_figures, format_interval
from lrfr_tf.data.folders import FaceFile
from lrfr_tf.data.held_out import EVERY_SPLIT, list_held_out
from lrfr_tf.data.pairs import Pair, PairedImages, find_paired_images
from lrfr_tf.evaluation.verification import compare, fold_accuracy, roc_auc, tar_at_far
from lrfr_tf.networks.embedding import Embedder

FALSE_ACCEPT_RATES = (0.1, 0.01, 0.001)


def find_paired_faces(root: Path, folds: Sequence[Sequence[Pair]]) -> PairedImages[FaceFile]:
    """Finds the images of the pairs in a prepared tree, in any of its splits.

    Raises:
        UserError: the tree is not finished, or see `find_paired_images`.
    """
    faces = list_held_out(root, EVERY_SPLIT, 0)
    return find_paired_images(folds, ((face.identity, face.path.split("/")[-1], face) for face in faces), str(root))


def embed_images(embedder: Embedder, images: np.ndarray, progress: str) -> np.ndarray:
    """Embeds images, uint8 [N, S, S, 3], the whole frame being the crop: float32 [N, D] of unit length.

    Args:
        progress: the text of the progress bar.
    """
    return embed_probes(embedder, images, images.shape[1], "enlarged", progress=progress)


def similarities(first: np.ndarray, second: np.ndarray, paired: PairedImages[FaceFile]) -> np.ndarray:
    """The cosine between the embeddings of each pair's images.

    Args:
        first, second: what image 1 and image 2 of a pair are looked up in, float32 [N, D] in the order of
            `paired.images`.

    Returns:
        float32 [n], in [-1, 1].
    """
    return np.einsum("nd,nd->n", first[paired.first], second[paired.second])


def verification_rows(
    scores: dict[str, np.ndarray], paired: PairedImages[FaceFile], baseline: str
) -> dict[str, dict[str, Any]]:
    """Accuracy, ROC and the difference to the baseline, for each method.

    Args:
        scores: name -> similarities [n]; the baseline is among them.
        baseline: the method that the others are compared with on the same pairs.
    """
    accuracies = {name: fold_accuracy(values, paired.same, paired.folds) for name, values in scores.items()}
    rows = {}
    for name, values in scores.items():
        row = {"accuracy": accuracy_figures(accuracies[name]), "auc": roc_auc(values, paired.same)}
        row["tar_at_far"] = {str(far): tar_at_far(values, paired.same, far) for far in FALSE_ACCEPT_RATES}
        row[f"difference_to_{baseline}"] = None
        if name != baseline:
            difference = compare(accuracies[name].correct, accuracies[baseline].correct, paired.persons)
            row[f"difference_to_{baseline}"] = difference_figures(difference)
        rows[name] = row
    return rows


def table_lines(rows: dict[str, dict[str, Any]], baseline: str) -> list[str]:
    """The rows as lines of text with a heading; accuracies in per cent."""
    lines = [
        f"{'':>12} {'accuracy':>8} {'+-':>5} {'to ' + baseline:>10} {'95 %, pairs':>16} {'95 %, persons':>16} "
        f"{'AUC':>6} {'TAR at FAR 10 %':>16} {'1 %':>6} {'0.1 %':>6}"
    ]
    for name, row in rows.items():
        accuracy, difference = row["accuracy"], row[f"difference_to_{baseline}"]
        compared = f"{'':>10} {'':>16} {'':>16}"
        if difference is not None:
            ends = [format_interval(difference[key], "+.2f") for key in ("interval_95", "interval_95_over_persons")]
            compared = f"{100 * difference['mean']:+10.2f} {ends[0]:>16} {ends[1]:>16}"
        rates = [100 * rate for rate in row["tar_at_far"].values()]
        lines.append(
            f"{name:>12} {100 * accuracy['mean']:8.2f} {100 * accuracy['standard_error']:5.2f} {compared} "
            f"{row['auc']:6.4f} {rates[0]:16.1f} {rates[1]:6.1f} {rates[2]:6.1f}"
        )
    return lines
