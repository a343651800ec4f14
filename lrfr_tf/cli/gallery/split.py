"""Makes one person two: some references become a new person's.

lrfr gallery split --gallery=people.db --person=anna --reference=0123456789abcdef --to=berta
"""

import dataclasses

from lrfr_tf.cli.gallery.flags import GALLERY, IDS, open_people, say
from lrfr_tf.config import required
from lrfr_tf.main import run
from lrfr_tf.plural import counted


@dataclasses.dataclass(frozen=True)
class Config:
    gallery: str = required(GALLERY)
    person: str = required("who is two persons")
    reference: tuple[str, ...] = required(IDS)
    to: str = required("the name of the second person; nobody may have it yet")


def main(config: Config) -> None:
    open_people(config.gallery).split(config.person, config.reference, config.to)
    say(f"{counted(len(config.reference), 'reference')} of {config.person} went to {config.to}.")


if __name__ == "__main__":
    run(main, Config)
