"""Images as they were delivered: a folder, or a zip of one, read in place."""

import contextlib
import dataclasses
import threading
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Protocol

from lrfr_tf.errors import UserError
from lrfr_tf.images.decode import IMAGE_SUFFIXES
from lrfr_tf.names import nfc
from lrfr_tf.plural import counted
from lrfr_tf.sources.walk import is_skipped, walk_once

LARGEST_FILE = 256 << 20  # bytes; no photo is larger, and a zip bomb is
ENCRYPTED, IN_UTF_8 = 0x1, 0x800  # flags of a file in a zip


@dataclasses.dataclass(frozen=True)
class Listing:
    """The files of a folder or a zip, as relative names ("a/b.jpg"), sorted.

    Hidden files are in neither list, and so is everything in folders that are no user's (`is_skipped`).

    Attributes:
        images: by their endings.
        others: all that have another ending.
        links: folders that are links and were read already, by another name.
    """

    images: list[str]
    others: list[str]
    links: list[str]


class ImageSource(Protocol):
    """A set of image files with relative names ("a/b.jpg")."""

    def names(self) -> list[str]:
        """The names of all images, sorted."""

    def listing(self) -> Listing:
        """The same, and the files that are no images."""

    def read(self, name: str) -> bytes:
        """The bytes of one of them."""

    def stamp(self, name: str) -> str:
        """What is different where another photo has taken its name: its size in bytes, and in a zip its CRC-32."""

    def label(self, name: str) -> str:
        """How messages call it."""


class FolderSource:
    """Images below a folder, and below those that are linked in it (see `walk_once`)."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def names(self) -> list[str]:
        return self.listing().images

    def listing(self) -> Listing:
        return _listing(*walk_once(self.root))

    def read(self, name: str) -> bytes:
        try:
            return (self.root / name).read_bytes()
        except OSError as error:
            raise UserError(f"{self.label(name)} cannot be read: {error.strerror}.") from None

    def stamp(self, name: str) -> str:
        try:
            return str((self.root / name).stat().st_size)
        except OSError:
            return ""

    def label(self, name: str) -> str:
        return str(self.root / name)


class ZipSource:
    """Images inside a zip file; nothing is unpacked to disk.

    Raises:
        UserError: it is no zip file, or is protected by a password.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._archive = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile):
            raise UserError(
                f"{path} is not a readable zip file; a web page saved in its place, or a download that was cut off, "
                "looks like this."
            ) from None
        members = self._archive.infolist()
        if any(member.flag_bits & ENCRYPTED for member in members):
            raise UserError(f"{path} is protected by a password; unpack it and give the folder.")
        self._members = {_member_name(member): member for member in members}
        self._lock = threading.Lock()  # one file handle serves all threads

    def names(self) -> list[str]:
        return self.listing().images

    def listing(self) -> Listing:
        names = [name for name in self._members if not name.endswith("/")]
        for name in names:
            if _is_image(name) and (name.startswith("/") or ".." in name.split("/")):
                raise UserError(f"{self.path} holds {name!r}, which points out of its folder; it is not read.")
        return _listing(name for name in names if not any(map(is_skipped, name.split("/")[:-1])))

    def read(self, name: str) -> bytes:
        try:
            with self._lock:
                if self._members[name].file_size > LARGEST_FILE:
                    raise UserError(f"{self.label(name)} unpacks to more than {LARGEST_FILE >> 20} MiB.")
                return self._archive.read(self._members[name])
        except (KeyError, OSError, zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError) as error:
            raise UserError(f"{self.label(name)} cannot be read: {error}.") from None

    def stamp(self, name: str) -> str:
        return f"{self._members[name].file_size}-{self._members[name].CRC:08x}"

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


