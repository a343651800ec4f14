"""FRMDB (face recognition from mugshots): one frontal mugshot a person, and photos by real surveillance cameras.

    <root>/<person>/mugshot.jpg, cam1.jpg ... cam5.jpg      head crops; a person may lack a camera
    <root>/points.csv                                       five landmarks a photo; see `data.landmarks`

Most of the cameras' photos are in profile or looking down, dark or blurred; their landmarks are often wrong.
"""

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lrfr_tf.benchmarks.figures import format_interval, pack_correct, read_correct
from lrfr_tf.benchmarks.interface import Measured, Note
from lrfr_tf.config import option, required
from lrfr_tf.data.landmarks import by_image, key_of, read_landmarks
from lrfr_tf.data.paired_photos import align_photos
from lrfr_tf.errors import UserError
from lrfr_tf.evaluation.identification import ranks, top_k
from lrfr_tf.evaluation.significance import grouped_interval
from lrfr_tf.faces.align import TEMPLATES
from lrfr_tf.files import read_json
from lrfr_tf.images.probes import shrink_to_probe
from lrfr_tf.models.mobilefacenet import INPUT_SIZE
from lrfr_tf.networks.embedding import BACKBONES, Embedder
from lrfr_tf.plural import counted
from lrfr_tf.sources.image_source import FolderSource

POINTS = "points.csv"
CAMERAS = (1, 2, 3, 4, 5)

_PHOTO = re.compile(r"(mugshot|cam([1-5]))\.[a-z]+", re.IGNORECASE)
NATIVE = "native"
SIZES = (NATIVE, "24", "16", "12")


@dataclasses.dataclass(frozen=True)
class Settings:
    """Identifies persons on photos by real surveillance cameras (FRMDB), native and shrunk, among their mugshots.

    `baseline` adds the paired difference to another result, with its interval over persons.
    """

    model: str = required(
        "w600k_mbf, facenet, the folder of an exported embedder, or a file *.weights.h5 (with `backbone`)"
    )
    data: str = required("folder of <person>/mugshot.jpg, <person>/cam1.jpg to cam5.jpg and points.csv")
    output: str = required("the result to write (JSON)")
    template: str = option("centred", "the template that the model's faces are aligned on", TEMPLATES)
    side: int = option(INPUT_SIZE, "side of the model's aligned faces in pixels", at_least=8)
    sizes: tuple[str, ...] = option(SIZES, "sizes that the photos are shrunk to in pixels, or native")
    baseline: str | None = option(None, "another result, to compare with")
    backbone: str = option("mobilefacenet", "network that a file of weights belongs to", BACKBONES)
    facenet_weights: str | None = option(None, "the published file of a named network; without it, the cache")
    flip: bool = option(False, "mean of the embeddings of a face and its mirror image")


@dataclasses.dataclass(frozen=True)
class Frmdb:
    """The benchmark: gallery and probes as names below the root, and their landmarks.

    Attributes:
        persons: names, sorted; labels are places in it.
        mugshots: one name for each of `persons`.
        probes: names, sorted by person and camera.
        labels, cameras: int64 [P], identities and cameras of the probes.
        landmarks: (folder, file name without suffix) -> float64 [5, 2].
    """

    root: Path
    persons: list[str]
    mugshots: list[str]
    probes: list[str]
    labels: np.ndarray
    cameras: np.ndarray
    landmarks: dict[tuple[str, str], np.ndarray]

    def aligned(self, names: list[str], template: str, size: int) -> np.ndarray:
        """Reads photos and aligns them by their landmarks: uint8 [N, size, size, 3].

        Raises:
            UserError: a photo cannot be read, or its landmarks are one point.
        """
        points = [self.landmarks[key_of(name)] for name in names]
        return align_photos(FolderSource(self.root), names, points, template, size=size)


FrmdbData = tuple[Frmdb, Any]  # the photos, and another result on them, if there is one


