"""The tables of a result as text for a terminal, and as GitHub Markdown."""

import html
import re
import textwrap
from typing import Any

from lrfr_tf.images.camera import CLEAN_LEVEL
from lrfr_tf.study.report.formatting import ABSENT, count, interval, number, p_value, percent
from lrfr_tf.study.report.pixels import curves_by_camera, pixels_sentence, pixels_table
from lrfr_tf.study.report.sentences import (
    below_bicubic,
    block_counts,
    block_sentence,
    camera_title,
    head_name,
    levels_sentence,
    mean_of,
    method_name,
    one_line,
    short_name,
    siamese_sentence,
)
from lrfr_tf.study.report.tables import (
    Cell,
    Table,
    blocks_of,
    boxes_table,
    levels_table,
    quality_table,
    recognition_groups,
    recognition_table,
)

WIDTH = 120


def table_text(result: dict[str, Any]) -> str:
    """The figures of each block, for a terminal of 120 columns: image quality, recognition, what is below bicubic."""
    parts = [one_line(result["title"])]
    if result["note"]:
        parts.append(textwrap.fill(one_line(result["note"]), WIDTH))
    if "siamese" in result:
        parts.append(textwrap.fill(one_line(siamese_sentence(result)), WIDTH))
    for _, title, block in blocks_of(result):
        parts.append(f"\n{title}: {block_counts(block)}; 95 % intervals in brackets\n")
        parts.append(_aligned(_quality_lines(block), words=1))
        parts.append("")
        parts.append(_aligned(_recognition_lines(block), words=3))
        parts += ["\n" + textwrap.fill(sentence, WIDTH) for sentence in below_bicubic(block)]
    if "levels" in result:
        parts.append("\n" + textwrap.fill(levels_sentence(result), WIDTH))
        for name, title, _ in blocks_of(result):
            parts.append(f"\n{title}, by camera\n\n{_table_text(levels_table(result, name))}")
    return "\n".join(parts)


def table_markdown(result: dict[str, Any]) -> str:
    """Every figure of each block as GitHub Markdown tables, with its 95 % interval and its n."""
    parts = []
    for name, title, block in blocks_of(result):
        parts.append(f"### {markdown(title)}\n\n{markdown(block_sentence(name, result))}")
        parts += recognition_markdown(block)
        parts += [markdown_table(quality_table(block)), markdown_table(boxes_table(block))]
    if "levels" in result:
        parts += ["### By camera", *levels_markdown(result)]
    return "\n\n".join(parts) + "\n"


def pixels_text(result: dict[str, Any]) -> str:
    """Top-1 against pixels, for a terminal: the protocol, and of each block the shares with their intervals."""
    parts = [one_line(result["title"]), textwrap.fill(one_line(pixels_sentence(result)), WIDTH)]
    for _, title, block in blocks_of(result):
        parts.append(f"\n{title}: {block_counts(block)}; top-1 in per cent, 95 % intervals in brackets")
        for camera, curves in curves_by_camera(block).items():
            parts.append("" if camera == CLEAN_LEVEL else f"\n{camera_title(camera)}\n")
            # A line for each size: eight sizes side by side would be wider than a terminal.
            lines = [["pixels", *(short_name(method) for method in curves)]]
            for points in zip(*curves.values(), strict=True):
                lines.append([str(points[0]["pixels"]), *(_figure(point["top_1"], percent) for point in points)])
            parts.append(_aligned(lines, words=0))
    return "\n".join(parts)


def pixels_markdown(result: dict[str, Any], pictures: dict[str, str]) -> list[str]:
    """Top-1 against pixels as paragraphs of Markdown: of each block picture and table, then the protocol.

    Args:
        pictures: block -> path of its picture, as the document names it; a block may have none.
    """
    parts = []
    for name, title, block in blocks_of(result):
        if name in pictures:
            parts.append(f"![Accuracy against pixels: {markdown(title)}]({pictures[name]})")
        parts.append(f"**{markdown(title)}**: {markdown(block_counts(block))}.")
        parts.append(markdown_table(pixels_table(block, result)))
    return [*parts, markdown(pixels_sentence(result))]


