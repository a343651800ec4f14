"""Aligned photos and their pairs -> how well an embedder verifies them at each probe size."""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lrfr_tf.benchmarks.benchmark_folders import find_entry
from lrfr_tf.benchmarks.benchmark_result import template_to_measure
from lrfr_tf.benchmarks.curves import draw_curves
from lrfr_tf.benchmarks.embed_crops import embed_probes
from lrfr_tf.benchmarks.figures import format_interval
from lrfr_tf.benchmarks.interface import Measured, Note
from lrfr_tf.benchmarks.lfw.protocol import FALSE_ACCEPT_RATES, GRID, differences, lfw_row
from lrfr_tf.benchmarks.photo_landmarks import photo_landmarks
from lrfr_tf.benchmarks.published import DSN, Published, published_lines
from lrfr_tf.config import option, required
from lrfr_tf.data.paired_photos import align_photos, find_paired_photos
from lrfr_tf.data.pairs import PairedImages, read_pairs
from lrfr_tf.errors import UserError
from lrfr_tf.evaluation.verification import FoldAccuracy, roc_curve
from lrfr_tf.faces.align import TEMPLATES
from lrfr_tf.files import read_json, sha256
from lrfr_tf.images.camera import CLEAN_LEVEL, LEVELS
from lrfr_tf.images.probes import PROBE_FORMS
from lrfr_tf.networks.embedding import BACKBONES, Embedder
from lrfr_tf.plural import counted
from lrfr_tf.sources.image_source import ImageSource, open_source

MARGIN_SHARE = 7  # a seventh of an aligned face's side lies around it, which a camera may see: 16 pixels around 112
PROBE_SIZES = (8, 12, 16, 20)
LANDMARKS = "LFW.csv"
PAIRS = "pairs.txt"
SAME_PROTOCOL = "image 1 HR, image 2 at S px, aligned 128 px, bicubic"


def _sizes(method: str, figures: Sequence[float]) -> Published:
    return Published(method, SAME_PROTOCOL, dict(zip(("8", "12", "16", "20", "128"), figures, strict=True)), "README")


def _other(method: str, protocol: str, figures: Mapping[str, float], source: str) -> Published:
    return Published(method, protocol, figures, source, False)


