"""Mugshots and surveillance images -> how often the nearest mugshot is the right person's."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lrfr_tf.benchmarks.curves import draw_curves
from lrfr_tf.benchmarks.photo_landmarks import THRESHOLDS, landmarks_by_detector
from lrfr_tf.benchmarks.published import published_lines
from lrfr_tf.benchmarks.scface_files import (
    CAMERAS,
    MUGSHOT_TABLE,
    Key,
    Probe,
    SCface,
    align_probes,
    image_key,
    table_name,
)
from lrfr_tf.data.landmarks import write_landmarks
from lrfr_tf.data.paired_photos import align_photos
from lrfr_tf.errors import UserError
from lrfr_tf.evaluation.identification import cmc, ranks, top_k
from lrfr_tf.evaluation.significance import bootstrap_interval
from lrfr_tf.faces.detect import FaceDetector
from lrfr_tf.images.probes import as_probe
from lrfr_tf.images.resize import resize
from lrfr_tf.networks.embedding import Embedder
from lrfr_tf.sources.image_source import ImageSource

PROTOCOLS = ("all", "80way")
CMC_RANKS = 20
SMALLEST_FACE = 12  # at distance 1 a face is about 25 px high


def protocol(settings: Any, template: str, side: int, subjects: int) -> str:
    """The protocol in words, for the result.

    Args:
        settings: the Config of tools/evaluate_scface.py.
        side: of aligned faces in pixels.
    """
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


def detect_scface_landmarks(source: ImageSource, images: SCface, folder: str | None) -> dict[Key, np.ndarray]:
    """The landmarks that MTCNN finds, written as the four tables into `folder` if it is given.

    Raises:
        UserError: an image cannot be read, or no mugshot shows a face.
    """
    mugshots = landmarks_by_detector(source, list(images.mugshots.values()), FaceDetector(THRESHOLDS))
    if not mugshots:
        raise UserError(f"No face was found in any of the {len(images.mugshots)} mugshots of {source.label('')}.")
    probes = landmarks_by_detector(
        source, [probe.name for probe in images.probes], FaceDetector(THRESHOLDS, SMALLEST_FACE)
    )
    if folder is not None:
        write_landmarks(Path(folder) / MUGSHOT_TABLE, mugshots)
        for distance in images.distances:
            names = [probe.name for probe in images.probes if probe.distance == distance and probe.name in probes]
            write_landmarks(Path(folder) / table_name(distance), {name: probes[name] for name in names})
    return {image_key(name): points for name, points in (mugshots | probes).items()}


def identify_scface(
    embedder: Embedder,
    source: ImageSource,
    images: SCface,
    landmarks: Mapping[Key, np.ndarray],
    template: str,
    probe_form: str,
    matched_gallery: bool,
) -> dict[str, dict[str, Any]]:
    """Rank-1 for each distance and camera, and the CMC; the keys are the distances as text.

    Args:
        landmarks: `image_key` -> [5, 2]; images without get `fallback_landmarks`.
        template: one of `faces.align.TEMPLATES`.
        probe_form: "enlarged" resizes the aligned probes to what the embedder takes, "small" leaves them near their own
            resolution.
        matched_gallery: the mugshots are shrunk to the median side of the distance's probes.
    """
    names = list(images.mugshots.values())
    size = embedder.aligned_size
    mugshots = align_photos(source, names, [landmarks.get(image_key(name)) for name in names], template, size)
    places = {subject: place for place, subject in enumerate(images.mugshots)}
    gallery = embedder.embed(mugshots)
    rows = {}
    for distance in images.distances:
        probes = [probe for probe in images.probes if probe.distance == distance]
        crops = align_probes(source, probes, landmarks, template)
        sides = np.array([len(crop) for crop in crops])
        if matched_gallery:
            side = int(np.median(sides))
            gallery = embedder.embed(as_probe(mugshots, min(side, size), probe_form))
        if probe_form == "enlarged":
            crops = [resize(crop, size, size) for crop in crops]
        labels = np.array([places[probe.subject] for probe in probes])
        found = ranks(embedder.embed(crops) @ gallery.T, labels)
        rows[str(distance)] = _row(found, probes, labels, len(names)) | {
            "probe_side": {"median": float(np.median(sides)), "least": int(sides.min()), "largest": int(sides.max())},
            "probes_without_landmarks": sum(image_key(probe.name) not in landmarks for probe in probes),
        }
    return rows


def images_checksum(source: ImageSource, images: SCface) -> str:
    """One SHA-256 for all mugshots and probes: their names without folders above SCface's own, and their bytes."""
    digest = hashlib.sha256()
    for name in (*images.mugshots.values(), *(probe.name for probe in images.probes)):
        digest.update("/".join(image_key(name)).encode() + hashlib.sha256(source.read(name)).digest())
    return digest.hexdigest()


