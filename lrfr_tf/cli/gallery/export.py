"""Writes everybody, with references and pictures, into a zip with a manifest and checksums.

    lrfr gallery export --gallery=people.db --output=people.zip

A person who is forgotten later stays in it: the file is yours to keep safe, and to delete.
"""

import dataclasses

from lrfr_tf.cli.gallery.flags import GALLERY, OVERWRITE, check_new_file, open_people, say
from lrfr_tf.config import option, required
from lrfr_tf.main import run
from lrfr_tf.plural import counted


@dataclasses.dataclass(frozen=True)
class Config:
    gallery: str = required(GALLERY)
    output: str = required("the zip to write")
    overwrite: bool = option(False, OVERWRITE)


def check_flags(config: Config) -> None:
    """Refuses a file that is there, or of another kind."""
    check_new_file(config.output, config.overwrite, ".zip")


def main(config: Config) -> None:
    copy = open_people(config.gallery).export(config.output, overwrite=config.overwrite)
    say(f"{config.output}: {counted(copy.persons, 'person')}, export {copy.id}")


if __name__ == "__main__":
    run(main, Config)
