"""Writes docs/performance.md and docs/performance.csv out of the result files of the benchmarks; no figure is typed.

python tools/repository/write_performance.py --results=runs/bench
"""

import dataclasses
from pathlib import Path

import lrfr_tf.quiet  # noqa: F401

from lrfr_tf.config import option
from lrfr_tf.errors import UserError
from lrfr_tf.export.model_card import fill_template, wrap_paragraphs
from lrfr_tf.files import atomic_file
from lrfr_tf.main import run
from lrfr_tf.speed.peers import BFLOAT16, FACENET_PYTORCH, OURS
from lrfr_tf.speed.record import read_result, write_csv
from lrfr_tf.speed.targets import Result, ratios, targets

TEMPLATE = Path(__file__).parent / "templates" / "performance.md.jinja"
TITLES = {
    "detect": "Detect",
    "embed": "Embed: Inception-ResNet-v1, 160 px",
    "super_resolve": "Super-resolve 16 to 64 px",
    "identify": "16 px probe to identity",
    "extract": "Crops to embeddings on disk",
    "start": "Cold start",
}


@dataclasses.dataclass(frozen=True)
class Config:
    results: str = option("runs/bench", "folder of the result files, <stage>.json")
    output: str = option("docs/performance.md", "the document; the table of all rows lies beside it as .csv")


def main(config: Config) -> None:
    files = {stage: Path(config.results) / f"{stage}.json" for stage in TITLES}
    results = {stage: read_result(file) for stage, file in files.items() if file.is_file()}
    if not results:
        raise UserError(
            f"{config.results} holds none of {', '.join(file.name for file in files.values())}; make bench."
        )
    output = Path(config.output)
    with atomic_file(output) as temporary:
        temporary.write_text(document(results), encoding="utf-8")
    write_csv(output.with_suffix(".csv"), results.values())
    print(output)


def document(results: dict[str, Result]) -> str:
    """The whole document, in Markdown."""
    rows = results["embed"]["rows"] if "embed" in results else []
    text = fill_template(
        TEMPLATE,
        results=results,
        first=next(iter(results.values())),
        days=sorted({result["day"] for result in results.values()}),
        busy=max(result["machine"]["load"] for result in results.values()),
        commits=commits_of(results),
        targets=targets(results),
        titles=TITLES,
        shares=_shares_of_matrix_product(results["embed"]) if "embed" in results else [],
        last=list(ratios(rows, f"{FACENET_PYTORCH}, channels last", "cpu").values()),
        rounded=list(ratios(rows, FACENET_PYTORCH + BFLOAT16, "cpu", OURS + BFLOAT16).values()),
        OURS=OURS,
        FACENET_PYTORCH=FACENET_PYTORCH,
    )
    return wrap_paragraphs(text.rstrip() + "\n")


def commits_of(results: dict[str, Result]) -> str:
    """Of which commit the results are, and which, where stages were measured at different ones."""
    stages: dict[str, list[str]] = {}
    for stage, result in results.items():
        stages.setdefault(result["git_commit"][:12], []).append(stage)
    if len(stages) == 1:
        return f"commit `{next(iter(stages))}`"
    return "commits " + ", ".join(f"`{commit}` ({', '.join(names)})" for commit, names in stages.items())


def _shares_of_matrix_product(result: Result) -> list[str]:
    """How much of what the machine can do in float32 ours and facenet-pytorch's network do, per CPU second."""
    facts = result["facts"]
    products = facts.get("matrix_product_gflop_per_cpu_second")  # results of before had none
    shares = []
    for row in result["rows"] if products else ():
        if row.peer in (OURS, FACENET_PYTORCH):
            share = facts["gflop_a_face"] * 1000 / row.cpu_ms_median / products[str(row.threads)][row.case]
            shares.append(f"{row.peer} {share:.0%} ({row.case}, threads: {row.threads})")
    return shares


if __name__ == "__main__":
    run(main, Config)
