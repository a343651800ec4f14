"""Says whether a gallery works: is everybody recognized, and who is taken for whom?

    lrfr gallery check --gallery=people.db --output=check.html

Each reference is held against everybody as if it were a new photo. It shows the most alike persons, what is set
aside, what small faces cost, and whether these people are more alike than those of the calibration. With few people
it cannot tell everything, and says so.
"""

import dataclasses
import json
from pathlib import Path

from lrfr_tf.cli.gallery.flags import FORMATS, GALLERY, OVERWRITE, check_new_file, say, say_what_is_written
from lrfr_tf.config import option, required
from lrfr_tf.gallery.check_gallery import check_gallery
from lrfr_tf.gallery.check_page import write_page
from lrfr_tf.gallery.gallery import Gallery
from lrfr_tf.main import run
from lrfr_tf.recognition.calibration import FPIR, DecisionRule


@dataclasses.dataclass(frozen=True)
class Config:
    gallery: str = required(GALLERY)
    fpir: float = option(FPIR, "the false positive identification rate that names must keep")
    threshold: float | None = option(None, "instead of it, the least score for a name")
    format: str = option("table", "how the answer is printed", FORMATS)
    output: str | None = option(None, "an HTML page to write, with faces")
    overwrite: bool = option(False, OVERWRITE)


def check_flags(config: Config) -> None:
    """Refuses a file that is there, or of another kind."""
    check_new_file(config.output, config.overwrite, ".html")


def main(config: Config) -> None:
    rule = DecisionRule(config.fpir, None, config.threshold)
    with Gallery.open(config.gallery, rule=rule) as gallery:
        report = check_gallery(gallery)
        if config.output is not None:
            write_page(report, gallery.picture, Path(config.output), overwrite=config.overwrite)
    if config.format == "json":
        print(json.dumps(report.as_json()))
    else:
        for line in report.lines():
            say(line)
    if config.output is not None:
        say_what_is_written(config.output, config.format)


if __name__ == "__main__":
    run(main, Config)