PUBLISHED = (
    _sizes(f"{DSN}, paper", (94.8, 97.6, 98.2, 98.1, 99.1)),
    _sizes(f"{DSN}, paper's weights, new libraries", (83.53, 94.20, 97.23, 98.37, 99.08)),
    _sizes(f"{DSN}, authors' rerun 2024", (96.27, 98.15, 98.67, 98.62, 98.67)),
    _other("FaceMoE, no training at 8 px", "image 1 HR, image 2 at S px; HR is 96 px", {"8": 80.75, "96": 99.73},
               "a digest of the paper"),
    _other("ArcFace ResNet-18, CASIA", "both images at S px", {"16": 92.30}, "RPCL"),
    _other("CosFace ResNet-18, CASIA", "both images at S px", {"16": 93.80}, "RPCL"),
    _other("MagFace ResNet-18, CASIA", "both images at S px", {"16": 94.97}, "RPCL"),
    _other("RPCL-CosFace ResNet-18, CASIA", "both images at S px", {"16": 95.13}, "RPCL"),
    _other("SKD", "both images at S px", {"16": 85.87}, "RPCL"),
    _other("SphereFace-20, bicubic", "image 1 HR, image 2 at W x H px", {"7x6": 59.0, "14x12": 82.8, "28x24": 97.6},
               "SR_LRFR"),
    _other("SphereFace-20, identity-preserving EDSR", "image 1 HR, image 2 at W x H px",
               {"7x6": 84.0, "14x12": 94.7, "28x24": 98.9}, "SR_LRFR"),
    _other("CosFace R50, CASIA, half the batches at 16 px", "7 to 112 px",
               {"7": 75.4, "14": 92.7, "28": 97.2, "56": 98.0, "112": 97.9}, "LRFR report"),
    _other("AdaFace, no training at low resolution", "7 to 112 px",
               {"7": 56.5, "14": 63.2, "28": 96.9, "56": 98.7, "112": 99.1}, "LRFR report"),
    _other("Octuplet fine-tuning, naive", "7 to 112 px",
               {"7": 73.8, "14": 86.2, "28": 91.4, "56": 92.1, "112": 92.1}, "LRFR report"),
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Settings:
    """Verifies faces at low resolution: image 1 of a pair as it is, image 2 at 8, 12, 16 and 20 pixels and as it is.

    `data` is LFW, or any folder or zip of <person>/<photo> with a list of tools/make_pairs.py. Beside the result lie
    two pictures, result.accuracy.png and result.roc.png.
    """

    model: str = required("facenet, the folder of an exported embedder, or a file *.weights.h5 (with `backbone`)")
    data: str = required("folder or zip of <person>/<photo>, such as LFW")
    pairs: str = required("list of pairs: LFW's pairs.txt, or one by python -m lrfr_tf.cli.make_pairs")
    output: str = required("the result to write (JSON)")
    landmarks: str | None = option(None, "table of landmarks (CSV, 11 columns); without it MTCNN finds them")
    save_landmarks: str | None = option(None, "where to write the landmarks that MTCNN found (CSV)")
    backbone: str = option("spherenet20", "network that a file of weights belongs to", BACKBONES)
    facenet_weights: str | None = option(None, "FaceNet's weight file; without it, the cache or a download")
    template: str | None = option(
        None,
        "where the landmarks of an aligned face lie; default: where the model was trained to see them",
        TEMPLATES,
    )
    probe_sizes: tuple[int, ...] = option(
        (), f"sizes of image 2 in pixels; default: {', '.join(map(str, PROBE_SIZES))}, and as the model takes faces"
    )
    camera: tuple[str, ...] = option((CLEAN_LEVEL,), "how image 2 is shrunk, see docs/camera.md", tuple(LEVELS))
    probe_form: str = option("enlarged", "the model gets image 2 enlarged again, or small, as it is", PROBE_FORMS)
    flip: bool = option(False, "mean of the embeddings of a face and its mirror image")
    matched_gallery: bool = option(False, "image 1 is brought to the size of image 2, too")
    baseline: str | None = option(None, "another result on the same pairs, for the paired difference")


@dataclasses.dataclass(frozen=True)
class ListedPhotos:
    """The photos of a list of pairs, and another result on them, if there is one."""

    source: ImageSource
    photos: PairedImages[str]
    baseline: Any


@dataclasses.dataclass(frozen=True)
class AlignedPhotos:
    """What is measured of `listed`: faces with a margin, the sizes of image 2, how many photos lack landmarks."""

    listed: ListedPhotos
    faces: np.ndarray
    margin: int
    template: str
    sizes: list[int]
    without_landmarks: int


@dataclasses.dataclass(frozen=True)
class MeasuredSizes:
    """The outcome at each probe size (as text): the row of the result, the folds' accuracy and the similarities."""

    rows: dict[str, dict[str, Any]]
    accuracies: dict[str, FoldAccuracy]
    similarities: dict[str, np.ndarray]
    same: np.ndarray


class LfwBenchmark:
    """Verification of image 1 of a pair as it is with image 2 at several sizes; see `interface.RegisteredBenchmark`."""

    name = "lfw"
    folder = "LFW"
    settings = Settings
    published: tuple[Published, ...] = PUBLISHED

    def settings_in(self, folder: Path, tables: Path | None, keep: Path, note: Note) -> dict[str, Any]:
        images = find_entry(folder, "lfw") or folder
        pairs = next((found for at in (folder, images, folder.parent) if (found := find_entry(at, PAIRS))), None)
        if pairs is None:
            raise UserError(f"{folder / PAIRS} is missing; it is LFW's list of pairs.")
        places = (folder, images) if tables is None else (tables,)
        table = next((found for at in places if (found := find_entry(at, LANDMARKS))), None)
        settings = {"data": str(images), "pairs": str(pairs), "landmarks": str(table) if table else None}
        return settings | ({} if table else {"save_landmarks": str(keep / LANDMARKS)})

    def read(self, settings: Settings, note: Note) -> ListedPhotos:
        folds = read_pairs(Path(settings.pairs))
        if len(folds) < 2:
            raise UserError(
                f"{settings.pairs} has one fold; the threshold of a fold comes from the others, so two are needed."
            )
        baseline = read_json(settings.baseline) if settings.baseline else None
        source = open_source(Path(settings.data))
        return ListedPhotos(source, find_paired_photos(source, folds), baseline)

    def prepare(self, data: ListedPhotos, embedder: Embedder, settings: Settings, note: Note) -> AlignedPhotos:
        side, names = embedder.aligned_size, data.photos.images
        if any(not 1 <= size <= side for size in settings.probe_sizes):
            raise UserError(f"`probe_sizes`={','.join(map(str, settings.probe_sizes))} must lie in 1 to {side}.")
        sizes = sorted(set(settings.probe_sizes or (*PROBE_SIZES, side)))
        template = template_to_measure(embedder, settings.template)
        points = photo_landmarks(data.source, names, settings.landmarks, settings.save_landmarks, note=note)
        margin = 0 if set(settings.camera) == {CLEAN_LEVEL} else side // MARGIN_SHARE
        faces = align_photos(data.source, names, points, template, size=side, margin=margin)
        return AlignedPhotos(data, faces, margin, template, sizes, sum(face is None for face in points))

    def evaluate(self, faces: AlignedPhotos, embedder: Embedder, settings: Settings) -> Measured:
        photos, baseline = faces.listed.photos, faces.listed.baseline
        measured = verify_at_sizes(embedder, faces, settings)
        pairs_sha256 = sha256(settings.pairs)
        compared = None
        if baseline is not None:
            where = str(settings.baseline)
            compared = differences(measured.accuracies, baseline, pairs_sha256, photos.persons, where=where)
        figures = {
            "counts": {**photos.counts(), "images_without_landmarks": faces.without_landmarks},
            "sizes": measured.rows,
            "difference_to_baseline": compared,
            "pairs_sha256": pairs_sha256,
            "landmarks_sha256": sha256(settings.landmarks) if settings.landmarks else None,
        }
        return Measured(protocol(faces.template, embedder.aligned_size, settings), figures, measured)

    def table(self, result: dict[str, Any]) -> list[str]:
        lines = [
            f"{result['model']['name']}: {counted(result['counts']['pairs'], 'pair')} of "
            f"{counted(result['counts']['persons'], 'person')}",
            f"{'probe':>14} {'accuracy':>8} {'std':>5} {'95 %':>16} {'AUC':>7} "
            + " ".join(f"{f'TAR at {100 * far:g} %':>12} {'threshold':>9}" for far in FALSE_ACCEPT_RATES)
            + ("  to the baseline (95 %: pairs; persons)" if result["difference_to_baseline"] else ""),
        ]
        for size, row in result["sizes"].items():
            interval = format_interval(row["interval_95"], ".2f")
            rates = " ".join(
                f"{100 * row['tar_at_far'][str(far)]:12.1f} {row['threshold_at_far'][str(far)]:9.3f}"
                for far in FALSE_ACCEPT_RATES
            )
            difference = (result["difference_to_baseline"] or {}).get(size)
            lines.append(
                f"{size + ' px':>14} {100 * row['accuracy']:8.2f} {100 * row['standard_deviation']:5.2f} "
                f"{interval:>16} {row['auc']:7.4f} {rates}{'' if difference is None else _difference(difference)}"
            )
        sizes = [size for size in result["sizes"] if size.isdecimal()]
        if not sizes:
            return lines
        lines += ["", "published, on LFW:", " ".join(f"{size + ' px':>10}" for size in sizes)]
        return lines + published_lines(PUBLISHED, sizes)

    def draw(self, output: Path, name: str, curves: MeasuredSizes) -> None:
        accuracies: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        for camera in dict.fromkeys(row.rpartition(" ")[0] for row in curves.rows):
            rows = {row.rpartition(" ")[2]: row for row in curves.rows if row.rpartition(" ")[0] == camera}
            points = sorted((int(size), 100 * curves.rows[row]["accuracy"]) for size, row in rows.items())
            ours = np.array(points).T
            accuracies[f"{name}, {camera}" if camera else name] = (ours[0], ours[1])
        for row in PUBLISHED:
            if row.same_protocol:
                sides = np.array([int(size) for size in row.figures])
                accuracies[f"{row.method} (LFW)"] = (sides, np.array(list(row.figures.values())))
        draw_curves(
            output.with_suffix(".accuracy.png"), "Verification against resolution", "side of image 2 in pixels",
            "accuracy in per cent", curves=accuracies, log_x=True,
        )  # fmt: skip
        rocs = {f"{size} px": roc_curve(found, curves.same) for size, found in curves.similarities.items()}
        draw_curves(
            output.with_suffix(".roc.png"),
            f"ROC of {name}",
            "false accept rate",
            "true accept rate",
            curves=rocs,
            log_x=True,
        )

    def main_figures(self, result: Mapping[str, Any]) -> dict[str, float]:
        return {f"{size} px": 100 * row["accuracy"] for size, row in result["sizes"].items()}


def protocol(template: str, side: int, settings: Settings) -> str:
    """The protocol in words, for the result; `side` is that of the aligned faces."""
    shrunk = "Pillow's bicubic, antialiased"
    if set(settings.camera) != {CLEAN_LEVEL}:
        shrunk += ", or the camera model of docs/camera.md, the seed of a photo being its place among the images"
    first = "shrunk to S x S, too," if settings.matched_gallery else "stays as it is"
    handed = f"enlarged to {side} again" if settings.probe_form == "enlarged" else "handed to the model as it is"
    flipped = "; embeddings averaged over a face and its mirror image" if settings.flip else ""
    return (
        f"Both images aligned to {side} x {side} by five landmarks on the template {template!r}; image 1 {first}, "
        f"image 2 shrunk to S x S ({shrunk}) and {handed} (S = {side}: as it is). Cosine of the embeddings"
        f"{flipped}. Contiguous folds; each fold's threshold is the one of {GRID:,} values in [-1, 1] that "
        "classifies most pairs of the other folds correctly, the last of equally good ones; a pair of that similarity "
        "or more is one person. Mean and standard deviation over folds; intervals are 95 % bootstraps over pairs."
    )


def verify_at_sizes(embedder: Embedder, aligned: AlignedPhotos, settings: Settings) -> MeasuredSizes:
    """Embeds every photo once for each size in which it is needed, and compares the pairs."""
    photos, faces, margin = aligned.listed.photos, aligned.faces, aligned.margin
    side = faces.shape[1] - 2 * margin
    firsts, seconds = np.unique(photos.first), np.unique(photos.second)
    both = np.union1d(firsts, seconds)
    measured = MeasuredSizes({}, {}, {}, photos.same)

    def embed(places: np.ndarray, size: int, progress: str, camera: str = CLEAN_LEVEL) -> np.ndarray:
        spread = np.zeros((len(faces), embedder.dimensions), np.float32)  # the others are not looked at
        spread[places] = embed_probes(
            embedder, faces[places], size, settings.probe_form, progress=progress, camera=camera, margin=margin
        )
        return spread

    # At full size both images of a pair are alike, so one pass serves image 1 at every size and image 2 at that one.
    one_pass = side in aligned.sizes and CLEAN_LEVEL in settings.camera
    whole = None if settings.matched_gallery else embed(both if one_pass else firsts, side, "embed image 1")
    for camera, size in itertools.product(dict.fromkeys(settings.camera), aligned.sizes):
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


def _difference(difference: dict[str, Any]) -> str:
    pairs, persons = (format_interval(difference[name], "+.2f") for name in ("interval_95", "interval_95_over_persons"))
    return f"  {100 * difference['mean']:+.2f} {pairs}; {persons}"
