"""Accuracy against pixels in words, as a table and as pictures; the result is that of tools/evaluate_pixels.py."""

import dataclasses
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np

from lrfr_tf.benchmarks.curves import draw_panels
from lrfr_tf.errors import UserError
from lrfr_tf.files import read_json, sha256
from lrfr_tf.images.camera import CLEAN_LEVEL
from lrfr_tf.plural import counted
from lrfr_tf.study.report.formatting import percent
from lrfr_tf.study.report.sentences import BASELINE, block_counts, block_title, camera_title, method_name
from lrfr_tf.study.report.tables import Column, Table, make_table

BENCHMARK = "pixels"
SCHEMA = 1


def curve_name(method: str, result: dict[str, Any]) -> str:
    """How the legend calls a method."""
    if method == "siamese":
        return method_name(method)
    if method == BASELINE:
        return f"{method_name(method)} + FaceNet"
    return f"{method_name(method)} (probe resized to {result['low_size']} px) + FaceNet"


def curves_by_camera(block: dict[str, Any]) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """camera level -> method -> its points, in the order of the result."""
    cameras: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for method, points in block["curves"].items():
        for point in points:
            cameras.setdefault(point.get("camera", CLEAN_LEVEL), {}).setdefault(method, []).append(point)
    return cameras


def pixels_table(block: dict[str, Any], result: dict[str, Any]) -> Table:
    """Top-1 of every method at every size; with several camera levels a group of rows for each."""
    columns = [Column(f"{size} px", itemgetter(str(size)), percent, over="Top-1 (%)") for size in result["sizes"]]
    groups = [
        [
            {"method": method, "camera": camera, **{str(point["pixels"]): point["top_1"] for point in points}}
            for method, points in curves.items()
        ]
        for camera, curves in curves_by_camera(block).items()
    ]
    if len(groups) == 1 and groups[0][0]["camera"] == CLEAN_LEVEL:
        return make_table(["Method"], lambda row: [curve_name(row["method"], result)], columns, groups)
    table = make_table(
        ["Method", "Camera"], lambda row: [curve_name(row["method"], result), row["camera"]], columns, groups
    )
    return dataclasses.replace(table, titles=[camera_title(group[0]["camera"]) for group in groups])


def pixels_sentence(result: dict[str, Any]) -> str:
    """The protocol, and how many images it is about."""
    counts = result["counts"]
    return (
        f"{result['protocol']} Gallery: {counted(counts['gallery_images'], 'image')} of "
        f"{counted(counts['gallery_identities'], 'identity', 'identities')} "
        f"({counts['gallery_images_without_face_in_hr']:,} more without a face found in HR). Of "
        f"{counted(counts['test_images'], 'test image')} {counts['probes']:,} "
        f"{'is a probe' if counts['probes'] == 1 else 'are probes'}; "
        f"{counts['probes_without_face_in_hr']:,} have no face found in HR, {counts['probes_without_gallery_face']:,} "
        "nobody in the gallery."
    )


def picture_path(output: Path, block: str) -> Path:
    """Where the picture of a block lies beside its result: `result.held_out.png`."""
    return output.with_suffix(f".{block}.png")


def draw_pixels(output: Path, result: dict[str, Any]) -> None:
    """Draws the curves of each block beside the result, with a panel for each camera level."""
    for name, block in result["blocks"].items():
        panels = {}
        for camera, curves in curves_by_camera(block).items():
            panels[camera_title(camera)] = {
                curve_name(method, result): (
                    np.array([point["pixels"] for point in points]),
                    np.array([100 * point["top_1"]["mean"] for point in points]),
                )
                for method, points in curves.items()
            }
        title = f"{result['title']}\n{block_title(name)}: {block_counts(block)}"
        draw_panels(
            picture_path(output, name),
            title,
            "Pixels (S x S)",
            "Top-1, face found in HR (%)",
            panels=panels,
            log_x=True,
        )


def read_pixels(path: Path, data: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Reads a result of tools/evaluate_pixels.py and its pictures.

    Args:
        data: the prepared tree it must be about.

    Returns:
        (the result, block -> PNG).

    Raises:
        UserError: a file is missing, or it is another result, or about another tree.
    """
    result = read_json(path)
    if not isinstance(result, dict) or (result.get("benchmark"), result.get("schema")) != (BENCHMARK, SCHEMA):
        raise UserError(f"{path} is no result of lrfr evaluate pixels of schema {SCHEMA}.")
    if result["data"]["manifest_sha256"] != sha256(data / "manifest.json"):
        raise UserError(f"{path} was measured on another tree than {data}.")
    pictures = {}
    for block in result["blocks"]:
        picture = picture_path(path, block)
        if not picture.is_file():
            raise UserError(f"{picture} is missing; lrfr evaluate pixels draws it.")
        pictures[block] = picture.read_bytes()
    return result, pictures
