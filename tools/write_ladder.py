"""Writes the table of what each step of the Siamese system gains, out of measured results, into docs/siamese-ladder.md.

    python tools/write_ladder.py --flagfile=configs/write_ladder.cfg
    python tools/write_ladder.py --flagfile=configs/write_ladder_flags.cfg

A row is name=result of tools/evaluate_lfw.py, or name=that result:result of tools/evaluate_scface.py. All rows are of
the same pairs; the first is the baseline.
"""

import dataclasses
from pathlib import Path
from typing import Any

from lrfr_tf.config import option, required
from lrfr_tf.errors import UserError
from lrfr_tf.files import put_between_marks, read_json
from lrfr_tf.main import run


@dataclasses.dataclass(frozen=True)
class Config:
    rows: tuple[str, ...] = required("name=lfw.json, or name=lfw.json:scface.json, in the order of the table")
    document: str = option("docs/siamese-ladder.md", "its part between two marks gets the table")
    marks: str = option("ladder", "their name: the table stands between <!-- name --> and <!-- end of name -->")


def main(config: Config) -> None:
    rows = []
    for item in config.rows:
        name, _, files = item.partition("=")
        if not files:
            raise UserError(f"--rows: {item!r} should be name=file or name=file:file.")
        results = [read_json(Path(file)) for file in files.split(":")]
        rows.append((name, results[0], results[1] if len(results) > 1 else None))
    pairs = {lfw["pairs_sha256"] for _, lfw, _ in rows}
    if len(pairs) > 1:
        raise UserError("The results are of different pairs; rows of one table need the same.")
    table = "\n".join(ladder_lines(rows))
    put_between_marks(config.document, table, config.marks)
    print(table)


def ladder_lines(rows: list[tuple[str, dict[str, Any], dict[str, Any] | None]]) -> list[str]:
    """The table: accuracy at each size and rank-1 at each distance, in per cent, and what each row gains."""
    baseline, faces = rows[0][1], rows[0][2]
    sizes = list(baseline["sizes"])
    distances = list(faces["distances"]) if faces else []
    headings = [f"{size} px" for size in sizes] + [f"distance {distance}" for distance in distances]
    lines = [f"| | {' | '.join(headings)} |", f"| :-- | {' | '.join('--:' for _ in headings)} |"]
    for place, (name, lfw, scface) in enumerate(rows):
        cells = [
            _cell(lfw["sizes"][size]["accuracy"], baseline["sizes"][size]["accuracy"], place == 0)
            if size in lfw["sizes"]
            else ""
            for size in sizes
        ]
        cells += [
            _cell(scface["distances"][distance]["rank_1"], faces["distances"][distance]["rank_1"], place == 0)
            if scface and faces
            else ""
            for distance in distances
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def _cell(value: float, baseline: float, first: bool) -> str:
    return f"{100 * value:.2f}" if first else f"{100 * value:.2f} ({100 * (value - baseline):+.1f})"


if __name__ == "__main__":
    run(main, Config)
