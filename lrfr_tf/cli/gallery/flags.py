"""What the verbs share: words of flags, and how a gallery is opened and counted."""

from lrfr_tf.gallery.people import People
from lrfr_tf.gallery.store import Store

GALLERY = "the gallery's file, such as people.db"
ID = "the id of a reference, as `lrfr gallery show` lists it"
IDS = "ids of references, separated by commas, as `lrfr gallery show` lists them"
FORMATS = ("table", "json")


def open_people(path: str) -> People:
    """A gallery for what needs no network."""
    return People(Store(path))


def persons(count: int) -> str:
    """ "1 person", "2 persons"."""
    return f"{count:,} person{'' if count == 1 else 's'}"