class FrmdbBenchmark:
    """Identification on photos by real cameras among mugshots; see `interface.Benchmark`."""

    name = "frmdb"
    settings = Settings

    def read(self, settings: Settings, note: Note) -> FrmdbData:
        for size in settings.sizes:
            if size != NATIVE and not (size.isdecimal() and 1 <= int(size) <= settings.side):
                raise UserError(f"`sizes`={','.join(settings.sizes)}: each is {NATIVE}, or 1 to {settings.side}.")
        images = find_frmdb(Path(settings.data))
        return images, read_json(settings.baseline) if settings.baseline else None

    def prepare(self, data: FrmdbData, embedder: Embedder, settings: Settings, note: Note) -> FrmdbData:
        return data

    def evaluate(self, faces: FrmdbData, embedder: Embedder, settings: Settings) -> Measured:
        images, baseline = faces
        rows = identify_frmdb(embedder, images, settings.template, settings.side, sizes=settings.sizes)
        compared = differences(rows, images, baseline, settings.baseline) if settings.baseline else None
        figures = {
            "counts": {"persons": len(images.persons), "probes": len(images.probes)},
            "sizes": rows,
            "difference_to_baseline": compared,
            "probes": images.probes,
        }
        return Measured(protocol(settings.template, settings.side, len(images.persons), settings.flip), figures)

    def table(self, result: dict[str, Any]) -> list[str]:
        counts, compared = result["counts"], result["difference_to_baseline"] or {}
        lines = [
            f"{result['model']['name']}: {counted(counts['persons'], 'person')}, {counted(counts['probes'], 'photo')}, "
            "rank-1 in per cent",
            f"{'size':>9} {'rank-1':>7} {'95 %':>16} "
            + " ".join(f"{f'cam {camera}':>6}" for camera in CAMERAS)
            + f" {'others below':>13}"
            + ("  to the baseline" if compared else ""),
        ]
        names = [*result["sizes"], *(name for name in compared if name not in result["sizes"])]
        for name in names:
            row = result["sizes"].get(name, {})
            text = f"{name:>9} "
            if row:
                interval = format_interval(row["interval_95"], ".1f")
                cameras = " ".join(f"{100 * row['cameras'][str(camera)]:6.1f}" for camera in CAMERAS)
                below = f"{100 * row['others_below']:13.2f}" if "others_below" in row else " " * 13
                text += f"{100 * row['rank_1']:7.2f} {interval:>16} {cameras} {below}"
            else:
                text += " " * (7 + 1 + 16 + 1 + 7 * len(CAMERAS) + 13)
            if name in compared:
                ends = format_interval(compared[name]["interval_95"], "+.1f")
                text += f"  {100 * compared[name]['mean']:+.2f} {ends}"
            lines.append(text)
        return lines

    def draw(self, output: Path, name: str, curves: None) -> None:
        """There is nothing to draw."""


def find_frmdb(root: Path) -> Frmdb:
    """Finds the photos and reads their landmarks.

    Raises:
        UserError: there are no photos, a person has no mugshot, or a photo has no landmarks.
    """
    photos: dict[str, dict[int, str]] = {}
    for name in FolderSource(root).names() if root.is_dir() else []:
        folder, _, file = name.rpartition("/")
        if (match := _PHOTO.fullmatch(file)) and folder and "/" not in folder:
            photos.setdefault(folder, {})[int(match[2] or 0)] = name
    if not photos:
        raise UserError(f"{root} holds no <person>/mugshot.jpg and <person>/cam1.jpg to cam5.jpg, as FRMDB should.")
    persons = sorted(photos)
    for person in persons:
        if 0 not in photos[person]:
            raise UserError(f"{root / person} has no mugshot.")
    probes = [
        (label, camera, photos[person][camera])
        for label, person in enumerate(persons)
        for camera in CAMERAS
        if camera in photos[person]
    ]
    if not probes:
        raise UserError(f"{root} holds mugshots alone, and no photo by a camera.")
    landmarks = dict(by_image(read_landmarks(root / POINTS)))
    mugshots = [photos[person][0] for person in persons]
    for name in (*mugshots, *(name for _, _, name in probes)):
        if key_of(name) not in landmarks:
            raise UserError(f"{root / POINTS} has no landmarks of {name}.")
    labels, cameras = np.array([probe[:2] for probe in probes], np.int64).T
    return Frmdb(root, persons, mugshots, [name for _, _, name in probes], labels, cameras, landmarks)


