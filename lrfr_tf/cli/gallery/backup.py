"""Copies the gallery's file while it is in use.

    lrfr gallery backup --gallery=people.db --output=people-monday.db

The copy is a gallery itself. To put it in the place of a lost gallery, make a new one and import the copy.
"""

import dataclasses

from lrfr_tf.cli.gallery.flags import GALLERY, open_people, persons, say
from lrfr_tf.config import required
from lrfr_tf.main import run


@dataclasses.dataclass(frozen=True)
class Config:
    gallery: str = required(GALLERY)
    output: str = required("the copy to write; it must not be there yet")


def main(config: Config) -> None:
    copy = open_people(config.gallery).backup(config.output)
    say(f"{config.output}: {persons(copy.persons)}, backup {copy.id}")


if __name__ == "__main__":
    run(main, Config)