def images_by_identity(source: ImageSource, note: Callable[[str], None] | None = None) -> dict[str, list[str]]:
    """identity -> image names: the first folder on the way to an image names the identity, whatever lies below it.

    So `people/<person>/<anything>/<photo>` is of `<person>`. A zip often holds the folder that was zipped: where it has
    one folder at the top only, and that holds no photo itself but folders of photos, those name the identities. (A
    folder is named by whoever asks, and is taken at its word: it may hold one person with many albums.) Names are
    normalized to NFC, so that two spellings of an accent are one person.

    Args:
        note: told, in one sentence each, which folder that is, and how many files were passed over.

    Raises:
        UserError: there is no image in a folder of its own.
    """
    listing = source.listing()
    top = _common_prefix(listing.images) if isinstance(source, ZipSource) else ""
    if top and note is not None:
        note(f"{source.label('').rstrip('/')} holds one folder, {top.rstrip('/')}; the folders in it name the persons.")
    names = [(name, name.removeprefix(top).split("/") if name.startswith(top) else [name]) for name in listing.images]
    return _by_identity(source, listing, {name: parts[0] for name, parts in names if len(parts) > 1}, note)


def images_by_innermost_folder(source: ImageSource, note: Callable[[str], None] | None = None) -> dict[str, list[str]]:
    """The same for data sets whose layout says that the folder in which an image lies names the identity, whatever is
    above it: VGGFace2 has `train/<identity>/<image>` and `test/<identity>/<image>`."""
    listing = source.listing()
    names = [(name, name.split("/")) for name in listing.images]
    return _by_identity(source, listing, {name: parts[-2] for name, parts in names if len(parts) > 1}, note)


def skipped_note(listing: Listing, reasons: Mapping[str, int] | None = None) -> str | None:
    """One sentence that counts what is not read; None where everything is.

    Args:
        listing: of the source.
        reasons: words behind a number, such as "in no person's folder" -> how many photos are not read for that.
    """
    endings = Counter(PurePosixPath(name).suffix.lower() or "without an ending" for name in listing.others)
    parts = [f"{count} {ending}" for ending, count in endings.most_common()]
    for reason, count in (reasons or {}).items():
        if count:
            parts.append(f"{counted(count, 'photo')} {reason}")
    if listing.links:
        one = "a folder that is" if len(listing.links) == 1 else "folders that are"
        parts.append(f"{len(listing.links)} linked to {one} read already, such as {listing.links[0]}")
    total = len(listing.others) + sum((reasons or {}).values()) + len(listing.links)
    if not total:
        return None
    return f"{counted(total, 'file was', 'files were')} passed over: {', '.join(parts)}."


def _by_identity(
    source: ImageSource, listing: Listing, identities: Mapping[str, str], note: Callable[[str], None] | None
) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, identity in identities.items():
        found.setdefault(nfc(identity), []).append(name)
    loose = len(listing.images) - len(identities)
    sentence = skipped_note(listing, {"in no person's folder": loose})
    if not found:
        counted = f"; {sentence}" if sentence else "."
        raise UserError(f"{source.label('')} holds no <identity>/<image> ({', '.join(IMAGE_SUFFIXES)}){counted}")
    if sentence and note is not None:
        note(sentence)
    return found


def _common_prefix(images: Sequence[str]) -> str:
    """ "people/" where everything lies in the folders of one folder, "data/people/" where that is in another; or ""."""
    prefix = ""
    while True:
        below = [name.removeprefix(prefix) for name in images if name.startswith(prefix)]
        tops = {name.split("/")[0] for name in below if "/" in name}
        if len(tops) != 1 or any(name.count("/") == 1 for name in below):
            return prefix
        prefix += f"{tops.pop()}/"


def _listing(names: Iterable[str], links: Sequence[str] = ()) -> Listing:
    shown = sorted(name for name in names if not name.rsplit("/", 1)[-1].startswith("."))
    images = [name for name in shown if _is_image(name)]
    return Listing(images, [name for name in shown if not _is_image(name)], sorted(links))


def _member_name(member: zipfile.ZipInfo) -> str:
    """The name of a file in a zip as it was before it was zipped.

    Some programs write backslashes between folders. Others, macOS among them, write UTF-8 without the flag that says
    so, and Python then takes it for a code page of 1981; what reads as UTF-8 there, accents and all, is UTF-8.
    """
    name = member.filename
    if not member.flag_bits & IN_UTF_8 and not name.isascii():
        with contextlib.suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/")


def _is_image(name: str) -> bool:
    base = name.rsplit("/", 1)[-1]
    return not base.startswith(".") and base.lower().endswith(IMAGE_SUFFIXES)
