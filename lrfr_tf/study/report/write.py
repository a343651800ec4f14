"""The report of the first system: report.html (one file, opens offline) and report.md with its pictures beside it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lrfr_tf.files import atomic_file, atomic_folder
from lrfr_tf.printable import ESCAPED
from lrfr_tf.study.report.faces import Example
from lrfr_tf.study.report.html import html_page
from lrfr_tf.study.report.sections import (
    BOXES_TEXT,
    GROUPS,
    LEVELS_HEADING,
    PIXELS_HEADING,
    PLOTS,
    QUALITY_TEXT,
    RECOGNITION_TEXT,
    face_name,
    group_text,
    group_title,
    pictures,
    plot_name,
    sides,
)
from lrfr_tf.study.report.tables import blocks_of, boxes_table, quality_table
from lrfr_tf.study.report.text import (
    levels_markdown,
    markdown,
    markdown_table,
    pixels_markdown,
    recognition_markdown,
)
from lrfr_tf.study.report.words import DEFINITIONS, block_sentence, method_name, settings, short_name, summary

PICTURE_FOLDER = "report_files"


def write_report(
    folder: Path, result: dict[str, Any], examples: list[Example], curves: Mapping[str, bytes] | None = None
) -> None:
    """Writes `report.html`, `report.md` and `report_files/*.png` into a folder, each whole or not at all.

    Args:
        result: what `result.json` holds (see `lrfr_tf.study.evaluate`).
        examples: test images to show, in the order in which each group shows them; may be empty.
        curves: block -> PNG of accuracy against pixels, where `result` holds "pixels".
    """
    drawn = pictures(result, examples, curves)
    with atomic_folder(folder / PICTURE_FOLDER) as temporary:  # faces of an older report do not stay behind
        for name, png in drawn.items():
            (temporary / name).write_bytes(png)
    for name, text in (
        ("report.md", _markdown_page(result, examples, drawn)),
        ("report.html", html_page(result, examples, drawn)),
    ):
        with atomic_file(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8", errors=ESCAPED)


def _markdown_page(result: dict[str, Any], examples: Sequence[Example], drawn: dict[str, bytes]) -> str:
    parts = [f"# {markdown(result['title'])}", markdown(summary(result, *sides(examples)))]
    if result["note"]:
        parts.append(f"> {markdown(result['note'])}")
    for name, title, block in blocks_of(result):
        parts += [f"## {markdown(title)}", markdown(block_sentence(name, result)), *recognition_markdown(block)]
        parts.append(markdown(RECOGNITION_TEXT))
    if "levels" in result:
        parts += [f"## {LEVELS_HEADING}", *levels_markdown(result)]
    parts.append("## Image quality and detection")
    for _, title, block in blocks_of(result):
        parts += [f"### {markdown(title)}", markdown_table(quality_table(block))]
    parts.append(markdown(QUALITY_TEXT))
    for group in GROUPS:
        parts += _examples(group, result, examples)
    for kind, heading, _ in PLOTS:
        parts.append(f"## {heading}")
        for block_name, title, block in blocks_of(result):
            if (name := plot_name(kind, block_name)) in drawn:
                parts.append(f"![{markdown(heading)}: {markdown(title)}]({PICTURE_FOLDER}/{name})")
            if kind == "boxes":
                parts += [f"### {markdown(title)}", markdown_table(boxes_table(block))]
        if kind == "boxes":
            parts.append(markdown(BOXES_TEXT))
    if "pixels" in result:
        names = {block: plot_name("pixels", block) for block in result["pixels"]["blocks"]}
        paths = {block: f"{PICTURE_FOLDER}/{name}" for block, name in names.items() if name in drawn}
        parts += [f"## {PIXELS_HEADING}", *pixels_markdown(result["pixels"], paths)]
    rows = [f"| {markdown(name)} | {markdown(value)} |" for name, value in settings(result)]
    parts += ["## Configuration and versions", "\n".join(["| Setting | Value |", "| :-- | :-- |", *rows])]
    parts.append("## How each figure is defined")
    parts.append("\n".join(f"- **{markdown(term)}**: {markdown(meaning)}" for term, meaning in DEFINITIONS))
    return "\n\n".join(parts) + "\n"


def _examples(group: str, result: dict[str, Any], examples: Sequence[Example]) -> list[str]:
    chosen = [(index, example) for index, example in enumerate(examples) if example.group == group]
    if not chosen:
        return []
    members = [example for _, example in chosen]
    methods = list(members[0].faces)
    rows = [[*(markdown(short_name(method)) for method in methods), "Identity"], [":-:"] * (len(methods) + 1)]
    for index, example in chosen:
        cells = []
        for column, method in enumerate(methods):
            picture = f"![{markdown(method_name(method))}]({PICTURE_FOLDER}/{face_name(index, column)})"
            words = "" if group == "grid" else markdown(example.verdict(method)[1])
            cells.append(f"{picture}<br>{words}" if words else picture)
        rows.append([*cells, markdown(example.identity)])
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return [f"## {markdown(group_title(group, members))}", markdown(group_text(group, members, result)), table]
