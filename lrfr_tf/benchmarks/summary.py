"""The results of several benchmarks -> one table, as JSON and Markdown."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lrfr_tf.benchmarks.published import published_table
from lrfr_tf.files import write_json, written_whole

MEASURED, ABSENT, FAILED = "measured", "absent", "failed"


def headline_figures(result: Mapping[str, Any]) -> dict[str, float]:
    """The figures of a benchmark's result that papers report, in per cent.

    Args:
        result: what tools/evaluate_lfw.py, evaluate_scface.py, evaluate_survface.py or evaluate_tinyface.py wrote.
    """
    figures: dict[str, float] = {}
    if result["benchmark"] == "lfw":
        figures = {f"{size} px": row["accuracy"] for size, row in result["sizes"].items()}
    elif result["benchmark"] == "scface":
        figures = {f"distance {distance}, rank-1": row["rank_1"] for distance, row in result["distances"].items()}
    elif result["benchmark"] == "tinyface":
        figures = {f"rank-{k}": result["identification"][f"rank_{k}"] for k in (1, 5, 10, 20)}
        if not result["counts"]["distractors"]:
            figures = {f"{name} without distractors": share for name, share in figures.items()}
    elif result["benchmark"] == "survface":
        verification, identification = result["verification"], result["identification"]
        if verification is not None:
            figures |= {f"TAR at FAR {100 * float(far):g} %": tar for far, tar in verification["tar_at_far"].items()}
            figures |= {"AUC": verification["auc"], "mean accuracy": verification["accuracy"]["mean"]}
        if identification is not None:
            rates = identification["tpir20_at_fpir"]
            figures |= {f"TPIR20 at FPIR {100 * float(fpir):g} %": tpir for fpir, tpir in rates.items()}
            figures |= {"AUC of TPIR20": identification["auc"]}
    return {name: 100 * share for name, share in figures.items()}


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
        if row["status"] == MEASURED:
            lines += ["", f"## {benchmark}: published", "", *published_table(benchmark)]
    with written_whole(folder / "summary.md") as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
