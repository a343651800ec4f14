"""What was answered to requests with an Idempotency-Key, kept beside the gallery, so that it outlives the process.

A reference gets its id here before it is enrolled. So whoever repeats a request after a crash can tell which photos of
it are in the gallery, and none is enrolled twice. Nothing here holds a name, a key or a photo: requests are hashes, and
an answer names persons by their ids.
"""

import contextlib
import hashlib
import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from lrfr_tf.gallery.new_file import random_id
from lrfr_tf.service.process_locks import ProcessLocks
from lrfr_tf.service.request_error import RequestError
from lrfr_tf.service.steady_time import steady_time

KEPT = 1000  # requests
SECONDS = 24 * 3600.0  # for which they are kept
LONGEST_KEY = 200
BUSY_TIMEOUT = 10.0  # seconds
TABLES = """
PRAGMA secure_delete = ON;
PRAGMA foreign_keys = ON;
PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS request (
    number INTEGER PRIMARY KEY AUTOINCREMENT, key BLOB NOT NULL UNIQUE, body BLOB NOT NULL, person TEXT NOT NULL,
    at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS photo (
    request INTEGER NOT NULL REFERENCES request (number) ON DELETE CASCADE, image INTEGER NOT NULL,
    reference TEXT NOT NULL, answer TEXT, PRIMARY KEY (request, image)
) WITHOUT ROWID;
"""


def answers_beside(gallery: str | os.PathLike[str]) -> Path:
    """Where the answers of a gallery's service are."""
    path = Path(gallery)
    return path.with_name(path.name + ".answers")


