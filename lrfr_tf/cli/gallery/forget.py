"""Removes a person: embeddings, pictures, name and names of photos, from the file and from those beside it.

    lrfr gallery forget --gallery=people.db --person=anna

It holds at once in every process. A random id stays, so that no import brings the person back. Exports and backups
that were made before cannot be reached: they are listed. Your photos are yours to delete.
"""

import dataclasses

from lrfr_tf.cli.gallery.flags import GALLERY, open_people
from lrfr_tf.config import required
from lrfr_tf.main import note, run
from lrfr_tf.plural import counted


@dataclasses.dataclass(frozen=True)
class Config:
    gallery: str = required(GALLERY)
    person: str = required("who")


def main(config: Config) -> None:
    done = open_people(config.gallery).forget(config.person)
    number = counted(done.references, "reference")
    print(f"Forgotten, with {number}; random ids are all that stays, {done.id} for the person.")
    if not done.cleaned:
        note(
            "Nobody is compared with that person any more, but the file could not be overwritten while another process "
            "uses it or the disk is full; the next command that opens it tries again."
        )
    for copy in done.not_reached:
        print(f"not reached: {copy.kind} {copy.id} of {copy.at}, {counted(copy.persons, 'person')}")


if __name__ == "__main__":
    run(main, Config)
