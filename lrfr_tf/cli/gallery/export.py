"""Writes everybody, with references and pictures, into a zip with a manifest and checksums.

    lrfr gallery export --gallery=people.db --output=people.zip

A person who is forgotten later stays in it: the file is yours to keep safe, and to delete.
"""

import dataclasses

from lrfr_tf.cli.gallery.flags import GALLERY, open_people, persons, say
from lrfr_tf.config import required
from lrfr_tf.main import run


@dataclasses.dataclass(frozen=True)
class Config:
    gallery: str = required(GALLERY)
    output: str = required("the zip to write")


def main(config: Config) -> None:
    copy = open_people(config.gallery).export(config.output)
    say(f"{config.output}: {persons(copy.persons)}, export {copy.id}")


if __name__ == "__main__":
    run(main, Config)
