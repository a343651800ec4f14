"""Copies the gallery's file while it is in use.

    lrfr gallery backup --gallery=people.db --output=people-monday.db

The copy is a gallery itself. To put it in the place of a lost gallery, make a new one and import the copy.
"""

import dataclasses

from lrfr_tf.cli.gallery.flags import GALLERY, OVERWRITE, open_people, say
from lrfr_tf.config import option, required
from lrfr_tf.main import run
from lrfr_tf.plural import counted


@dataclasses.dataclass(frozen=True)
class Config:
    gallery: str = required(GALLERY)
    output: str = required("the copy to write")
    overwrite: bool = option(False, OVERWRITE)


def main(config: Config) -> None:
    copy = open_people(config.gallery).backup(config.output, overwrite=config.overwrite)
    say(f"{config.output}: {counted(copy.persons, 'person')}, backup {copy.id}")


if __name__ == "__main__":
    run(main, Config)
