"""Looking into a gallery's file beside SQLite, without ending the locks that SQLite holds on it.

Whenever a process closes a descriptor of a file, the system drops all locks (fcntl) that the process holds on it,
whichever descriptor they came from. Another process would then take itself for the last one that has the gallery open
and remove the write-ahead log, and what is written to the removed log is lost. So a descriptor of a gallery that is
open stays open as long as the gallery.
"""

import contextlib
import dataclasses
import os
import stat
import threading

Key = tuple[int, int]  # device and number of the file, whatever it is called


@dataclasses.dataclass
class _Held:
    descriptors: list[int]
    users: int = 0


_lock = threading.Lock()
_held: dict[Key, _Held] = {}


def hold(path: str | os.PathLike[str]) -> Key:
    """Notes that a file is about to be opened by SQLite; `release` ends that.

    Raises:
        OSError: it cannot be read.
    """
    with _lock:
        key = _key(os.stat(path))
        if key not in _held:
            descriptor = os.open(path, os.O_RDONLY)
            key = _key(os.fstat(descriptor))
            _held.setdefault(key, _Held([])).descriptors.append(descriptor)
        _held[key].users += 1
        return key


def release(key: Key) -> None:
    """Notes that SQLite has closed a file."""
    with _lock:
        held = _held[key]
        held.users -= 1
        if not held.users:
            del _held[key]
            for descriptor in held.descriptors:
                os.close(descriptor)


def let_write_beside(path: str | os.PathLike[str]) -> None:
    """Lets its owner write the files that SQLite keeps beside one that can be written.

    Whoever only reads leaves them behind, with the mode that the file had then.
    """
    place = os.path.realpath(path)  # they lie beside the file, not beside a link to it
    for ending in ("-wal", "-shm"):
        with contextlib.suppress(OSError):  # most often there is none
            if not os.stat(place + ending).st_mode & stat.S_IWUSR:
                os.chmod(place + ending, stat.S_IMODE(os.stat(place).st_mode))


def read_start(path: str | os.PathLike[str], count: int) -> bytes:
    """The first bytes of a file, which SQLite may have open.

    Raises:
        OSError: it cannot be read.
    """
    with _lock:
        held = _held.get(_key(os.stat(path)))
        if held is not None:
            return os.pread(held.descriptors[0], count, 0)
        with open(path, "rb") as file:
            return file.read(count)


def _key(status: os.stat_result) -> Key:
    return status.st_dev, status.st_ino
