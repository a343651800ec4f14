"""A gallery's file beside SQLite: is it one, and is it still the one that was opened?

SQLite goes on with a file that was removed or replaced, and whatever it writes there is lost. Of a file that something
else writes to, it may use pages that it read before. So whoever has a gallery open looks at the file before each use.
"""

import os
import weakref
from pathlib import Path

from lrfr_tf.errors import UserError
from lrfr_tf.gallery import open_files
from lrfr_tf.gallery.store_error import GO_BACK, StoreError

MAGIC = b"SQLite format 3\0"
# Bytes; what is larger is looked through only when it is checked or copied (docs/people.md says how long that takes).
LOOKED_THROUGH = 64 << 20
State = tuple[int, ...]


def is_gallery_file(path: str | os.PathLike[str]) -> bool:
    """Whether a path is a database, and so to be opened as a stored gallery and not as a folder or zip of photos."""
    try:
        return open_files.read_start(path, len(MAGIC)) == MAGIC
    except OSError:
        return False


def state_of(path: Path) -> State | None:
    """What is another one once a file is written to, replaced, or made readable only; None: it is missing."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_ctime_ns


class KeptFile:
    """The file of a gallery that is in use; `release` ends that.

    Args:
        path: where it is.

    Raises:
        UserError: it is missing, no gallery, or cannot be read; StoreError: it is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            what = "is a folder, not a gallery's file" if path.is_dir() else "is missing"
            raise UserError(f"{path} {what}; lrfr gallery create makes a gallery.")
        try:
            self._key = open_files.hold(path)
        except OSError as error:
            raise UserError(f"{path} cannot be read: {error.strerror}.") from None
        self.release = weakref.finalize(self, open_files.release, self._key)
        try:
            self._check()
        except BaseException:
            self.release()
            raise

    def _check(self) -> None:
        if self.path.stat().st_size and not is_gallery_file(self.path):
            raise UserError(f"{self.path} is not a gallery, or is damaged.")
        if _is_cut(self.path):
            raise StoreError(f"{self.path} is damaged, its end is missing; {GO_BACK}.")

    def is_same(self, state: State | None) -> bool:
        """Whether a state is of this very file, whatever was written to it."""
        return state is not None and state[:2] == self._key

    def is_writable(self) -> bool:
        """Whether it may be written to."""
        return os.access(self.path, os.W_OK)

    def is_small(self) -> bool:
        """Whether all of it is looked through whenever it is opened."""
        return self.path.stat().st_size <= LOOKED_THROUGH


def has_log(path: Path) -> bool:
    """Whether a write-ahead log lies beside a file, and holds something."""
    path = path.resolve()  # it lies beside the file, not beside a link to it
    try:
        return path.with_name(path.name + "-wal").stat().st_size > 0
    except FileNotFoundError:
        return False


def _is_cut(path: Path) -> bool:
    """Whether a file ends within a page, where no log holds the rest."""
    holds_more = has_log(path)  # first: it is removed once the file is whole
    page = int.from_bytes(open_files.read_start(path, 18)[16:], "big")  # of whatever database it is; 1: 65,536
    return not holds_more and page > 1 and path.stat().st_size % page != 0
