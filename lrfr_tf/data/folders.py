"""ImageFolder trees: `<root>/<split>/<identity>/<image>.png`, and the one class map for all of their splits."""

import dataclasses
from collections.abc import Iterable
from pathlib import Path

from lrfr_tf.errors import UserError
from lrfr_tf.files import read_json, write_json
from lrfr_tf.names import nfc

SPLITS = ("train", "val", "test")


@dataclasses.dataclass(frozen=True)
class FaceFile:
    """One image of a tree: `path` is `<identity>/<image>.png`, relative to the folder of the split."""

    path: str
    identity: str

    def __str__(self) -> str:
        return self.path


def sorted_names(names: Iterable[str]) -> list[str]:
    """Class names in the order of the class map: by number where all of them are numbers, by text otherwise."""
    names = list(names)
    if all(name.isdecimal() for name in names):
        return sorted(names, key=lambda name: (int(name), name))
    return sorted(names)


def list_faces(root: Path, split: str) -> list[FaceFile]:
    """The images of one split, sorted by identity, then by name.

    Raises:
        UserError: the folder is missing or holds no image.
    """
    folder = root / split
    if not folder.is_dir():
        raise UserError(f"{folder} is missing; it should hold <identity>/<image>.png.")
    identities = sorted_names(entry.name for entry in folder.iterdir() if entry.is_dir())
    faces = [
        FaceFile(f"{identity}/{path.name}", nfc(identity))  # a disk may spell a name in its own way
        for identity in identities
        for path in sorted((folder / identity).glob("*.png"))
        if not path.name.startswith(".")
    ]
    if not faces:
        raise UserError(f"{folder} holds no <identity>/<image>.png.")
    return faces


def write_classes(folder: Path, classes: list[str]) -> None:
    """Writes the class map: the label of a class is its place in this list."""
    write_json(folder / "classes.json", {"schema": 1, "classes": classes})


def read_classes(folder: Path) -> list[str]:
    """Reads the class map of a prepared tree or of its embeddings.

    Raises:
        UserError: it is missing or is not a list of distinct names.
    """
    stored = read_json(folder / "classes.json")
    classes = stored.get("classes") if isinstance(stored, dict) else None
    if not isinstance(classes, list) or not all(isinstance(item, str) for item in classes):
        raise UserError(f"{folder / 'classes.json'} holds no list of class names.")
    if len(set(classes)) != len(classes):
        raise UserError(f"{folder / 'classes.json'} names a class twice.")
    return classes


def identity_name(name: str) -> str:
    """How two spellings of one identity are told to be one: a number without leading zeros, so that folder 00041 and
    number 41 are one; other names as they are, normalized to NFC."""
    return str(int(name)) if name.isdecimal() else nfc(name)


def is_held_out(identity: str, divisor: int) -> bool:
    """True for identities whose number is divisible by `divisor`: no network that is reported learns from them.

    A divisor of 0 holds nobody out; names that are not numbers are never held out.
    """
    return divisor > 0 and identity.isdecimal() and int(identity) % divisor == 0
