"""Mugshots and photos by real surveillance cameras -> how often the nearest mugshot is the right person's, by size."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lrfr_tf.benchmarks.frmdb_files import CAMERAS, Frmdb
from lrfr_tf.errors import UserError
from lrfr_tf.evaluation.identification import ranks, top_k
from lrfr_tf.evaluation.significance import grouped_interval
from lrfr_tf.images.probes import as_probe
from lrfr_tf.networks.embedding import Embedder

NATIVE = "native"
SIZES = (NATIVE, "24", "16", "12")


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
    embedder: Embedder, images: Frmdb, template: str, side: int, sizes: Sequence[str] = SIZES
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
        probes = faces if size == NATIVE else as_probe(faces, int(size))
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
        raise UserError(f"{where} is no result of tools/evaluate_frmdb.py at the sizes {', '.join(sizes)}.")
    if baseline.get("probes") != images.probes:
        raise UserError(f"{where} was measured on other photos; a paired difference needs the same.")
    each = {size: _right(rows[size], images) - _right(theirs[size], images) for size in sizes}
    pooled = {"mean": sizes, " and ".join(sizes[-2:]): sizes[-2:]}
    each |= {name: np.mean([each[size] for size in members], axis=0) for name, members in pooled.items()}
    return {
        name: {"mean": float(values.mean()), "interval_95": list(grouped_interval(values, images.labels))}
        for name, values in each.items()
    }


def frmdb_lines(result: dict[str, Any]) -> list[str]:
    """The result as lines of text; rank-1 in per cent."""
    counts, compared = result["counts"], result["difference_to_baseline"] or {}
    lines = [
        f"{result['model']['name']}: {counts['persons']} persons, {counts['probes']} photos, rank-1 in per cent",
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
            interval = "[{:.1f}, {:.1f}]".format(*(100 * end for end in row["interval_95"]))
            cameras = " ".join(f"{100 * row['cameras'][str(camera)]:6.1f}" for camera in CAMERAS)
            below = f"{100 * row['others_below']:13.2f}" if "others_below" in row else " " * 13
            text += f"{100 * row['rank_1']:7.2f} {interval:>16} {cameras} {below}"
        else:
            text += " " * (7 + 1 + 16 + 1 + 7 * len(CAMERAS) + 13)
        if name in compared:
            ends = "[{:+.1f}, {:+.1f}]".format(*(100 * end for end in compared[name]["interval_95"]))
            text += f"  {100 * compared[name]['mean']:+.2f} {ends}"
        lines.append(text)
    return lines


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
        "correct": np.packbits(found == 1).tobytes().hex(),
    }


def _right(row: dict[str, Any], images: Frmdb) -> np.ndarray:
    bits = np.unpackbits(np.frombuffer(bytes.fromhex(row["correct"]), np.uint8), count=len(images.probes))
    return bits.astype(np.float64)
