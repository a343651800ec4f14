"""Puts a reference back that was set aside; no rule sets it aside again.

lrfr gallery restore --gallery=people.db --reference=0123456789abcdef
"""

import dataclasses

from lrfr_tf.cli.gallery.flags import GALLERY, ID, open_people, say
from lrfr_tf.config import required
from lrfr_tf.main import run


@dataclasses.dataclass(frozen=True)
class Config:
    gallery: str = required(GALLERY)
    reference: str = required(ID)


def main(config: Config) -> None:
    if open_people(config.gallery).restore(config.reference):
        say(f"{config.reference} is in force.")
    else:
        say(f"{config.reference} is restored, but its person's last day has passed; lrfr gallery expire sets another.")


if __name__ == "__main__":
    run(main, Config)
