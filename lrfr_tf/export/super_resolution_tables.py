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


def named_trees(restoration: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """What cards call each tree at each camera level, and what was found on it."""
    named = []
    for scored, found in restoration["trees"].items():
        tree, camera = tree_and_camera(scored, found)
        level = "" if camera == CLEAN_LEVEL else f", {camera}"
        named.append((TREES.get(Path(tree).name, tree) + level, found))
    return named


def compared(name: str, methods: Mapping[str, Any]) -> list[str]:
    """Bicubic, the network of clean faces that was scored beside the one of a camera's, and this one."""
    clean = name.removesuffix("_camera")
    return ["bicubic", *([clean] if clean != name and clean in methods else []), name]


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
