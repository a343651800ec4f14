"""Looking into a gallery's file beside SQLite, without ending the locks that SQLite holds on it.

Whenever a process closes a descriptor of a file, the system drops all locks (fcntl) that the process holds on it,
whichever descriptor they came from. Another process would then take itself for the last one that has the gallery open
and remove the write-ahead log, and what is written to the removed log is lost. So a descriptor of a gallery that is
open stays open as long as the gallery.
"""

import dataclasses
import os
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
