"""What the verbs share: words of flags, how a gallery is opened and counted, and how its names are printed."""

from lrfr_tf.gallery.people import People
from lrfr_tf.gallery.store import Store
from lrfr_tf.printable import printable

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


def say(line: str) -> None:
    """Prints a line with names in it, which may hold what breaks a line or steers the terminal."""
    print(printable(line))
