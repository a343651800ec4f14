"""The tables of the cards of super-resolution networks, out of measured results."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lrfr_tf.export.model_card import tree_and_camera
from lrfr_tf.images.camera import CLEAN_LEVEL

TREES = {
    "celeba_face": "aligned, `face`",
    "celeba_squash": "aligned, `squash`",
    "celeba_people": "unaligned, found by MTCNN",
}


def restoration_table(name: str, restoration: dict[str, Any]) -> str:
    """Bicubic and this model on every tree and at every camera level."""
    lines = [
        "| faces | images | | PSNR | gain | SSIM | color shift | grid |",
        "| :-- | --: | :-- | --: | --: | --: | --: | --: |",
    ]
    for scored, found in restoration["trees"].items():
        tree, camera = tree_and_camera(scored, found)
        faces = TREES.get(Path(tree).name, tree) + ("" if camera == CLEAN_LEVEL else f", {camera}")
        for method in compared(name, found["methods"]):
            row = found["methods"][method]
            gain = row["psnr_gain"]
            interval = (
                f"{gain['mean']:+.2f} [{gain['interval_95'][0]:+.2f}, {gain['interval_95'][1]:+.2f}]" if gain else ""
            )
            lines.append(
                f"| {faces} | {found['counts']['images']:,} | {method} "
                f"| {row['psnr_rgb']['mean']:.2f} dB | {interval} | {row['ssim_rgb']['mean']:.3f} "
                f"| {row['colour_shift']['largest']:.2f} | {row['grid']['period_4']['peak_db']:.1f} dB |"
            )
    return "\n".join(lines)


def compared(name: str, methods: Mapping[str, Any]) -> list[str]:
    """Bicubic, the versions before this one that were scored with it (`name/1`), and this one."""
    return ["bicubic", *(method for method in methods if method.startswith(f"{name}/")), name]


def verification_tables(name: str, verifications: Sequence[dict[str, Any]]) -> str:
    """HR, bicubic and this model as FaceNet tells them apart, one table a camera level."""
    parts = []
    for verification in verifications:
        config, counts = verification["config"], verification["counts"]
        images = "image 1 of a pair sharp, image 2" if config["sharp_first"] else "both images of a pair"
        parts.append(
            f"FaceNet 128-D, {images} from 16 px, {config['camera']}: {counts['pairs']:,} pairs of {counts['persons']} "
            "persons (`tools/make_pairs.py`), 10 folds; differences to bicubic on the same pairs:"
        )
        lines = [
            "| | accuracy | against bicubic | 95 % over pairs | 95 % over persons | TAR at FAR 1 % |",
            "| :-- | --: | --: | --: | --: | --: |",
        ]
        for method in ("hr", *compared(name, verification["methods"])):
            row = verification["methods"][method]
            difference = row.get("difference_to_bicubic")
            cells = ["", "", ""]
            if difference:
                intervals = (difference["interval_95"], difference["interval_95_over_persons"])
                cells = [
                    f"{100 * difference['mean']:+.1f}",
                    *(f"[{100 * low:+.1f}, {100 * high:+.1f}]" for low, high in intervals),
                ]
            accuracy = f"{row['accuracy']['mean']:.1%} ± {100 * row['accuracy']['standard_error']:.1f}"
            lines.append(f"| {method} | {accuracy} | {' | '.join(cells)} | {row['tar_at_far']['0.01']:.1%} |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def noise_section(name: str, noise: dict[str, Any] | None) -> str:
    """What this model makes of noise and of things that are no faces; nothing where that was not measured."""
    if noise is None or not any(name in methods for methods in noise["kinds"].values()):
        return ""
    lines = ["| 16 x 16 pictures | | MTCNN finds a face in | contrast, bicubic = 1 |", "| :-- | :-- | --: | --: |"]
    count = noise["pictures_of_each_kind"]
    for kind, methods in noise["kinds"].items():
        for method in compared(name, methods):
            row = methods[method]
            lines.append(f"| {kind} | {method} | {row['faces_found']} of {count} | {row['contrast']:.2f} |")
    table = "\n".join(lines)
    return f"""Noise, and things that are no faces, made by code:

{table}

![What the networks make of noise, stripes and shapes](../../docs/noise.png)

"""


def overview(names: list[str], restoration: dict[str, Any], verifications: Sequence[dict[str, Any]], cards: str) -> str:
    """One line a model and camera level: gains over bicubic on every tree, and verification.

    Args:
        cards: the folder of the models' folders with their cards, as the page that shows the table links to it.
    """
    levels: dict[str, dict[str, Any]] = {}
    for scored, rows in restoration["trees"].items():
        tree, camera = tree_and_camera(scored, rows)
        levels.setdefault(camera, {})[tree] = rows
    trees = dict.fromkeys(tree for rows in levels.values() for tree in rows)
    headings = [f"{TREES.get(Path(tree).name, tree)}: PSNR gain, SSIM" for tree in trees]
    named = [" camera |"] if set(levels) != {CLEAN_LEVEL} else []  # one level needs no column
    lines = [
        f"| |{''.join(named)} {' | '.join(headings)} | pairs at 16 px, against bicubic |",
        f"| :-- |{' :-- |' * len(named)} {'--: | ' * len(headings)}--: |",
    ]
    for method in ("bicubic", *names):
        link = method if method == "bicubic" else f"[`{method}`]({cards}/{method}/MODEL_CARD.md)"
        for camera, of_trees in levels.items():
            cells = [_gain(of_trees.get(tree), method) for tree in trees]
            judged = [each for each in verifications if each["config"]["camera"] == camera]
            pairs = _pairs_gain(judged[0], method) if judged else ""
            first = link if camera == next(iter(levels)) else ""
            lines.append(f"| {first} |{f' {camera} |' * len(named)} {' | '.join(cells)} | {pairs} |")
    return "\n".join(lines)


def _gain(rows: dict[str, Any] | None, method: str) -> str:
    """What a method gains over bicubic on a tree, and what bicubic itself has."""
    if rows is None:
        return "-"
    row = rows["methods"][method]
    if method == "bicubic":
        return f"({row['psnr_rgb']['mean']:.2f} dB), {_ssim(rows, method)}"
    return f"{row['psnr_gain']['mean']:+.2f} dB, {_ssim(rows, method)}"


def _pairs_gain(verification: dict[str, Any], method: str) -> str:
    row = verification["methods"][method]
    if method == "bicubic":
        return f"({row['accuracy']['mean']:.1%})"
    difference = row["difference_to_bicubic"]
    low, high = difference["interval_95"]
    return f"{100 * difference['mean']:+.1f} points [{100 * low:+.1f}, {100 * high:+.1f}]"


def _ssim(rows: dict[str, Any], method: str) -> str:
    return f"{rows['methods'][method]['ssim_rgb']['mean']:.3f}"
