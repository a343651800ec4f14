"""Gives a person another name.

lrfr gallery rename --gallery=people.db --person=ana --to=anna
"""

import dataclasses

from lrfr_tf.cli.gallery.flags import GALLERY, open_people, say
from lrfr_tf.config import required
from lrfr_tf.main import run


@dataclasses.dataclass(frozen=True)
class Config:
    gallery: str = required(GALLERY)
    person: str = required("who")
    to: str = required("the new name")


def main(config: Config) -> None:
    open_people(config.gallery).rename(config.person, config.to)
    say(f"{config.person} is {config.to} now.")


if __name__ == "__main__":
    run(main, Config)
