"""The benchmarks' main figures of a network that is still being trained."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras

from lrfr_tf.benchmarks.benchmark_tree import LFW_LANDMARKS, BenchmarkTree, find_benchmarks
from lrfr_tf.benchmarks.lfw import verify_at_sizes
from lrfr_tf.benchmarks.photo_landmarks import photo_landmarks
from lrfr_tf.benchmarks.scface import detect_scface_landmarks, identify_scface
from lrfr_tf.benchmarks.scface_files import MUGSHOT_TABLE, check_landmarks, find_scface, read_scface_landmarks
from lrfr_tf.benchmarks.summary import headline_figures
from lrfr_tf.benchmarks.survface import identify_open_set, verify_pairs
from lrfr_tf.benchmarks.survface_files import find_open_set, find_verification_pairs
from lrfr_tf.benchmarks.tinyface import identify, tinyface_landmarks
from lrfr_tf.benchmarks.tinyface_files import find_tinyface
from lrfr_tf.data.paired_photos import align_photos, find_paired_photos
from lrfr_tf.data.pairs import read_pairs
from lrfr_tf.errors import UserError
from lrfr_tf.models.facenet import UnitLength
from lrfr_tf.networks.embedding import Embedder, template_for
from lrfr_tf.sources.image_source import open_source

# Everything as the tools measure it by default.
PROBE_SIZES = (8, 12, 16, 20, 128)
PROBE_FORM = "enlarged"

Measure = Callable[[Embedder], dict[str, Any]]


def find_all(root: Path, names: Sequence[str]) -> BenchmarkTree:
    """Finds the benchmarks below a folder.

    Raises:
        UserError: one of `names` is not there.
    """
    tree = find_benchmarks(root)
    for name, sentence in tree.absent().items():
        if name in names:
            raise UserError(f"--eval_benchmarks={','.join(names)}: {sentence}")
    return tree


class Benchmarks:
    """Measures a network, as it is at each call, with the protocols of tools/evaluate_*.py and their defaults.

    LFW's aligned faces are kept in memory (0.4 GB), everything else is read anew at each call.

    Args:
        tree: has all of `names`.
        names: keys of `benchmarks.benchmark_tree.FOLDERS`.
        network: float images [N, 128, 128, 3] in 0..255 -> features.
        template: what the faces it is trained on lie on; None is "lai".
        landmarks: a folder for the landmarks that MTCNN finds where the tree has no tables; they are read there later.

    Raises:
        UserError: something of a benchmark is missing.
    """

    def __init__(
        self,
        tree: BenchmarkTree,
        names: Sequence[str],
        network: keras.Model,
        landmarks: Path,
        template: str | None = None,
    ) -> None:
        unit_length = UnitLength(dtype="float32")(network.outputs[0])
        model = keras.Model(network.inputs[0], unit_length)
        self._embedder = Embedder(model, "the network in training", template=template)
        template = template_for(self._embedder)
        self._measure = {name: PREPARE[name](tree, landmarks, template) for name in names}

    def __call__(self) -> dict[str, float]:
        """The figures that papers report, in per cent: "lfw/8 px", "scface/distance 1, rank-1" ..."""
        figures: dict[str, float] = {}
        for name, measure in self._measure.items():
            result = {"benchmark": name, **measure(self._embedder)}
            figures |= {f"{name}/{figure}": value for figure, value in headline_figures(result).items()}
        return figures


def _lfw(tree: BenchmarkTree, landmarks: Path, template: str) -> Measure:
    source = open_source(tree.lfw_images())
    folds = read_pairs(tree.lfw_pairs())
    if len(folds) < 2:
        raise UserError(f"{tree.lfw_pairs()} has one fold; the threshold of a fold comes from the others.")
    photos = find_paired_photos(source, folds)
    kept = landmarks / LFW_LANDMARKS
    table = tree.lfw_landmarks(None) or (kept if kept.is_file() else None)
    points = photo_landmarks(source, photos.images, None if table is None else str(table), str(kept))
    faces = align_photos(source, photos.images, points, template)
    return lambda embedder: {"sizes": verify_at_sizes(embedder, faces, photos, PROBE_SIZES, PROBE_FORM, False).rows}


def _scface(tree: BenchmarkTree, landmarks: Path, template: str) -> Measure:
    source = open_source(tree.folders["scface"])
    images = find_scface(source)
    folder = tree.scface_landmarks(None) or (landmarks if (landmarks / MUGSHOT_TABLE).is_file() else None)
    if folder is None:
        points = detect_scface_landmarks(source, images, str(landmarks))
    else:
        points, mugshot_folder = read_scface_landmarks(folder, images.distances)
        images = find_scface(source, mugshot_folder)
        check_landmarks(images, points, folder)
    return lambda embedder: {
        "distances": identify_scface(embedder, source, images, points, template, PROBE_FORM, False)
    }


def _survface(tree: BenchmarkTree, landmarks: Path, template: str) -> Measure:
    folder, tasks = tree.folders["survface"], tree.survface_tasks()
    pairs = find_verification_pairs(folder) if tasks != "identification" else None
    faces = find_open_set(folder) if tasks != "verification" else None
    return lambda embedder: {
        "verification": verify_pairs(embedder, pairs)[0] if pairs is not None else None,
        "identification": identify_open_set(embedder, faces)[0] if faces is not None else None,
    }


def _tinyface(tree: BenchmarkTree, landmarks: Path, template: str) -> Measure:
    faces = find_tinyface(tree.folders["tinyface"])
    table = tree.tinyface_landmarks(None)
    points = None if table is None else tinyface_landmarks(table, faces)[0]
    return lambda embedder: {"identification": identify(embedder, faces, "none", points)[0], "counts": faces.counts()}


PREPARE: dict[str, Callable[[BenchmarkTree, Path, str], Measure]] = {
    "lfw": _lfw, "scface": _scface, "survface": _survface, "tinyface": _tinyface,
}  # fmt: skip
