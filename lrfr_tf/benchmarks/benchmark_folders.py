"""Folders of the benchmarks as users have them: letter case differs between copies, and some are nested once more."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from lrfr_tf.errors import UserError
from lrfr_tf.images.decode import IMAGE_SUFFIXES
from lrfr_tf.names import nfc
from lrfr_tf.plural import counted


def find_entry(folder: Path, name: str) -> Path | None:
    """The file or folder of that name in `folder`, whatever its letter case; None where there is none.

    The exact name is preferred.
    """
    if (folder / name).exists():
        return folder / name
    if not folder.is_dir():
        return None
    return next((entry for entry in sorted(folder.iterdir()) if entry.name.lower() == name.lower()), None)


def find_below(folder: Path, names: Sequence[str]) -> Path | None:
    """The file or folder at `folder/names[0]/names[1]/...`, each step as in `find_entry`."""
    found: Path | None = folder
    for name in names:
        found = find_entry(found, name) if found is not None else None
    return found


def require_entry(folder: Path, *names: str) -> Path:
    """As `find_below`.

    Raises:
        UserError: it is missing.
    """
    found = find_below(folder, names)
    if found is None:
        raise UserError(f"{folder.joinpath(*names)} is missing.")
    return found


def file_key(name: str) -> str:
    """What two names of one image have in common: NFC, lower case, without folders and without an image suffix."""
    base = nfc(name).replace("\\", "/").rsplit("/", 1)[-1].lower()
    stem, suffix = os.path.splitext(base)
    return stem if suffix in IMAGE_SUFFIXES else base


def list_images(folder: Path) -> list[Path]:
    """The image files that lie in a folder, sorted by name; there may be some hundred thousand.

    Raises:
        UserError: the folder is missing, or holds no image.
    """
    if not folder.is_dir():
        raise UserError(f"{folder} is missing; it should be a folder of images.")
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if not entry.name.startswith(".")]
    images = [folder / name for name in sorted(names) if name.lower().endswith(IMAGE_SUFFIXES)]
    if not images:
        raise UserError(f"{folder} holds no image ({', '.join(IMAGE_SUFFIXES)}).")
    return images


def find_listed(folder: Path, names: Iterable[str], listed_in: Path) -> list[Path]:
    """The images of a folder in the order of a list of names; letter case and suffix may differ.

    Only files that lie in the folder are found, so a name cannot point out of it.

    Raises:
        UserError: an image is missing, or two files have one name but for case and suffix.
    """
    there: dict[str, Path] = {}
    for path in list_images(folder):
        key = file_key(path.name)
        if key in there:
            raise UserError(f"{folder} holds {there[key].name} and {path.name}; nobody can tell which one is meant.")
        there[key] = path
    names = list(names)
    missing = [name for name in names if file_key(name) not in there]
    if missing:
        raise UserError(
            f"{folder} lacks {len(missing):,} of {counted(len(names), 'image')} that {listed_in} lists, such as "
            f"{missing[0]}."
        )
    return [there[file_key(name)] for name in names]
