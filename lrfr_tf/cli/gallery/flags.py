"""What the verbs share: words of flags, how a gallery is opened, and how its names are printed."""

from pathlib import Path

from lrfr_tf.errors import UserError
from lrfr_tf.gallery.output import check_output
from lrfr_tf.gallery.people import People
from lrfr_tf.gallery.store import Store
from lrfr_tf.main import note
from lrfr_tf.printable import printable

GALLERY = "the gallery's file, such as people.db"
ID = "the id of a reference, as `lrfr gallery show` lists it"
IDS = "ids of references, separated by commas, as `lrfr gallery show` lists them"
FORMATS = ("table", "json")
OVERWRITE = "whether --output takes the place of a file that is there"


def open_people(path: str) -> People:
    """A gallery for what needs no network."""
    return People(Store(path))


def check_new_file(output: str | None, overwrite: bool, ending: str) -> None:
    """Refuses an --output that has another ending, or that is there already.

    Raises:
        UserError: it does, or is.
    """
    if output is None:
        return
    if Path(output).suffix.lower() != ending:
        raise UserError(f"--output={output} is written as a file *{ending}, and should be called so.")
    check_output(output, overwrite)


def say(line: str) -> None:
    """Prints a line with names in it, which may hold what breaks a line or steers the terminal."""
    print(printable(line))


def say_what_is_written(path: str, format: str) -> None:
    """Names a file that was written beside an answer; of JSON, stdout holds nothing else."""
    if format == "json":
        note(f"{path} is written.")
    else:
        say(path)
