"""Gives references to another person.

lrfr gallery move --gallery=people.db --reference=0123456789abcdef --to=berta
"""

import dataclasses

from lrfr_tf.cli.gallery.flags import GALLERY, IDS, open_people, say
from lrfr_tf.config import required
from lrfr_tf.main import run
from lrfr_tf.plural import counted


@dataclasses.dataclass(frozen=True)
class Config:
    gallery: str = required(GALLERY)
    reference: tuple[str, ...] = required(IDS)
    to: str = required("the person who gets them; somebody new is enrolled")


def main(config: Config) -> None:
    open_people(config.gallery).move(config.reference, config.to)
    say(f"{counted(len(config.reference), 'reference is', 'references are')} of {config.to} now.")


if __name__ == "__main__":
    run(main, Config)
