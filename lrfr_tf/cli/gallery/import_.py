"""Takes over everybody from an export or a backup, all or nothing.

    lrfr gallery import --gallery=people.db --file=people.zip

Who was forgotten, here or where the file is from, stays forgotten. Importing twice changes nothing.
"""

import dataclasses

from lrfr_tf.cli.gallery.flags import GALLERY, open_people
from lrfr_tf.config import required
from lrfr_tf.main import run
from lrfr_tf.plural import counted


@dataclasses.dataclass(frozen=True)
class Config:
    gallery: str = required(GALLERY)
    file: str = required("what `lrfr gallery export` or `lrfr gallery backup` wrote")


def main(config: Config) -> None:
    done = open_people(config.gallery).import_from(config.file)
    print(f"{counted(done.persons, 'person')} and {counted(done.references, 'reference')} are new.")
    if done.kept_out:
        print(f"{counted(done.kept_out, 'person')} of the file had been forgotten here and stayed out.")
    if done.forgotten:
        print(f"{counted(done.forgotten, 'person')} had been forgotten there and were forgotten here.")


if __name__ == "__main__":
    run(main, Config)
