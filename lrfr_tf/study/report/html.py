"""The report as one HTML file that needs nothing else: its styles and pictures are inside, and it has no script."""

import base64
import html
import itertools
import re
from collections.abc import Sequence
from typing import Any

from lrfr_tf.study.report.faces import Example
from lrfr_tf.study.report.figures import interval, percent
from lrfr_tf.study.report.pixels import pixels_sentence, pixels_table
from lrfr_tf.study.report.plots import colors
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
    plot_name,
    sides,
)
from lrfr_tf.study.report.style import STYLE
from lrfr_tf.study.report.tables import (
    Cell,
    Table,
    blocks_of,
    boxes_table,
    levels_table,
    quality_table,
    recognition_table,
)
from lrfr_tf.study.report.words import (
    DEFINITIONS,
    below_bicubic,
    block_counts,
    block_sentence,
    fitted_on_hr,
    head_name,
    levels_sentence,
    main_head,
    method_name,
    methods_of,
    one_line,
    settings,
    short_name,
    summary,
)

# The page may show its own pictures and styles, and load nothing.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def html_page(result: dict[str, Any], examples: Sequence[Example], pictures: dict[str, bytes]) -> str:
    """The page; `pictures` are those of `sections.pictures`."""
    title = _text(result["title"])
    body = [f"<h1>{title}</h1>", f"<p>{_text(summary(result, *sides(examples)))}</p>"]
    if result["note"]:
        body.append(f'<p class="note">{_text(result["note"])}</p>')
    for index, (name, heading, block) in enumerate(blocks_of(result)):
        body.append(f"<h2>{_text(heading)}</h2>\n<p>{_text(block_sentence(name, result))}</p>")
        if index == 0:
            body.append(_key_figures(block))
        body.append(_figures(recognition_table(block)))
        body.append(f'<p class="small">{RECOGNITION_TEXT}</p>')
        body += [f'<p class="below">{_unbroken(_text(sentence))}</p>' for sentence in below_bicubic(block)]
    if "levels" in result:
        body.append(f"<h2>{LEVELS_HEADING}</h2>\n<p>{_text(levels_sentence(result))}</p>")
        for name, heading, _ in blocks_of(result):
            body += [f"<h3>{_text(heading)}</h3>", _figures(levels_table(result, name))]
    body.append("<h2>Image quality and detection</h2>")
    for _, heading, block in blocks_of(result):
        body += [f"<h3>{_text(heading)}</h3>", _figures(quality_table(block))]
    body.append(f'<p class="small">{QUALITY_TEXT}</p>')
    for group in GROUPS:
        body.append(_examples(group, result, examples, pictures))
    for kind, heading, _ in PLOTS:
        body.append(f"<h2>{heading}</h2>\n{_plots(kind, heading, result, pictures)}")
        if kind == "boxes":
            for _, block_heading, block in blocks_of(result):
                body += [f"<h3>{_text(block_heading)}</h3>", _figures(boxes_table(block))]
            body.append(f'<p class="small">{BOXES_TEXT}</p>')
    if "pixels" in result:
        body += _pixels(result["pixels"], pictures)
    rows = "\n".join(f'<tr><th scope="row">{_text(k)}</th><td>{_text(v)}</td></tr>' for k, v in settings(result))
    body.append(f'<h2>Configuration and versions</h2>\n<table class="settings">\n{rows}\n</table>')
    terms = "\n".join(f"<dt>{_text(term)}</dt><dd>{_text(meaning)}</dd>" for term, meaning in DEFINITIONS)
    body.append(f'<h2>How each figure is defined</h2>\n<dl class="glossary">\n{terms}\n</dl>')
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n" + "\n".join(body) + "\n</body>\n</html>\n"
    )


def _key_figures(block: dict[str, Any]) -> str:
    """Top-1 of each method with the main head, in large type."""
    head = main_head(block["recognition"])
    rows = [row for row in block["recognition"] if fitted_on_hr(row) and row["head"] == head]
    if not rows:
        return ""
    palette = colors(methods_of(block))
    boxes = []
    for row in rows:
        top_1 = row["all"]["top_1"]
        boxes.append(
            f'<div style="--color: {palette.get(row["method"], "#888")}"><dt>{_text(short_name(row["method"]))}</dt>'
            f"<dd>{percent(top_1['mean'])} %<span>{interval(top_1['interval_95'], percent)}</span></dd></div>"
        )
    caption = f"Top-1 over all images with the {head_name(str(head))} head fitted on HR."
    return f'<dl class="key">{"".join(boxes)}</dl>\n<p class="small">{_text(caption)}</p>'


