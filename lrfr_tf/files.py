"""Files that are either whole or absent."""

import contextlib
import errno
import hashlib
import json
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lrfr_tf.errors import UserError
from lrfr_tf.printable import ESCAPED

WRITE_ERRORS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.ENAMETOOLONG)
KEPT_OF_A_NAME = 40  # letters of the end of a name in that of its temporary file: a long one must not become too long
_UMASK_LOCK = threading.Lock()


def make_folder(path: str | Path) -> None:
    """Makes a folder and those above it, if they are not there.

    Raises:
        UserError: it cannot be made, for example because a file has its name.
    """
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"The folder {path} cannot be made: {error.strerror}.") from None


def rename_to_new(source: Path, target: Path) -> None:
    """Gives a file another name, and replaces nothing.

    Raises:
        FileExistsError: there is such a file.
    """
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:  # file systems without links
        if target.exists():
            raise FileExistsError(target) from None
        source.rename(target)


@contextlib.contextmanager
def atomic_file(path: str | Path, private: bool = False, *, replaces: bool = True) -> Iterator[Path]:
    """Yields a temporary path beside `path`, and renames it to `path` when the block ends without an error.

    The temporary name keeps the suffix of `path`, for writers that look at it. After an error it is removed and an
    older `path` stays as it was.

    Args:
        private: whether only its owner may read it, from the first byte on.
        replaces: whether it takes the place of an older `path`.

    Raises:
        UserError: `path` is a folder, or is there and stays; its folder cannot be written to, or the disk is full.
    """
    path = Path(path)
    make_folder(path.parent)
    with _write_errors_explained(path):
        if path.is_dir():
            raise UserError(f"{path} is a folder; it should be the file to write.")
        descriptor, name = tempfile.mkstemp(prefix=".part-", suffix="-" + path.name[-KEPT_OF_A_NAME:], dir=path.parent)
    os.close(descriptor)
    temporary = Path(name)
    try:
        with _write_errors_explained(path):
            yield temporary
            # mkstemp makes files that only their owner may read; the finished file gets the usual permissions.
            temporary.chmod(0o600 if private else 0o666 & ~_umask())
            if replaces:
                temporary.replace(path)
            else:
                try:
                    rename_to_new(temporary, path)
                except FileExistsError:
                    raise UserError(f"{path} exists already, and stays.") from None
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """Yields a temporary folder beside `path`, and puts it in the place of `path` when the block ends without an error.

    An older `path` is replaced as a whole: none of its files stay.

    Raises:
        UserError: the folder it is to be in cannot be written to, or the disk is full.
    """
    path = Path(path)
    make_folder(path.parent)
    with _write_errors_explained(path):
        temporary = Path(tempfile.mkdtemp(prefix=".part-", suffix="-" + path.name[-KEPT_OF_A_NAME:], dir=path.parent))
    try:
        with _write_errors_explained(path):
            yield temporary
            temporary.chmod(0o777 & ~_umask())
            if path.exists():
                shutil.rmtree(path)  # a rename replaces an empty folder only
            temporary.replace(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextlib.contextmanager
def _write_errors_explained(path: Path) -> Iterator[None]:
    """What the system refuses to write, for want of rights or space, is the user's to know; other errors are ours."""
    try:
        yield
    except OSError as error:
        if error.errno not in WRITE_ERRORS:
            raise
        raise UserError(f"{path} cannot be written: {error.strerror}.") from None


def _umask() -> int:
    # It can only be read by setting it, and a thread that read it meanwhile would put back the wrong one.
    with _UMASK_LOCK:
        mask = os.umask(0o077)
        os.umask(mask)
    return mask


def write_json(path: str | Path, value: Any) -> None:
    """Writes `value` as indented JSON, whole or not at all."""
    with atomic_file(path) as temporary:
        temporary.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def read_json(path: str | Path) -> Any:
    """Reads a JSON file.

    Raises:
        UserError: the file is missing or is not JSON; the message names it.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} is missing.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path} cannot be read as JSON: {error}.") from None


def check_result_file(path: str | Path) -> None:
    """Refuses a folder as the `--output` of an evaluation, before anything takes time.

    Raises:
        UserError: `path` is a folder.
    """
    if Path(path).is_dir():
        raise UserError(f"`output`={path} is a folder; it should be the JSON file to write.")


def replace_between_markers(path: str | Path, text: str, name: str) -> None:
    """Replaces what stands between the marks `<!-- name -->` and `<!-- end of name -->` of a document.

    Raises:
        UserError: the document is missing, or does not hold each mark once, the first before the second; it stays as it
            was.
    """
    first, last = f"<!-- {name} -->", f"<!-- end of {name} -->"
    if not Path(path).is_file():
        raise UserError(f"{path} is missing; it should be a document with {first} and {last}.")
    document = Path(path).read_text(encoding="utf-8")
    before, _, rest = document.partition(first)
    if document.count(first) != 1 or document.count(last) != 1 or last not in rest:
        raise UserError(f"{path} holds no {first} and {last}, once each and in this order.")
    after = rest.partition(last)[2]
    with atomic_file(path) as temporary:
        temporary.write_text(f"{before}{first}\n{text}\n{last}{after}", encoding="utf-8", errors=ESCAPED)


def sha256(path: str | Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
