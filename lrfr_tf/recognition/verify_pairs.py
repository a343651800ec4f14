"""A list of pairs and a prepared tree -> how well one face recogniser verifies each method's images of them."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from lrfr_tf.data.folders import FaceFile
from lrfr_tf.data.held_out import EVERY_SPLIT, list_held_out
from lrfr_tf.data.pairs import Pair, image_key
from lrfr_tf.errors import UserError
from lrfr_tf.evaluation.significance import bootstrap_interval
from lrfr_tf.evaluation.verification import FoldAccuracy, compare, fold_accuracy, roc_auc, tar_at_far
from lrfr_tf.recognition.embedding import Embedder

FALSE_ACCEPT_RATES = (0.1, 0.01, 0.001)
EMBED_AT_ONCE = 128


@dataclasses.dataclass(frozen=True)
class PairedFaces:
    """The pairs of a list as places in one list of images, each image once.

    Attributes:
        faces: the images; `path` is `<split>/<identity>/<image>.png`.
        first, second: int [n], the places of each pair's images.
        same: bool [n].
        folds: int [n], from 0 on.
        persons: int [n, 2], a number for each person.
    """

    faces: list[FaceFile]
    first: np.ndarray
    second: np.ndarray
    same: np.ndarray
    folds: np.ndarray
    persons: np.ndarray

    def counts(self) -> dict[str, int]:
        """How many pairs, folds, persons and images there are, and how many persons are in more than one fold."""
        in_folds = {(person, fold) for person, fold in zip(self.persons.ravel(), self.folds.repeat(2), strict=True)}
        persons = len(np.unique(self.persons))
        return {
            "pairs": len(self.same),
            "matched": int(self.same.sum()),
            "folds": len(np.unique(self.folds)),
            "persons": persons,
            "persons_in_several_folds": persons - sum(count == 1 for count in _times(in_folds).values()),
            "images": len(self.faces),
        }


def find_paired_faces(root: Path, folds: Sequence[Sequence[Pair]]) -> PairedFaces:
    """Finds the images of the pairs in a prepared tree, in any of its splits.

    Raises:
        UserError: the tree is not finished, lacks an image, or holds one in two splits.
    """
    there: dict[tuple[str, str], FaceFile] = {}
    for face in list_held_out(root, EVERY_SPLIT, 0):
        key = image_key(face.identity, face.path.split("/")[-1])
        if key in there:
            raise UserError(f"{root} holds {'/'.join(key)} twice: {there[key].path} and {face.path}.")
        there[key] = face
    places: dict[tuple[str, str], int] = {}
    persons: dict[str, int] = {}
    rows = []
    for fold, pairs in enumerate(folds):
        for pair in pairs:
            keys = [image_key(*pair.first), image_key(*pair.second)]
            for key in keys:
                if key not in there:
                    raise UserError(f"{root} holds no face of {'/'.join(key)}, which the list of pairs names.")
                places.setdefault(key, len(places))
                persons.setdefault(key[0], len(persons))
            rows.append([*(places[key] for key in keys), pair.same, fold, *(persons[key[0]] for key in keys)])
    table = np.array(rows)
    faces = [there[key] for key in places]
    return PairedFaces(faces, table[:, 0], table[:, 1], table[:, 2].astype(bool), table[:, 3], table[:, 4:])


def similarities(embedder: Embedder, images: np.ndarray, paired: PairedFaces, progress: str) -> np.ndarray:
    """The cosine between the embeddings of each pair's images; every image is embedded once.

    Args:
        images: uint8 [N, S, S, 3], in the order of `paired.faces`; the whole frame is the crop.
        progress: the text of the progress bar.

    Returns:
        float32 [n], in [-1, 1].
    """
    embeddings = np.empty((len(images), embedder.dimensions), np.float32)
    with tqdm(total=len(images), desc=progress, unit="image") as bar:
        for start in range(0, len(images), EMBED_AT_ONCE):
            chunk = images[start : start + EMBED_AT_ONCE]
            embeddings[start : start + len(chunk)] = embedder.embed(chunk)
            bar.update(len(chunk))
    return np.einsum("nd,nd->n", embeddings[paired.first], embeddings[paired.second])


def verification_rows(scores: dict[str, np.ndarray], paired: PairedFaces, baseline: str) -> dict[str, dict[str, Any]]:
    """Accuracy, ROC and the difference to the baseline, for each method.

    Args:
        scores: name -> similarities [n]; the baseline is among them.
        baseline: the method that the others are compared with on the same pairs.
    """
    accuracies = {name: fold_accuracy(values, paired.same, paired.folds) for name, values in scores.items()}
    rows = {}
    for name, values in scores.items():
        row = {"accuracy": _accuracy(accuracies[name]), "auc": roc_auc(values, paired.same)}
        row["tar_at_far"] = {str(far): tar_at_far(values, paired.same, far) for far in FALSE_ACCEPT_RATES}
        row[f"difference_to_{baseline}"] = None
        if name != baseline:
            difference = compare(accuracies[name].correct, accuracies[baseline].correct, paired.persons)
            row[f"difference_to_{baseline}"] = {
                "mean": difference.mean,
                "interval_95": list(difference.over_pairs),
                "interval_95_over_persons": list(difference.over_persons),
            }
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
            ends = [
                f"[{100 * low:+.2f}, {100 * high:+.2f}]"
                for low, high in (difference["interval_95"], difference["interval_95_over_persons"])
            ]
            compared = f"{100 * difference['mean']:+10.2f} {ends[0]:>16} {ends[1]:>16}"
        rates = [100 * rate for rate in row["tar_at_far"].values()]
        lines.append(
            f"{name:>12} {100 * accuracy['mean']:8.2f} {100 * accuracy['standard_error']:5.2f} {compared} "
            f"{row['auc']:6.4f} {rates[0]:16.1f} {rates[1]:6.1f} {rates[2]:6.1f}"
        )
    return lines


def _accuracy(accuracy: FoldAccuracy) -> dict[str, Any]:
    return {
        "mean": accuracy.mean,
        "standard_error": accuracy.standard_error,
        "interval_95": list(bootstrap_interval(accuracy.correct)),
        "folds": accuracy.accuracies.tolist(),
        "thresholds": accuracy.thresholds.tolist(),
    }


def _times(in_folds: set[tuple[int, int]]) -> dict[int, int]:
    times: dict[int, int] = {}
    for person, _ in in_folds:
        times[person] = times.get(person, 0) + 1
    return times