def protocol(template: str, side: int, persons: int, flip: bool) -> str:
    """The protocol in words, for the result."""
    return (
        f"{persons}-way closed set: one frontal mugshot a person, photos by five surveillance cameras; all aligned to "
        f"{side} x {side} by five landmarks on the template {template!r}, the photos then shrunk to each size and "
        "enlarged again by Pillow's bicubic. Cosine of the embeddings"
        f"{', averaged over a face and its mirror image' * flip}; rank-1, ties counting against us; intervals are 95 % "
        "bootstraps over persons."
    )


def identify_frmdb(
    embedder: Embedder, images: Frmdb, template: str, side: int, *, sizes: Sequence[str] = SIZES
) -> dict[str, dict[str, Any]]:
    """Rank-1 for each size, and the mean over the sizes; the keys are the sizes as text, and "mean".

    Beside rank-1, in which a probe is right or wrong, stands "others_below": the share of the other persons' mugshots
    that are less alike than the right one, which tells smaller differences.

    Args:
        template: one of `faces.align.TEMPLATES`.
        side: of the aligned faces, in pixels.
        sizes: pixels, or "native" for the aligned faces as they are.
    """
    gallery = embedder.embed(images.aligned(images.mugshots, template, side))
    faces = images.aligned(images.probes, template, side)
    found = {}
    for size in sizes:
        probes = faces if size == NATIVE else shrink_to_probe(faces, int(size))
        found[size] = ranks(embedder.embed(probes) @ gallery.T, images.labels)
    rows = {size: _row(own == 1, images) | _details(own, images) for size, own in found.items()}
    return rows | {"mean": _row(np.mean([own == 1 for own in found.values()], axis=0), images)}


def differences(rows: dict[str, Any], images: Frmdb, baseline: Any, where: str) -> dict[str, dict[str, Any]]:
    """The difference of rank-1 to another result on the same photos, with a bootstrap interval over persons.

    Args:
        rows: as `identify_frmdb` returns them.
        baseline: the other result, as read from JSON.
        where: how messages call it.

    Returns:
        size -> mean, interval_95; positive where we are right more often. "mean" is over all sizes, "16 and 12" over
        the two smallest.

    Raises:
        UserError: the other result is none of this tool, or of other photos or sizes.
    """
    theirs = baseline.get("sizes") if isinstance(baseline, dict) and baseline.get("benchmark") == "frmdb" else None
    sizes = [size for size in rows if size != "mean"]
    if not isinstance(theirs, dict) or any(size not in theirs for size in sizes):
        raise UserError(f"{where} is no result of lrfr evaluate frmdb at the sizes {', '.join(sizes)}.")
    if baseline.get("probes") != images.probes:
        raise UserError(f"{where} was measured on other photos; a paired difference needs the same.")
    each = {size: _correct(rows[size], images) - _correct(theirs[size], images) for size in sizes}
    pooled = {"mean": sizes, " and ".join(sizes[-2:]): sizes[-2:]}
    each |= {name: np.mean([each[size] for size in members], axis=0) for name, members in pooled.items()}
    return {
        name: {"mean": float(values.mean()), "interval_95": list(grouped_interval(values, images.labels))}
        for name, values in each.items()
    }


def _row(right: np.ndarray, images: Frmdb) -> dict[str, Any]:
    """Figures of probes that are right or wrong, or right at some share of the sizes."""
    by_camera = {str(camera): right[images.cameras == camera] for camera in CAMERAS}
    return {
        "rank_1": float(right.mean()),
        "interval_95": list(grouped_interval(right, images.labels)),
        "cameras": {name: float(own.mean()) if len(own) else float("nan") for name, own in by_camera.items()},
    }


def _details(found: np.ndarray, images: Frmdb) -> dict[str, Any]:
    others = len(images.persons) - 1
    return {
        "rank_5": top_k(found, min(5, len(images.persons))),
        "others_below": float(np.mean(1 - (found - 1) / max(others, 1))),
        "correct": pack_correct(found == 1),
    }


def _correct(row: dict[str, Any], images: Frmdb) -> np.ndarray:
    return read_correct(row, len(images.probes)).astype(np.float64)
