"""Locks by name that hold between processes, and end with the process that has them."""

import contextlib
import fcntl
import os
import threading
from collections.abc import Iterator
from pathlib import Path

LARGEST = 2**62  # bytes of a file that can be locked; none of them is ever written


class ProcessLocks:
    """Locks in a file: each name is a byte of it. Threads may share it; a process makes its own, after a fork.

    Args:
        path: the file, made when it is first needed and kept; None: the locks hold between threads alone.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._held: set[int] = set()
        self._descriptor: int | None = None

    @contextlib.contextmanager
    def held(self, name: bytes) -> Iterator[bool]:
        """Whether the lock was free, and is held while the block runs.

        Raises:
            OSError: the file cannot be made or locked.
        """
        place = int.from_bytes(name[:8], "big") % LARGEST
        with self._lock:
            is_held = place not in self._held and self._take(place)
            if is_held:
                self._held.add(place)
        try:
            yield is_held
        finally:
            if is_held:
                with self._lock:
                    self._held.discard(place)
                    if self._descriptor is not None:
                        fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, place)

    def close(self) -> None:
        """Gives up the file, and all locks in it."""
        with self._lock:
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None

    def _take(self, place: int) -> bool:
        if self.path is None:
            return True
        if self._descriptor is None:
            self._descriptor = os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
        except (BlockingIOError, PermissionError):  # some systems say the second of what another process holds
            return False
        return True