def _figures(table: Table) -> str:
    """A table of figures: numbers to the right, intervals under them, a rule between groups."""
    table = _narrowed(table)
    # A wider gap where the heading above changes.
    starts = {column for column in range(1, len(table.over)) if table.over[column] != table.over[column - 1]}
    lines = []
    if any(table.over):
        cells = [
            f'<th class="{"named" if over else ""}" colspan="{len(list(run))}">{_text(over)}</th>'
            for over, run in itertools.groupby(table.over)
        ]
        lines.append(f'<tr class="over">{"".join(cells)}</tr>')
    headings = (
        f'<th scope="col" class="{_kind(column, table, starts)}">{_text(heading)}</th>'
        for column, heading in enumerate(table.headings)
    )
    lines.append(f"<tr>{''.join(headings)}</tr>")
    bodies = []
    for group, title in zip(table.groups, table.titles or [""] * len(table.groups), strict=True):
        rows = [
            "".join(f'<td class="{_kind(i, table, starts)}">{_cell(cell)}</td>' for i, cell in enumerate(row))
            for row in group
        ]
        if title:
            rows.insert(
                0,
                f'<th class="group" scope="rowgroup" colspan="{len(table.headings)}"><span>{_text(title)}</span></th>',
            )
        bodies.append("<tbody>" + "\n".join(f"<tr>{row}</tr>" for row in rows) + "</tbody>")
    head, body = "\n".join(lines), "\n".join(bodies)
    return f'<div class="scroll"><table class="figures">\n<thead>{head}</thead>\n{body}\n</table></div>'


def _narrowed(table: Table) -> Table:
    """The table without columns that say the same in every row: they go into the titles and the headings above."""
    kept = [0] if table.titles else list(range(table.words))
    over = list(table.over)
    for column in range(table.words, len(table.headings)):
        texts = {row[column].text for row in table.rows}
        if table.headings[column] == "n" and over[column] and len(texts) == 1:
            name, text = over[column], f"{over[column]}, n = {texts.pop()}"
            over = [text if item == name else item for item in over]
        else:
            kept.append(column)
    return Table(
        headings=[table.headings[column] for column in kept],
        over=[over[column] for column in kept],
        words=len([column for column in kept if column < table.words]),
        groups=[[[row[column] for column in kept] for row in group] for group in table.groups],
        titles=[title[:1].upper() + title[1:] for title in table.titles],
    )


def _kind(column: int, table: Table, starts: set[int]) -> str:
    if column < table.words:
        return "word"
    return "starts" if column in starts else ""


def _cell(cell: Cell) -> str:
    text = f"<b>{_text(cell.text)}</b>" if cell.best else _text(cell.text)
    return f"{text}<small>{_text(cell.interval)}</small>" if cell.interval else text


def _examples(group: str, result: dict[str, Any], examples: Sequence[Example], pictures: dict[str, bytes]) -> str:
    """The faces of a group: one row an example, one column a method."""
    chosen = [(index, example) for index, example in enumerate(examples) if example.group == group]
    if not chosen:
        return ""
    members = [example for _, example in chosen]
    headings = "".join(f'<th scope="col">{_text(short_name(method))}</th>' for method in members[0].faces)
    bodies = []
    for index, example in chosen:
        faces = "".join(
            f'<td><img src="{_source(pictures[face_name(index, column)])}" '
            f'alt="{_text(method_name(method))} of {_text(example.path)}"></td>'
            for column, method in enumerate(example.faces)
        )
        rows = [f"<tr>{faces}</tr>"]
        if group != "grid":
            verdicts = (example.verdict(method) for method in example.faces)
            answers = "".join(f'<td class="{kind}">{_text(words)}</td>' for kind, words in verdicts)
            rows.append(f'<tr class="answers">{answers}</tr>')
        rows.append(f'<tr><td class="who" colspan="{len(example.faces)}">Identity {_text(example.identity)}</td></tr>')
        bodies.append("<tbody>" + "\n".join(rows) + "</tbody>")
    return (
        f"<h2>{_text(group_title(group, members))}</h2>\n<p>{_text(group_text(group, members, result))}</p>\n"
        f'<table class="faces">\n<thead><tr>{headings}</tr></thead>\n' + "\n".join(bodies) + "\n</table>"
    )


def _plots(kind: str, heading: str, result: dict[str, Any], pictures: dict[str, bytes]) -> str:
    images = [
        f'<img src="{_source(pictures[name])}" alt="{_text(heading)}: {_text(title)}">'
        for block, title, _ in blocks_of(result)
        if (name := plot_name(kind, block)) in pictures
    ]
    return f'<div class="plots">{"".join(images)}</div>'


def _pixels(result: dict[str, Any], pictures: dict[str, bytes]) -> list[str]:
    """Accuracy against pixels: the picture and the table of each block, then the protocol."""
    body = [f"<h2>{PIXELS_HEADING}</h2>", _plots("pixels", PIXELS_HEADING, result, pictures)]
    for _, heading, block in blocks_of(result):
        body += [f"<h3>{_text(heading)}: {_text(block_counts(block))}</h3>", _figures(pixels_table(block, result))]
    return [*body, f'<p class="small">{_text(pixels_sentence(result))}</p>']


def _source(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def _unbroken(text: str) -> str:
    """No line ends between a figure and its unit or sign."""
    return re.sub(r"(?<=\d) (?=%|dB)|(?<=\(p) (?==|&lt;)|(?<==) (?=\d)|(?<=&lt;) (?=\d)", "&nbsp;", text)


def _text(text: Any) -> str:
    return html.escape(one_line(text))
