"""The result file of one benchmark: what was measured, on what, beside whom."""

import csv
import dataclasses
import datetime
import os
import platform
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lrfr_tf.config import git_commit, versions
from lrfr_tf.errors import UserError
from lrfr_tf.files import atomic_file, read_json, write_json
from lrfr_tf.speed.interleaved import Times

SCHEMA = 1


@dataclasses.dataclass(frozen=True)
class Row:
    """One peer in one case. Times are milliseconds of one image or face, wall and CPU time of the peer's process.

    Attributes:
        stage: such as "detect".
        case: what was computed, such as "178 x 218".
        peer: by whom; "lrfr-tf" is us.
        threads: how many threads the peer was allowed; 0 where it was left to itself.
        batch: images in a call.
        calls: how many calls were measured.
        faces: how many faces were found in the images of the case; None where faces are not looked for.
    """

    stage: str
    case: str
    peer: str
    threads: int
    batch: int
    calls: int
    wall_ms_median: float
    wall_ms_min: float
    cpu_ms_median: float
    cpu_ms_min: float
    faces: int | None = None


def row_of(
    stage: str, case: str, peer: str, threads: int, *, batch: int, times: Times, units: int, faces: int | None = None
) -> Row:
    """The row of measured calls, each of which computes `units` images."""
    return Row(stage, case, peer, threads, batch, len(times.wall), **times.milliseconds(units), faces=faces)


def write_result(path: str | Path, stage: str, rows: Iterable[Row], facts: Mapping[str, Any]) -> None:
    """Writes the result of one benchmark as JSON: rows, facts that are no rows, machine, versions, day."""
    record = {
        "schema": SCHEMA,
        "stage": stage,
        "day": datetime.date.today().isoformat(),
        "machine": machine(),
        "git_commit": git_commit(),
        "versions": versions(),
        "rows": [dataclasses.asdict(row) for row in rows],
        "facts": dict(facts),
    }
    write_json(path, record)


def read_result(path: Path) -> dict[str, Any]:
    """Reads what `write_result` wrote, with the rows as `Row`.

    Raises:
        UserError: the file is missing or not such a result.
    """
    result = read_json(path)
    if not isinstance(result, dict) or result.get("schema") != SCHEMA or "rows" not in result:
        raise UserError(f"{path} is not the result of a benchmark of schema {SCHEMA}.")
    try:
        return {**result, "rows": [Row(**row) for row in result["rows"]]}
    except TypeError:
        raise UserError(f"{path} has rows of another form than a benchmark writes.") from None


def write_csv(path: Path, results: Iterable[dict[str, Any]]) -> None:
    """All rows of some results as one table, each with the day and the processor."""
    names = [field.name for field in dataclasses.fields(Row)]
    with atomic_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*names, "day", "processor"])
        for result in results:
            for row in result["rows"]:
                writer.writerow([*dataclasses.astuple(row), result["day"], result["machine"]["processor"]])


def machine() -> dict[str, Any]:
    """The processor's name, how many this process may use, and what the machine is busy with besides."""
    return {
        "processor": _processor(),
        "processors": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        "system": platform.system(),
    }


def _processor() -> str:
    """The name and the vector units, which decide how fast a matrix product is."""
    file = Path("/proc/cpuinfo")
    if not file.is_file():
        return platform.processor() or platform.machine()
    lines = dict(line.split(":", 1) for line in file.read_text().splitlines() if ":" in line)
    facts = {key.strip(): value.strip() for key, value in lines.items()}
    units = [unit for unit in ("avx2", "avx512f", "amx_tile") if unit in facts.get("flags", "").split()]
    return f"{facts.get('model name', platform.machine())} ({', '.join(units) or 'no AVX2'})"
