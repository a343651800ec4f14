"""Makes two persons one: the references of the first become those of the second.

lrfr gallery merge --gallery=people.db --person="anna (old)" --into=anna
"""

import dataclasses

from lrfr_tf.cli.gallery.flags import GALLERY, open_people, say
from lrfr_tf.config import required
from lrfr_tf.main import run


@dataclasses.dataclass(frozen=True)
class Config:
    gallery: str = required(GALLERY)
    person: str = required("who turned out to be somebody who is enrolled")
    into: str = required("whose name stays")


def main(config: Config) -> None:
    open_people(config.gallery).merge(config.person, config.into)
    say(f"{config.person} is {config.into} now.")


if __name__ == "__main__":
    run(main, Config)
