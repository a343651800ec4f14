"""What only the HTML page does with a table or a sentence."""

import itertools
import re
from typing import Any

from markupsafe import Markup, escape

from lrfr_tf.study.report.sentences import fitted_on_hr, main_head, one_line
from lrfr_tf.study.report.tables import Table


def key_rows(block: dict[str, Any]) -> list[dict[str, Any]]:
    """The recognition rows that are shown in large type: each method with the main head, fitted on HR."""
    head = main_head(block["recognition"])
    return [row for row in block["recognition"] if fitted_on_hr(row) and row["head"] == head]


def narrowed(table: Table) -> Table:
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


def runs(over: list[str]) -> list[tuple[str, int]]:
    """Each heading above the headings, and over how many columns it stands."""
    return [(text, len(list(run))) for text, run in itertools.groupby(over)]


def column_class(table: Table, column: int) -> str:
    """The class of a cell: "word", or "starts" (a wider gap) where the heading above changes."""
    if column < table.words:
        return "word"
    return "starts" if column and table.over[column] != table.over[column - 1] else ""


def unbroken(sentence: str) -> Markup:
    """The sentence for HTML, without a line end between a figure and its unit or sign."""
    gaps = r"(?<=\d) (?=%|dB)|(?<=\(p) (?==|&lt;)|(?<==) (?=\d)|(?<=&lt;) (?=\d)"
    return Markup(re.sub(gaps, "&nbsp;", str(escape(one_line(sentence)))))
