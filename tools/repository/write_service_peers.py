"""Writes what bench_deepface.py measured beside our service into docs/service.md; none of the figures is typed.

python tools/repository/write_service_peers.py --result=runs/bench/deepface.json
"""

import dataclasses
from pathlib import Path

import lrfr_tf.quiet  # noqa: F401

from lrfr_tf.config import option
from lrfr_tf.export.model_card import fill_template, wrap_paragraphs
from lrfr_tf.files import replace_between_markers
from lrfr_tf.main import run
from lrfr_tf.speed.record import read_result

TEMPLATE = Path(__file__).parent / "templates" / "service_peers.md.jinja"
MARK = "deepface"
NAMES = {
    "deepface": "deepface, FaceNet 128-D",
    "facenet": "`lrfr serve`, FaceNet 128-D",
    "siamese": "`lrfr serve`, `siamese`, its default",
}


@dataclasses.dataclass(frozen=True)
class Config:
    result: str = option("runs/bench/deepface.json", "the result of bench_deepface.py")
    document: str = option("docs/service.md", "its part between two marks gets the figures")


def main(config: Config) -> None:
    result = read_result(Path(config.result))
    values = {"facts": result["facts"], "names": NAMES, "machine": result["machine"], "day": result["day"]}
    replace_between_markers(config.document, wrap_paragraphs(fill_template(TEMPLATE, **values)).strip(), MARK)
    print(config.document)


if __name__ == "__main__":
    run(main, Config)
