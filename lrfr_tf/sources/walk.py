"""The files below a folder, with linked folders, each folder once."""

import os
from collections.abc import Iterable
from pathlib import Path

from lrfr_tf.errors import UserError


def is_skipped(folder: str) -> bool:
    """True for the names of folders that systems make beside photos: .thumbnails, @eaDir, __MACOSX and the like."""
    return folder.startswith((".", "@")) or folder == "__MACOSX"


def walk_once(root: Path) -> tuple[list[str], list[str]]:
    """Lists the files below a folder; what `is_skipped` is left out.

    Folders are walked before links to folders, so that a folder with a link beside it keeps its own name. A link to a
    folder that was walked, or that holds `root`, is not followed: so there are no loops, and no photo comes twice.

    Returns:
        (names of files, names of links that are not followed), relative to `root`, with "/" between folders.

    Raises:
        UserError: a folder cannot be read.
    """
    files: list[str] = []
    passed: list[str] = []
    walked = {_identity(parent) for parent in root.resolve().parents}
    waiting = [""]
    while waiting:
        start = waiting.pop(0)
        if start and _identity(root / start) in walked:
            passed.append(start)
            continue
        for folder, below, names in os.walk(root / start, onerror=_not_a_source_error):
            relative = os.path.relpath(folder, root).replace(os.sep, "/")
            prefix = "" if relative == "." else f"{relative}/"
            below[:] = sorted(name for name in below if not is_skipped(name))
            waiting += [prefix + name for name in below if os.path.islink(os.path.join(folder, name))]
            below[:] = _not_walked(folder, below, walked)
            walked.add(_identity(folder))
            files += [prefix + name for name in names]
    return files, passed


def _not_walked(folder: str, names: Iterable[str], walked: set[tuple[int, int]]) -> list[str]:
    """Those that are no links; a linked folder may hold one that was walked before."""
    paths = {name: os.path.join(folder, name) for name in names}
    return [name for name, path in paths.items() if not os.path.islink(path) and _identity(path) not in walked]


def _identity(folder: str | Path) -> tuple[int, int]:
    """What two paths of one folder share."""
    try:
        status = os.stat(folder)
    except OSError as error:
        raise UserError(f"{folder} cannot be read: {error.strerror}.") from None
    return status.st_dev, status.st_ino


def _not_a_source_error(error: OSError) -> None:
    raise UserError(f"{error.filename} cannot be read: {error.strerror}.")
