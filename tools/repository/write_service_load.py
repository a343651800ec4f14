"""Writes what a service holds under load into docs/service.md, out of what bench_service.py measured; none is typed.

python tools/repository/write_service_load.py --result=runs/bench/service.json
"""

import dataclasses
from pathlib import Path

import lrfr_tf.quiet  # noqa: F401

from lrfr_tf.config import option
from lrfr_tf.export.model_card import fill_template, wrap_paragraphs
from lrfr_tf.files import replace_between_markers
from lrfr_tf.main import run
from lrfr_tf.speed.load_figures import load_targets
from lrfr_tf.speed.record import read_result

TEMPLATE = Path(__file__).parent / "templates" / "service_load.md.jinja"
MARK = "load"


@dataclasses.dataclass(frozen=True)
class Config:
    result: str = option("runs/bench/service.json", "the result of bench_service.py")
    document: str = option("docs/service.md", "its part between two marks gets the figures")


def main(config: Config) -> None:
    result = read_result(Path(config.result))
    facts = result["facts"]
    values = {"facts": facts, "targets": load_targets(facts), "machine": result["machine"], "day": result["day"]}
    replace_between_markers(config.document, wrap_paragraphs(fill_template(TEMPLATE, **values)).strip(), MARK)
    print(config.document)


if __name__ == "__main__":
    run(main, Config)
