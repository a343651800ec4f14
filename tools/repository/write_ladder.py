"""Writes the table of what each idea gained at which level, out of measured results, into docs/siamese-ladder.md.

    python tools/repository/write_ladder.py --flagfile=configs/write_ladder.cfg

A row is name=frmdb.json:pairs.json, results of tools/evaluate_frmdb.py and of tools/evaluate_lfw.py (the second may be
left out, and without any there are no columns of pairs). All rows are of the same photos and pairs.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import lrfr_tf.quiet  # noqa: F401

import numpy as np

from lrfr_tf.benchmarks.figures import read_correct
from lrfr_tf.benchmarks.lfw.benchmark import condition_name
from lrfr_tf.config import option, required
from lrfr_tf.data.pairs import read_pairs
from lrfr_tf.errors import UserError
from lrfr_tf.evaluation.significance import grouped_interval, paired_members_interval
from lrfr_tf.files import read_json, replace_between_markers, sha256
from lrfr_tf.images.camera import CLEAN_LEVEL, LEVELS
from lrfr_tf.main import run

MARK = "ladder"
# Below so many pixels nobody is told apart who was not seen clean.
LEAST_BY_CAMERA = 12
SMALL_PHOTOS = ("16", "12")  # of real cameras: a column of their own

Interval = Callable[[np.ndarray], tuple[float, float]]


@dataclasses.dataclass(frozen=True)
class Config:
    rows: tuple[str, ...] = required("name=frmdb.json, or name=frmdb.json:pairs.json, in the order of the table")
    baseline: str = required("the name of the row that the others are compared with")
    pairs: str | None = option(None, "the list of pairs, which says whose they are; needed where a row has pairs")
    document: str = option("docs/siamese-ladder.md", "its part between two marks gets the table")


def main(config: Config) -> None:
    cameras: dict[str, Any] = {}
    pairs: dict[str, Any] = {}
    for item in config.rows:
        name, _, files = item.partition("=")
        frmdb, _, verified = files.partition(":")
        if not frmdb:
            raise UserError(f"--rows: {item!r} should be name=file or name=file:file.")
        cameras[name] = read_json(frmdb)
        if verified:
            pairs[name] = read_json(verified)
    if config.baseline not in cameras:
        raise UserError(f"--baseline={config.baseline} is none of the rows {', '.join(cameras)}.")
    columns = cameras_columns(cameras, config.baseline)
    if pairs:
        if config.pairs is None or config.baseline not in pairs:
            raise UserError("Rows with pairs need --pairs, the list of them, and the baseline's result on them.")
        columns = pairs_columns(pairs, config.baseline, Path(config.pairs)) | columns
    lines = [f"| | {' | '.join(columns)} |", f"| :-- | {' | '.join('--:' for _ in columns)} |"]
    lines += [f"| {name} | {' | '.join(cells.get(name, '') for cells in columns.values())} |" for name in cameras]
    replace_between_markers(config.document, "\n".join(lines), MARK)
    print("\n".join(lines))


def pairs_columns(results: Mapping[str, Any], baseline: str, listed: Path) -> dict[str, dict[str, str]]:
    """Heading -> row -> cell: accuracy on pairs at each camera level, over its sizes."""
    digest = sha256(listed)
    if any(result["pairs_sha256"] != digest for result in results.values()):
        raise UserError(f"A result is not of the pairs of {listed}; rows of one table need the same.")
    members = np.array([(pair.first[0], pair.second[0]) for fold in read_pairs(listed) for pair in fold])
    sizes = sorted(int(name) for name in results[baseline]["sizes"] if name.isdecimal())
    if not sizes:
        raise UserError(f"The result of {baseline} on pairs has no clean sizes.")
    *small, sharp = sizes
    headings = {f"sharp, {sharp} px": [str(sharp)]}
    for level in LEVELS:
        of = [size for size in small if level == CLEAN_LEVEL or size >= LEAST_BY_CAMERA]
        names = [condition_name(size, level) for size in of]
        if names and set(names) <= set(results[baseline]["sizes"]):
            headings[f"{level}, {f'{of[0]} to ' if len(of) > 1 else ''}{of[-1]} px"] = names
    return _columns(results, baseline, headings, len(members), lambda values: paired_members_interval(values, members))


def cameras_columns(results: Mapping[str, Any], baseline: str) -> dict[str, dict[str, str]]:
    """Heading -> row -> cell: rank-1 on photos by real cameras, over their sizes."""
    probes = results[baseline]["probes"]
    if any(result["probes"] != probes for result in results.values()):
        raise UserError("The results of real cameras are of different photos; rows of one table need the same.")
    persons = np.array([probe.split("/")[0] for probe in probes])
    sizes = [size for size in results[baseline]["sizes"] if size != "mean"]
    pooled = (sizes, SMALL_PHOTOS) if set(SMALL_PHOTOS) < set(sizes) else (sizes,)
    headings = {f"real cameras, {_summary_text(of)}": of for of in pooled}
    return _columns(results, baseline, headings, len(probes), lambda values: grouped_interval(values, persons))


def _columns(
    results: Mapping[str, Any], baseline: str, headings: Mapping[str, Sequence[str]], count: int, interval: Interval
) -> dict[str, dict[str, str]]:
    columns: dict[str, dict[str, str]] = {}
    for heading, sizes in headings.items():
        for name, result in results.items():
            if not set(sizes) <= set(result["sizes"]):
                raise UserError(f"The result of {name} lacks some of {', '.join(sizes)}, which {baseline}'s has.")
        # Of each pair or photo, at which share of the sizes it is classified correctly.
        right = {
            name: np.mean([read_correct(result["sizes"][size], count) for size in sizes], axis=0)
            for name, result in results.items()
        }
        columns[heading] = {name: _cell(own, right[baseline], interval) for name, own in right.items()}
        columns[heading][baseline] = f"{100 * right[baseline].mean():.1f}"
    return columns


def _cell(own: np.ndarray, baseline: np.ndarray, interval: Interval) -> str:
    low, high = interval(own - baseline)
    difference = 100 * (own - baseline).mean()
    return f"{100 * own.mean():.1f} ({difference:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}])"


def _summary_text(sizes: Sequence[str]) -> str:
    first, last = ", ".join(sizes[:-1]), sizes[-1]
    return f"{first} and {last} px" if first else f"{last} px"


if __name__ == "__main__":
    run(main, Config)