def levels_markdown(result: dict[str, Any]) -> list[str]:
    """What each camera level came to: paragraphs of Markdown, a table for each block."""
    parts = [markdown(levels_sentence(result))]
    for name, title, block in blocks_of(result):
        parts.append(f"**{markdown(title)}**: {markdown(block_counts(block))}.")
        parts.append(markdown_table(levels_table(result, name)))
    return parts


def recognition_markdown(block: dict[str, Any]) -> list[str]:
    """The recognition table of a block and, under it, what is below bicubic: paragraphs of Markdown."""
    return [markdown_table(recognition_table(block)), *(markdown(sentence) for sentence in below_bicubic(block))]


def markdown_table(table: Table) -> str:
    """A table as GitHub Markdown; the best figure of each group is bold."""
    headings = [
        markdown(f"{heading}, {over}" if over else heading)
        for heading, over in zip(table.headings, table.over, strict=True)
    ]
    rules = [":--" if column < table.words else "--:" for column in range(len(headings))]
    rows = [[_markdown_cell(cell) for cell in row] for row in table.rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in [headings, rules, *rows])


def markdown(text: Any) -> str:
    """Escapes a text for a line, or a table cell, of Markdown."""
    escaped = re.sub(r"([\\`*_\[\]|~#$])", r"\\\1", html.escape(one_line(text), quote=False))
    return escaped.replace("&lt; ", "< ")  # "< 0.001" opens no tag, and reads better in the source.


def _markdown_cell(cell: Cell) -> str:
    text = f"**{markdown(cell.text)}**" if cell.best else markdown(cell.text)
    # Brackets with numbers in them are no link, and stay readable in the source without a backslash.
    return f"{text} {cell.interval}" if cell.interval else text


def _quality_lines(block: dict[str, Any]) -> list[list[str]]:
    lines = [["method", "detected %", "PSNR dB (RGB)", "SSIM (RGB)"]]
    for method, row in block["quality"].items():
        lines.append(
            [
                method_name(method),
                _figure(row["detected"], percent),
                _figure(row.get("psnr_rgb"), lambda value: number(value, 2)),
                _figure(row.get("ssim_rgb"), lambda value: number(value, 3)),
            ]
        )
    return lines


def _recognition_lines(block: dict[str, Any]) -> list[list[str]]:
    groups = recognition_groups(block["recognition"])
    with_top_5 = any("top_5" in row["all"] for group in groups for row in group)
    lines = [
        [
            "method",
            "head",
            "fitted on",
            "top-1 % (all)",
            "top-5 %",
            "top-1 detected (n)",
            "top-1 intersection (n)",
            "n",
            "p",
        ]
    ]
    for place, group in enumerate(groups):
        if place > 0:
            lines.append([""] * len(lines[0]))
        for row in group:
            lines.append(
                [
                    short_name(row["method"]),
                    head_name(row["head"]),
                    short_name(row["trained_on"]),
                    _figure(row["all"]["top_1"], percent),
                    percent(mean_of(row["all"].get("top_5"))),
                    *(
                        f"{percent(mean_of(row[subset]['top_1']))} ({count(row[subset]['images'])})"
                        for subset in ("detected", "intersection")
                    ),
                    count(row["all"]["images"]),
                    p_value(row.get("p_against_bicubic")),
                ]
            )
    return lines if with_top_5 else [line[:4] + line[5:] for line in lines]


def _table_text(table: Table) -> str:
    """A table without its intervals; the best figure of each group has a star."""
    headings = [f"{over} {text}".strip() for text, over in zip(table.headings, table.over, strict=True)]
    lines = [[f"{cell.text}{'*' if cell.best else ''}" for cell in row] for row in table.rows]
    return _aligned([headings, *lines], table.words)


def _figure(figure: dict[str, Any] | None, show: Any) -> str:
    if figure is None:
        return ABSENT
    return f"{show(figure['mean'])} {interval(figure['interval_95'], show)}".rstrip()


def _aligned(lines: list[list[str]], words: int) -> str:
    lines = [[one_line(text) for text in line] for line in lines]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(
            text.ljust(width) if column < words else text.rjust(width)
            for column, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
