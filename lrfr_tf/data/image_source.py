"""Images as they were delivered: a folder, or a zip of one, read in place."""

import threading
import zipfile
import zlib
from pathlib import Path
from typing import Protocol

from lrfr_tf.errors import UserError
from lrfr_tf.images.decode import IMAGE_SUFFIXES

LARGEST_FILE = 256 << 20  # bytes; no photo is larger, and a zip bomb is


class ImageSource(Protocol):
    """A set of image files with relative names ("a/b.jpg")."""

    def names(self) -> list[str]:
        """The names of all images, sorted."""

    def read(self, name: str) -> bytes:
        """The bytes of one of them."""

    def label(self, name: str) -> str:
        """How messages call it."""


class FolderSource:
    """Images below a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def names(self) -> list[str]:
        files = (path for path in self.root.rglob("*") if path.is_file())
        return sorted(path.relative_to(self.root).as_posix() for path in files if _is_image(path.name))

    def read(self, name: str) -> bytes:
        try:
            return (self.root / name).read_bytes()
        except OSError as error:
            raise UserError(f"{self.label(name)} cannot be read: {error.strerror}.") from None

    def label(self, name: str) -> str:
        return str(self.root / name)


class ZipSource:
    """Images inside a zip file; nothing is unpacked to disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._archive = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile):
            raise UserError(
                f"{path} is not a readable zip file; a web page saved in its place, or a download that was cut off, "
                "looks like this."
            ) from None
        self._lock = threading.Lock()  # one file handle serves all threads

    def names(self) -> list[str]:
        names = [name for name in self._archive.namelist() if _is_image(name) and not name.startswith("__MACOSX")]
        for name in names:
            if name.startswith("/") or ".." in name.split("/"):
                raise UserError(f"{self.path} holds {name!r}, which points out of its folder; it is not read.")
        return sorted(names)

    def read(self, name: str) -> bytes:
        try:
            with self._lock:
                if self._archive.getinfo(name).file_size > LARGEST_FILE:
                    raise UserError(f"{self.label(name)} unpacks to more than {LARGEST_FILE >> 20} MiB.")
                return self._archive.read(name)
        except (KeyError, OSError, zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError) as error:
            raise UserError(f"{self.label(name)} cannot be read: {error}.") from None

    def label(self, name: str) -> str:
        return f"{self.path}/{name}"


def open_source(path: Path) -> FolderSource | ZipSource:
    """Opens a folder or a zip of images.

    Raises:
        UserError: `path` is neither.
    """
    if path.is_dir():
        return FolderSource(path)
    if path.is_file():
        return ZipSource(path)
    raise UserError(f"{path} does not exist; it should be a folder or a zip file of images.")


def images_by_identity(source: ImageSource) -> dict[str, list[str]]:
    """identity -> image names, where the folder that an image lies in names the identity.

    Raises:
        UserError: there is no image in a folder of its own.
    """
    found: dict[str, list[str]] = {}
    for name in source.names():
        parts = name.split("/")
        if len(parts) >= 2:
            found.setdefault(parts[-2], []).append(name)
    if not found:
        raise UserError(f"{source.label('')} holds no <identity>/<image> ({', '.join(IMAGE_SUFFIXES)}).")
    return found


def _is_image(name: str) -> bool:
    base = name.rsplit("/", 1)[-1]
    return not base.startswith(".") and base.lower().endswith(IMAGE_SUFFIXES)
