"""Writes everything that is stored about one person, with pictures, into a zip: what to hand out when asked.

lrfr gallery subject_export --gallery=people.db --person=anna --output=anna.zip
"""

import dataclasses

from lrfr_tf.cli.gallery.flags import GALLERY, OVERWRITE, check_new_file, open_people, say
from lrfr_tf.config import option, required
from lrfr_tf.main import run


@dataclasses.dataclass(frozen=True)
class Config:
    gallery: str = required(GALLERY)
    person: str = required("who")
    output: str = required("the zip to write")
    overwrite: bool = option(False, OVERWRITE)


def check_flags(config: Config) -> None:
    """Refuses a file that is there, or of another kind."""
    check_new_file(config.output, config.overwrite, ".zip")


def main(config: Config) -> None:
    open_people(config.gallery).subject_export(config.person, config.output, overwrite=config.overwrite)
    say(config.output)


if __name__ == "__main__":
    run(main, Config)
