"""Mugshots and surveillance images -> how often the nearest mugshot is the right person's."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lrfr_tf.benchmarks.benchmark_folders import find_below, find_entry
from lrfr_tf.benchmarks.benchmark_result import template_to_measure
from lrfr_tf.benchmarks.curves import draw_curves
from lrfr_tf.benchmarks.figures import format_interval
from lrfr_tf.benchmarks.interface import Measured, Note
from lrfr_tf.benchmarks.published import DSN, Published, published_lines
from lrfr_tf.benchmarks.scface.files import (
    CAMERAS,
    DISTANCES,
    MUGSHOT_TABLE,
    Key,
    SCface,
    align_probes,
    check_landmarks,
    detect_scface_landmarks,
    draw_test_subjects,
    find_scface,
    image_key,
    images_checksum,
    read_scface_landmarks,
    read_test_subjects,
)
from lrfr_tf.benchmarks.scface.protocol import differences, distance_figures
from lrfr_tf.config import option, required
from lrfr_tf.data.paired_photos import align_photos
from lrfr_tf.evaluation.identification import ranks
from lrfr_tf.faces.align import TEMPLATES
from lrfr_tf.files import read_json
from lrfr_tf.images.probes import PROBE_FORMS, shrink_to_probe
from lrfr_tf.images.resize import resize
from lrfr_tf.networks.embedding import BACKBONES, Embedder
from lrfr_tf.plural import counted
from lrfr_tf.sources.image_source import ImageSource, open_source

PROTOCOLS = ("all", "80way")
TEST_SUBJECTS = 80

SAME_PROTOCOL = "130-way, no SCface fine-tuning"
NO_FINE_TUNING = "no SCface fine-tuning"
FINE_TUNED = "fine-tuned on 50 SCface persons, 80-way"


def _row(method: str, one: float, two: float, three: float, *, source: str, protocol: str) -> Published:
    figures = {"distance 1": one, "distance 2": two, "distance 3": three}
    return Published(method, protocol, figures, source, protocol == SAME_PROTOCOL)


PUBLISHED = (
    _row(f"{DSN}, paper", 79.7, 95.7, 98.2, source="README", protocol=SAME_PROTOCOL),
    _row(f"{DSN}, paper's weights, new libraries", 78.92, 96.0, 98.77, source="README", protocol=SAME_PROTOCOL),
    _row(f"{DSN}, authors' rerun 2024", 79.85, 96.62, 98.15, source="README", protocol=SAME_PROTOCOL),
    _row(
        "AdaFace, released weights",
        50.6,
        96.9,
        99.7,
        source="LRFR report",
        protocol="130-way, AdaFace's own crops of 112 px",
    ),
    _row("LDMDS", 62.7, 70.7, 65.5, source="DDL", protocol=NO_FINE_TUNING),
    _row("RICNN", 23.0, 66.0, 74.0, source="RPCL", protocol=NO_FINE_TUNING),
    _row("VGGFace", 41.3, 75.5, 88.8, source="RPCL", protocol=NO_FINE_TUNING),
    _row("LightCNN", 35.8, 79.0, 93.8, source="RPCL", protocol=NO_FINE_TUNING),
    _row("Center loss ResNet", 36.3, 81.8, 94.3, source="DDL", protocol=NO_FINE_TUNING),
    _row("ArcFace R50, CASIA", 48.0, 92.0, 99.3, source="DDL", protocol=NO_FINE_TUNING),
    _row("ArcFace R100, MS1M", 58.9, 98.3, 99.5, source="DDL", protocol=NO_FINE_TUNING),
    _row(
        "CosFace R50, CASIA, half the batches at 16 px", 68.7, 93.4, 92.3, source="LRFR report", protocol=NO_FINE_TUNING
    ),
    _row(
        "ArcFace R50, CASIA, half the batches at 16 px", 73.5, 95.7, 93.2, source="LRFR report", protocol=NO_FINE_TUNING
    ),
    _row("Laplacian-adaptive-margin ArcFace, CASIA", 75.4, 95.1, 94.9, source="LRFR report", protocol=NO_FINE_TUNING),
    _row("TCN", 74.6, 94.9, 98.6, source="RPCL", protocol="whether fine-tuned is not said"),
    _row("Center loss", 54.8, 86.3, 95.8, source="DDL", protocol=FINE_TUNED),
    _row("ArcFace R50, CASIA", 67.3, 93.5, 98.0, source="DDL", protocol=FINE_TUNED),
    _row("DCR", 73.3, 93.5, 98.0, source="DDL", protocol=FINE_TUNED),
    _row("Histogram loss", 74.3, 95.0, 97.3, source="DDL", protocol=FINE_TUNED),
    _row("Focal loss", 76.8, 95.5, 96.8, source="DDL", protocol=FINE_TUNED),
    _row("ArcFace R100, MS1M", 80.5, 98.0, 99.5, source="DDL", protocol=FINE_TUNED),
    _row("OHEM", 82.5, 97.3, 97.5, source="DDL", protocol=FINE_TUNED),
    _row("Triplet loss R50, CASIA", 84.2, 97.2, 99.2, source="DDL", protocol=FINE_TUNED),
    _row("DDL R50, CASIA", 86.8, 98.3, 98.3, source="DDL", protocol=FINE_TUNED),
    _row("RPCL-DCR", 90.4, 98.0, 98.0, source="RPCL", protocol=FINE_TUNED),
    _row("DDL R100, MS1M", 93.2, 99.2, 98.5, source="DDL", protocol=FINE_TUNED),
)


@dataclasses.dataclass(frozen=True)
class Settings:
    """Identifies SCface's surveillance images among the mugshots: rank-1 by distance and camera, and the CMC.

    `landmarks` is a folder with scface_mugshot.csv and scface_distance1.csv to scface_distance3.csv; without it MTCNN
    looks for the faces. Beside the result lies a picture, result.cmc.png.
    """

    model: str = required("facenet, the folder of an exported embedder, or a file *.weights.h5 (with `backbone`)")
    data: str = required("folder or zip of SCface_database")
    output: str = required("the result to write (JSON)")
    landmarks: str | None = option(None, "folder of the four landmark tables; without it MTCNN finds the faces")
    save_landmarks: str | None = option(None, "folder for the tables of what MTCNN found")
    protocol: str = option(
        "all", "all: everybody in one gallery; 80way: 80 persons, as papers that fine-tune", PROTOCOLS
    )
    test_subjects: str | None = option(None, "file with the numbers of the test persons; without it 80way draws 80")
    seed: int = option(0, "seed of that drawing", at_least=0)
    backbone: str = option("spherenet20", "network that a file of weights belongs to", BACKBONES)
    facenet_weights: str | None = option(None, "FaceNet's weight file; without it, the cache or a download")
    template: str | None = option(
        None,
        "where the landmarks of an aligned face lie; default: where the model was trained to see them",
        TEMPLATES,
    )
    probe_form: str = option("enlarged", "the model gets probes enlarged, or small, as aligned", PROBE_FORMS)
    flip: bool = option(False, "mean of the embeddings of a face and its mirror image")
    matched_gallery: bool = option(False, "mugshots are shrunk to the median size of the distance's probes")
    baseline: str | None = option(None, "another result on the same images, for the paired difference")


@dataclasses.dataclass(frozen=True)
class SCfaceData:
    """The images with their landmarks, None where they are to be detected; another result on them, if there is one."""

    source: ImageSource
    images: SCface
    landmarks: Mapping[Key, np.ndarray] | None
    checksum: str
    baseline: Any


@dataclasses.dataclass(frozen=True)
class LocatedImages:
    """What is measured of `data`: landmarks by `image_key`, and the template that images are aligned on."""

    data: SCfaceData
    landmarks: Mapping[Key, np.ndarray]
    template: str


class SCfaceBenchmark:
    """Identification of surveillance images among mugshots; see `interface.RegisteredBenchmark`."""

    name = "scface"
    folder = "SCface"
    settings = Settings
    published: tuple[Published, ...] = PUBLISHED

    def settings_in(self, folder: Path, tables: Path | None, keep: Path, note: Note) -> dict[str, Any]:
        places = (folder, find_below(folder, ("SCface_database",))) if tables is None else (tables,)
        landmarks = next((place for place in places if place and find_entry(place, MUGSHOT_TABLE)), None)
        found = {"landmarks": str(landmarks)} if landmarks else {"landmarks": None, "save_landmarks": str(keep)}
        return {"data": str(folder), **found}

    def read(self, settings: Settings, note: Note) -> SCfaceData:
        baseline = read_json(settings.baseline) if settings.baseline else None
        source = open_source(Path(settings.data))
        images = find_scface(source)
        landmarks = None
        if settings.landmarks:
            landmarks, mugshot_folder = read_scface_landmarks(Path(settings.landmarks), images.distances)
            images = find_scface(source, mugshot_folder)
            check_landmarks(images, landmarks, Path(settings.landmarks))
        if settings.test_subjects:
            images = images.of_subjects(read_test_subjects(Path(settings.test_subjects), list(images.mugshots)))
        elif settings.protocol == "80way":
            images = images.of_subjects(draw_test_subjects(list(images.mugshots), TEST_SUBJECTS, settings.seed))
        absent = [distance for distance in DISTANCES if distance not in images.distances]
        if absent:
            note(f"there are no images of distance {', '.join(map(str, absent))}.")
        return SCfaceData(source, images, landmarks, images_checksum(source, images), baseline)

    def prepare(self, data: SCfaceData, embedder: Embedder, settings: Settings, note: Note) -> LocatedImages:
        template = template_to_measure(embedder, settings.template)
        landmarks = data.landmarks
        if landmarks is None:
            landmarks = detect_scface_landmarks(data.source, data.images, settings.save_landmarks, note)
        located = LocatedImages(data, landmarks, template)
        mugshots, probes = without_landmarks(located)
        if mugshots + probes > 0:
            note(f"Mugshots and probes without landmarks, whose middle is cut out: {mugshots} and {probes}.")
        return located

    def evaluate(self, faces: LocatedImages, embedder: Embedder, settings: Settings) -> Measured:
        data, images = faces.data, faces.data.images
        rows = identify_scface(embedder, faces, settings)
        compared = None
        if data.baseline is not None:
            compared = differences(
                rows, len(images.mugshots), data.baseline, data.checksum, where=str(settings.baseline)
            )
        mugshots, probes = without_landmarks(faces)
        figures = {
            "counts": {
                "persons": len(images.mugshots),
                "probes": len(images.probes),
                "mugshots_without_landmarks": mugshots,
                "probes_without_landmarks": probes,
            },
            "subjects": list(images.mugshots),
            "distances": rows,
            "difference_to_baseline": compared,
            "images_sha256": data.checksum,
        }
        return Measured(protocol(settings, faces.template, embedder.aligned_size, len(images.mugshots)), figures, rows)

    def table(self, result: dict[str, Any]) -> list[str]:
        lines = [
            f"{result['model']['name']}: {counted(result['counts']['persons'], 'person')}, rank-1 in per cent",
            f"{'distance':>8} {'rank-1':>7} {'95 %':>16} {'rank-5':>7} "
            + " ".join(f"{f'cam {camera}':>6}" for camera in CAMERAS)
            + "  probe side in pixels"
            + ("  to the baseline" if result["difference_to_baseline"] else ""),
        ]
        for distance, row in result["distances"].items():
            interval = format_interval(row["interval_95"], ".1f")
            cameras = " ".join(f"{100 * row['cameras'][str(camera)]:6.1f}" for camera in CAMERAS)
            side = row["probe_side"]
            rank_5 = 100 * row["cmc"][min(4, len(row["cmc"]) - 1)]
            difference = (result["difference_to_baseline"] or {}).get(distance)
            compared = ""
            if difference is not None:
                compared = f"  {100 * difference['mean']:+.2f} {format_interval(difference['interval_95'], '+.1f')}"
            lines.append(
                f"{distance:>8} {100 * row['rank_1']:7.2f} {interval:>16} {rank_5:7.2f} {cameras}"
                f"  {side['median']:.0f} ({side['least']} to {side['largest']}){compared}"
            )
        columns = [f"distance {distance}" for distance in result["distances"]]
        lines += ["", "published, on SCface:", " ".join(f"{column:>10}" for column in columns)]
        return lines + published_lines(PUBLISHED, columns)

    def draw(self, output: Path, name: str, curves: Mapping[str, Mapping[str, Any]]) -> None:
        cmcs = {
            f"distance {distance}": (np.arange(1, len(row["cmc"]) + 1), 100 * np.array(row["cmc"]))
            for distance, row in curves.items()
        }
        draw_curves(
            output.with_suffix(".cmc.png"), f"Identification by {name}", "rank", "identified, in per cent", curves=cmcs
        )

    def main_figures(self, result: Mapping[str, Any]) -> dict[str, float]:
        return {f"distance {distance}, rank-1": 100 * row["rank_1"] for distance, row in result["distances"].items()}


def without_landmarks(located: LocatedImages) -> tuple[int, int]:
    """How many mugshots and how many probes have no landmarks."""
    images = located.data.images
    mugshots, probes = images.mugshots.values(), (probe.name for probe in images.probes)
    missing = [sum(image_key(name) not in located.landmarks for name in names) for names in (mugshots, probes)]
    return missing[0], missing[1]


def protocol(settings: Settings, template: str, side: int, subjects: int) -> str:
    """The protocol in words, for the result; `side` is that of the aligned faces."""
    gallery = "; the mugshots are shrunk to the median side of the distance's probes first" * settings.matched_gallery
    handed = f"enlarged to {side} x {side} by Pillow's bicubic" * (settings.probe_form == "enlarged")
    return (
        f"{subjects}-way closed set, no fine-tuning: one frontal mugshot a person, aligned to {side} x {side} by five "
        f"landmarks on the template {template!r}{gallery}; visible cameras 1 to 5; each probe aligned to a "
        "square of side int(3 * (largest y - least y of its landmarks)), then "
        f"{handed or 'handed to the model as it is'}. Cosine of the embeddings"
        f"{', averaged over a face and its mirror image' * settings.flip}; rank-1, ties counting against us; intervals "
        "are 95 % bootstraps over persons."
    )


def identify_scface(embedder: Embedder, located: LocatedImages, settings: Settings) -> dict[str, dict[str, Any]]:
    """Rank-1 for each distance and camera, and the CMC; the keys are the distances as text."""
    source, images = located.data.source, located.data.images
    landmarks, template, form = located.landmarks, located.template, settings.probe_form
    names = list(images.mugshots.values())
    size = embedder.aligned_size
    mugshots = align_photos(source, names, [landmarks.get(image_key(name)) for name in names], template, size=size)
    places = {subject: place for place, subject in enumerate(images.mugshots)}
    gallery = embedder.embed(mugshots)
    rows = {}
    for distance in images.distances:
        probes = [probe for probe in images.probes if probe.distance == distance]
        crops = align_probes(source, probes, landmarks, template)
        sides = np.array([len(crop) for crop in crops])
        if settings.matched_gallery:
            side = int(np.median(sides))
            gallery = embedder.embed(shrink_to_probe(mugshots, min(side, size), form=form))
        if form == "enlarged":
            crops = [resize(crop, size, size) for crop in crops]
        labels = np.array([places[probe.subject] for probe in probes])
        found = ranks(embedder.embed(crops) @ gallery.T, labels)
        rows[str(distance)] = distance_figures(found, probes, labels, len(names)) | {
            "probe_side": {"median": float(np.median(sides)), "least": int(sides.min()), "largest": int(sides.max())},
            "probes_without_landmarks": sum(image_key(probe.name) not in landmarks for probe in probes),
        }
    return rows
