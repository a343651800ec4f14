"""Takes a reference out of the comparison. It is kept, and `restore` puts it back.

lrfr gallery set_aside --gallery=people.db --reference=0123456789abcdef --reason="not anna"
"""

import dataclasses

from lrfr_tf.cli.gallery.flags import GALLERY, ID, open_people, say
from lrfr_tf.config import option, required
from lrfr_tf.main import run


@dataclasses.dataclass(frozen=True)
class Config:
    gallery: str = required(GALLERY)
    reference: str = required(ID)
    reason: str = option("set aside by hand", "why, in a sentence")


def main(config: Config) -> None:
    open_people(config.gallery).set_aside(config.reference, config.reason)
    say(f"{config.reference} is set aside.")


if __name__ == "__main__":
    run(main, Config)