def differences(
    rows: Mapping[str, Mapping[str, Any]], persons: int, baseline: Any, checksum: str, where: str
) -> dict[str, dict[str, Any]]:
    """The difference of rank-1 to another result on the same images, with a bootstrap interval over persons.

    Args:
        rows: as `identify_scface` returns them.
        baseline: the other result, as read from JSON.
        checksum: `images_checksum`, which must be the other's.
        where: how messages call the other result.

    Returns:
        distance -> mean, interval_95; positive where we are right more often.

    Raises:
        UserError: the other result is none of this tool, or of other images.
    """
    if not isinstance(baseline, dict) or not isinstance(baseline.get("distances"), dict):
        raise UserError(f"{where} is no result of tools/evaluate_scface.py.")
    if baseline.get("images_sha256") != checksum:
        raise UserError(f"{where} was measured on other images; a paired difference needs the same.")
    found = {}
    for distance, row in rows.items():
        ours, theirs = (_right(r, persons).mean(axis=1) for r in (row, baseline["distances"][distance]))
        difference = ours - theirs
        found[distance] = {"mean": float(difference.mean()), "interval_95": list(bootstrap_interval(difference))}
    return found


def pooled_difference(results: Sequence[Mapping[str, Any]], baselines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The mean difference of rank-1 over all distances of several results of the same persons, in the same order.

    Returns:
        mean, interval_95 (bootstrap over persons); positive where `results` are right more often.

    Raises:
        UserError: results of different images or persons.
    """
    each = []
    for ours, theirs in zip(results, baselines, strict=True):
        persons = ours["counts"]["persons"]
        if ours["images_sha256"] != theirs["images_sha256"] or persons != results[0]["counts"]["persons"]:
            raise UserError("Results of different images or persons are not pooled.")
        for distance, row in ours["distances"].items():
            other = theirs["distances"][distance]
            each.append((_right(row, persons) - _right(other, persons)).mean(axis=1))
    difference = np.mean(each, axis=0)
    return {"mean": float(difference.mean()), "interval_95": list(bootstrap_interval(difference))}


def scface_lines(result: dict[str, Any]) -> list[str]:
    """The result as lines of text with the published rows below; rank-1 in per cent."""
    lines = [
        f"{result['model']['name']}: {result['counts']['persons']} persons, rank-1 in per cent",
        f"{'distance':>8} {'rank-1':>7} {'95 %':>16} {'rank-5':>7} "
        + " ".join(f"{f'cam {camera}':>6}" for camera in CAMERAS)
        + "  probe side in pixels"
        + ("  to the baseline" if result["difference_to_baseline"] else ""),
    ]
    for distance, row in result["distances"].items():
        interval = "[{:.1f}, {:.1f}]".format(*(100 * end for end in row["interval_95"]))
        cameras = " ".join(f"{100 * row['cameras'][str(camera)]:6.1f}" for camera in CAMERAS)
        side = row["probe_side"]
        rank_5 = 100 * row["cmc"][min(4, len(row["cmc"]) - 1)]
        difference = (result["difference_to_baseline"] or {}).get(distance)
        compared = ""
        if difference is not None:
            ends = "[{:+.1f}, {:+.1f}]".format(*(100 * end for end in difference["interval_95"]))
            compared = f"  {100 * difference['mean']:+.2f} {ends}"
        lines.append(
            f"{distance:>8} {100 * row['rank_1']:7.2f} {interval:>16} {rank_5:7.2f} {cameras}"
            f"  {side['median']:.0f} ({side['least']} to {side['largest']}){compared}"
        )
    columns = [f"distance {distance}" for distance in result["distances"]]
    lines += ["", "published, on SCface:", " ".join(f"{column:>10}" for column in columns)]
    return lines + published_lines("scface", columns)


def draw_scface(output: Path, name: str, rows: Mapping[str, Mapping[str, Any]]) -> None:
    """Draws the CMC of each distance beside the result."""
    curves = {
        f"distance {distance}": (np.arange(1, len(row["cmc"]) + 1), 100 * np.array(row["cmc"]))
        for distance, row in rows.items()
    }
    draw_curves(output.with_suffix(".cmc.png"), f"Identification by {name}", "rank", "identified, in per cent", curves)


def _right(row: Mapping[str, Any], persons: int) -> np.ndarray:
    """`correct` of a row as float [persons, cameras]; probes are sorted by person, then camera."""
    bits = np.unpackbits(np.frombuffer(bytes.fromhex(row["correct"]), np.uint8), count=persons * len(CAMERAS))
    return bits.reshape(persons, len(CAMERAS)).astype(np.float64)


def _row(found: np.ndarray, probes: Sequence[Probe], labels: np.ndarray, classes: int) -> dict[str, Any]:
    right = found == 1
    cameras = np.array([probe.camera for probe in probes])
    # Each person has the same number of probes, so the mean over persons of their shares is the mean over probes.
    shares = np.array([right[labels == label].mean() for label in np.unique(labels)])
    return {
        "rank_1": top_k(found, 1),
        "interval_95": list(bootstrap_interval(shares)),
        "interval_95_over_probes": list(bootstrap_interval(right)),
        "probes": len(probes),
        "cameras": {str(camera): float(right[cameras == camera].mean()) for camera in CAMERAS},
        "cmc": cmc(found, min(CMC_RANKS, classes)).tolist(),
        "correct": np.packbits(right).tobytes().hex(),
    }