class Answers:
    """The last requests with a key, and what became of their photos.

    Threads may share it; a process opens its own, after a fork.

    Args:
        path: the file, made when it is first needed; None: in memory.
        kept: so many requests.
        seconds: for which each is kept.
        now: the time, of a clock that nobody sets.
    """

    def __init__(
        self,
        path: Path | None = None,
        kept: int = KEPT,
        seconds: float = SECONDS,
        now: Callable[[], float] = steady_time,
    ) -> None:
        self.path = path
        self._kept, self._seconds, self._now = kept, seconds, now
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        # Of requests that are under way, in whichever process. In a file of their own: closing a file ends its locks.
        self._locks = ProcessLocks(None if path is None else path.with_name(path.name + ".lock"))

    @contextlib.contextmanager
    def request(self, who: str, key: str, person: str, *, images: Sequence[bytes], how: str) -> Iterator["Noted"]:
        """A request to enroll photos, and what is known of it from before; one at a time of a key.

        Args:
            who: the caller's id.
            key: the Idempotency-Key.
            person: the id of the person whose photos these are.
            images: the files.
            how: what else makes the request another one.

        Raises:
            RequestError: the key belongs to another request, or to one that is under way; or the file cannot be used.
        """
        if len(key) > LONGEST_KEY:
            raise RequestError(400, "malformed", f"Idempotency-Key has at most {LONGEST_KEY} characters.")
        hashed = _hash(who.encode(), key.encode())
        body = _hash(person.encode(), how.encode(), *images)
        with self._held(hashed) as is_held:
            if not is_held:
                raise RequestError(409, "under_way", "A request with this Idempotency-Key is under way.", retry_after=1)
            yield Noted(self, self._begin(hashed, body, person, len(images)))

    def forget(self, persons: Sequence[str]) -> bool:
        """Removes what is about these persons, by their ids, and whatever is too old, and overwrites it.

        Returns:
            False where the file cannot be used.
        """
        with contextlib.suppress(RequestError):
            if self._is_there():
                with self.writing() as connection:
                    connection.executemany("DELETE FROM request WHERE person = ?", [(person,) for person in persons])
                    self._drop_old(connection)
            return True
        return False

    def persons(self) -> list[str]:
        """The ids of the persons whom something here is about.

        Raises:
            RequestError: the file cannot be used.
        """
        if not self._is_there():
            return []
        with self.writing() as connection:
            return [person for (person,) in connection.execute("SELECT DISTINCT person FROM request")]

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._close()
        self._locks.close()

    @contextlib.contextmanager
    def _held(self, key: bytes) -> Iterator[bool]:
        with contextlib.ExitStack() as stack:
            try:
                is_held = stack.enter_context(self._locks.held(key))
            except OSError:
                raise _unavailable() from None
            yield is_held

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction; what it wrote is on the disk once the block has ended.

        Raises:
            RequestError: the file is damaged, or cannot be written.
        """
        with self._lock:
            try:
                self._close_what_is_gone()
                connection = self._connection = self._connection or self._open()
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield connection
                    connection.execute("COMMIT")
                except BaseException:
                    connection.rollback()
                    raise
            except (sqlite3.Error, OSError):
                self._close()  # whoever mends the file, or takes it away, need not restart the service
                raise _unavailable() from None

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _close_what_is_gone(self) -> None:
        """Ends a connection to a file that was removed or replaced: what is written to it would be lost."""
        if self.path is not None and self._connection is not None and _number_of(self.path) != self._file:
            self._close()

    def _is_there(self) -> bool:
        return self.path is None or self.path.exists()

    def _open(self) -> sqlite3.Connection:
        if self.path is not None:  # for its owner alone, from its first byte on
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        name = ":memory:" if self.path is None else str(self.path)
        connection = sqlite3.connect(name, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False)
        try:
            connection.executescript(TABLES)
            self._file = None if self.path is None else _number_of(self.path)
        except BaseException:
            connection.close()
            raise
        return connection

    def _begin(self, key: bytes, body: bytes, person: str, images: int) -> int:
        """The row of a request; the ids of its references are on the disk."""
        with self.writing() as connection:
            self._drop_old(connection)
            rows = connection.execute("SELECT number, body FROM request WHERE key = ?", (key,)).fetchall()
            if rows:
                if rows[0][1] != body:
                    raise RequestError(409, "other_request", "This Idempotency-Key was used for another request.")
                return rows[0][0]
            values = (key, body, person, self._now())
            row = connection.execute("INSERT INTO request (key, body, person, at) VALUES (?, ?, ?, ?)", values)
            number = int(row.lastrowid or 0)
            photos = [(number, image, random_id()) for image in range(images)]
            connection.executemany("INSERT INTO photo (request, image, reference) VALUES (?, ?, ?)", photos)
            return number

    def _drop_old(self, connection: sqlite3.Connection) -> None:
        now = self._now()
        connection.execute("UPDATE request SET at = ? WHERE at > ?", (now, now))  # of a clock that went before
        connection.execute("DELETE FROM request WHERE at < ?", (now - self._seconds,))
        connection.execute(
            "DELETE FROM request WHERE number NOT IN (SELECT number FROM request ORDER BY number DESC LIMIT ?)",
            (self._kept,),
        )


class Noted:
    """What is known of one request."""

    def __init__(self, answers: Answers, number: int) -> None:
        self._answers, self._number = answers, number

    def photo(self, image: int) -> tuple[str, dict[str, Any] | None]:
        """The id that an image's reference has, or gets; and what was answered. None: nothing yet."""
        with self._answers.writing() as connection:
            rows = connection.execute(
                "SELECT reference, answer FROM photo WHERE request = ? AND image = ?", (self._number, image)
            ).fetchall()
        if not rows:  # the person was forgotten meanwhile
            return random_id(), None
        return rows[0][0], None if rows[0][1] is None else json.loads(rows[0][1])

    def note(self, image: int, answer: dict[str, Any]) -> None:
        """Keeps what is answered about an image."""
        with self._answers.writing() as connection:
            connection.execute(
                "UPDATE photo SET answer = ? WHERE request = ? AND image = ?", (json.dumps(answer), self._number, image)
            )


def _unavailable() -> RequestError:
    message = "The file of answers beside the gallery cannot be used."
    return RequestError(503, "answers_unavailable", message, retry_after=1)


def _number_of(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def _hash(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).digest()
