"""The results of several benchmarks -> one table, as JSON and Markdown."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lrfr_tf.benchmarks.published import published_table
from lrfr_tf.benchmarks.registry import registered
from lrfr_tf.files import atomic_file, write_json
from lrfr_tf.printable import ESCAPED

MEASURED, ABSENT, FAILED = "measured", "absent", "failed"


def summary_lines(rows: Mapping[str, Mapping[str, Any]], model: str) -> list[str]:
    """The table in Markdown.

    Args:
        rows: benchmark -> "status" (`MEASURED`, `ABSENT` or `FAILED`), "reason" (a sentence, or None), "figures".
        model: which model was measured.
    """
    lines = [f"# {model}", "", "| benchmark | figure | per cent |", "|---|---|---|"]
    for benchmark, row in rows.items():
        lines += [f"| {benchmark} | {name} | {figure:.2f} |" for name, figure in row["figures"].items()]
    lines += [""] + [
        f"- {benchmark}: {row['status']}" + (f" ({row['reason']})" if row["reason"] else "")
        for benchmark, row in rows.items()
    ]
    return lines


def write_summary(folder: Path, rows: Mapping[str, Mapping[str, Any]], model: str) -> None:
    """Writes `summary.json`, and `summary.md` with the published figures of each benchmark that was measured.

    Arguments as for `summary_lines`.
    """
    write_json(folder / "summary.json", {"schema": 1, "model": model, "benchmarks": rows})
    lines = summary_lines(rows, model)
    for benchmark, row in rows.items():
        published = registered()[benchmark].published
        if row["status"] == MEASURED and published:
            lines += ["", f"## {benchmark}: published", "", *published_table(published)]
    with atomic_file(folder / "summary.md") as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8", errors=ESCAPED)
