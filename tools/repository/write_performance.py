"""Writes docs/performance.md and docs/performance.csv out of the result files of the benchmarks; no figure is typed.

python tools/repository/write_performance.py --results=runs/bench
"""

import dataclasses
from pathlib import Path

from lrfr_tf.config import option
from lrfr_tf.errors import UserError
from lrfr_tf.export.model_card import wrap_paragraphs
from lrfr_tf.files import atomic_file
from lrfr_tf.main import run
from lrfr_tf.speed.record import read_result, write_csv
from lrfr_tf.speed.report import TITLES, document


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
        temporary.write_text(wrap_paragraphs(document(results)), encoding="utf-8")
    write_csv(output.with_suffix(".csv"), results.values())
    print(output)


if __name__ == "__main__":
    run(main, Config)
