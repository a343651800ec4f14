"""One gallery's file: its connection, transactions that survive a kill, and errors that a user understands.

The database is in WAL mode with synchronous=FULL: what a transaction has acknowledged is on the disk. Deleted content
is overwritten (secure_delete). A change counter tells every reader, in whichever process, that something else is in
force.
"""

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from lrfr_tf.errors import UserError
from lrfr_tf.gallery import damage, open_files, schema
from lrfr_tf.gallery.change import Change
from lrfr_tf.gallery.kept_file import KeptFile, State, has_log, state_of
from lrfr_tf.gallery.new_file import make_file, storable
from lrfr_tf.gallery.store_error import GO_BACK, SENTENCES, StoreError, sentence_of

BUSY_TIMEOUT = 10.0  # seconds that a writer waits for another one
MEMORY = ":memory:"
LOOK_AGAIN = 1.0  # seconds after which a file that could not be used is looked at again, if nothing was written to it


def now() -> str:
    """The time in UTC, to the second: "2026-11-30T11:45:00+00:00"."""
    return datetime.now(UTC).isoformat(timespec="seconds")


class Store:
    """A gallery's database. Threads may share it; each process opens its own, after a fork.

    Args:
        path: the file; None: in memory, gone with the process.

    Attributes:
        opened: how often another file was found in its place, and opened: whatever is kept in memory is of the first.

    Raises:
        UserError: the file is missing, no gallery, damaged, locked, or was written by a newer version.
    """

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        self.path = None if path is None else Path(path)
        self.label = "The gallery" if path is None else str(path)
        self.lock = threading.RLock()
        self.opened = 0
        self._file: KeptFile | None = None  # that is open
        self._seen: State | None = None  # when it was last found to be good
        self._fault: tuple[State | None, float, StoreError] | None = None  # what was found instead, and when
        self._open()
        self._id = self.fact("id")

    def _open(self) -> None:
        file = None if self.path is None else KeptFile(self.path)
        seen = None if file is None else state_of(file.path)
        self.read_only = file is not None and not file.is_writable()
        if file is not None and not self.read_only:
            open_files.let_write_beside(file.path)
        try:
            with self.explained(looks_for_damage=False):
                mode = "?mode=ro" if self.read_only else "?mode=rw"
                name = MEMORY if self.path is None else self.path.resolve().as_uri() + mode
                self.connection = sqlite3.connect(
                    name, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False, uri=file is not None
                )
                try:
                    self._file, self._seen = file, seen
                    self._begin()
                except BaseException:
                    self.connection.close()
                    raise
        except BaseException:
            self._file = None
            if file is not None:
                file.release()
            raise

    def _look_at_file(self) -> None:
        """Makes sure that the file is what it was, if nothing is under way; another one in its place is opened.

        Raises:
            UserError: it is missing, damaged, or another gallery.
        """
        if self.path is None or self._is_under_way():
            return
        state = state_of(self.path)
        if state == self._seen and self._file is not None and self._fault is None:
            return
        if self._fault is not None and self._fault[0] == state and time.monotonic() < self._fault[1] + LOOK_AGAIN:
            raise self._fault[2]
        self._fault = None
        try:
            self._look_again(state)
        except UserError as error:  # also of what is no gallery: what was asked for may be right
            self._fault = state, time.monotonic(), StoreError(str(error))
            raise self._fault[2] from None

    def _look_again(self, state: State | None) -> None:
        is_same = self._file is not None and self._file.is_same(state)
        if self._file is not None and not is_same:
            self._empty_log()
        if state is None:  # it stays open: somebody may put it back
            raise StoreError(f"{self.label} was removed while it was in use; put it back.")
        self._seen = state
        if is_same and self._file is not None and self._file.is_writable() != self.read_only:
            self.connection.execute("PRAGMA shrink_memory")  # pages that were read before
            self.refuse_damage(whole=self._file.is_small())
        else:
            if self._file is not None:
                self.connection.close()
                self._file.release()
                self._file = None
            self._open()
            self.opened += 1
        if self.fact("id") != self._id:
            raise StoreError(f"Another gallery has taken the place of {self.label}; what uses it must be started anew.")

    def _empty_log(self) -> None:
        """Writes the log into the file, which is elsewhere by now: SQLite would take it for the log of another one.

        Raises:
            UserError: a log stays beside where the file was.
        """
        if not self.read_only:
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        if self.path is not None and has_log(self.path):
            raise StoreError(f"{self.label} was replaced while it was in use; what uses it must be started anew.")

    def _is_under_way(self) -> bool:
        """Whether a transaction is."""
        return (self.path is None or self._file is not None) and self.connection.in_transaction

    def _begin(self) -> None:
        for setting in ("foreign_keys = ON", "secure_delete = ON", "synchronous = FULL", "temp_store = MEMORY"):
            self.connection.execute(f"PRAGMA {setting}")
        if self.path is None:
            schema.prepare(self.connection)
            schema.make_tables(self.connection)
            return
        version = schema.version_of(self.connection)
        if not version:
            raise UserError(f"{self.path} is not a gallery; lrfr gallery create makes one.")
        if version > schema.VERSION:
            raise UserError(
                f"{self.path} was written by a newer lrfr_tf (schema {version}, this one knows {schema.VERSION}); "
                "nothing was changed."
            )
        if version < schema.VERSION:
            with self.transaction("IMMEDIATE"):
                schema.migrate(self.connection, version)
        assert self._file is not None
        self.refuse_damage(whole=self._file.is_small())

    @classmethod
    def create(cls, path: str | os.PathLike[str] | None, facts: Mapping[str, Any]) -> Self:
        """A new gallery, empty; the file is readable by its owner alone.

        Raises:
            UserError: there is such a file already, or it cannot be written.
        """
        if path is None:
            store = cls(None)
            with store.writing() as change:
                for fact, value in facts.items():
                    change.set_fact(fact, value)
            return store
        make_file(Path(path), facts)
        return cls(path)

    @contextlib.contextmanager
    def explained(self, looks_for_damage: bool = True) -> Iterator[None]:
        """Turns what SQLite says about the file into one sentence; what is our own fault stays as it is.

        Values that nobody stored fail wherever they are used. So after an error that says nothing of the file, all of
        it is looked through, if `looks_for_damage`.

        Raises:
            UserError: the file is locked, read-only, damaged or cannot grow.
        """
        try:
            yield
        except UserError:
            raise
        except UnicodeEncodeError:
            raise UserError("A name or a text holds bytes that are no letters; nothing was changed.") from None
        except UnicodeDecodeError:
            raise StoreError(f"{self.label} {SENTENCES[sqlite3.SQLITE_CORRUPT]}.") from None
        except Exception as error:
            sentence = sentence_of(error)
            if sentence is None:
                if looks_for_damage and not self._is_under_way():
                    self.refuse_damage()
                raise
            raise StoreError(f"{self.label} {sentence}.") from None

    def refuse_damage(self, whole: bool = True) -> None:
        """Looks through the whole file, or else at its tables and single values alone.

        Raises:
            UserError: it is damaged, or holds values that nobody stored; or it cannot be read.
        """
        if self.path is None:
            return
        with self.transaction(looks_for_damage=False):  # all of one moment
            try:
                fault = damage.fault_of_structure(self.connection)
                if whole and fault is None:
                    fault = damage.fault_of_content(self.connection)
            except sqlite3.Error as error:
                if sentence_of(error) is not None:
                    raise
                fault = "its tables cannot be asked"
        if fault is not None:
            raise StoreError(f"{self.label} is damaged, {fault}; {GO_BACK}.")

    @contextlib.contextmanager
    def transaction(self, kind: str = "DEFERRED", *, looks_for_damage: bool = True) -> Iterator[None]:
        """Everything inside happens, or nothing; what is read is of one moment.

        Raises:
            UserError: see `explained`.
        """
        with self.lock, self.explained(looks_for_damage):
            if self._is_under_way():
                yield
                return
            self._look_at_file()
            self.connection.execute(f"BEGIN {kind}")
            try:
                yield
                self.connection.execute("COMMIT")
                self._note_own_writing()
            except BaseException:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def writing(self) -> Iterator[Change]:
        """A transaction that changes what is in force; once the block has ended it is on the disk.

        Raises:
            UserError: the gallery is read-only, another process writes for longer than `BUSY_TIMEOUT`; and `explained`.
        """
        if self.read_only:
            raise StoreError(f"{self.label} is read-only; nothing was changed.")
        with self.transaction("IMMEDIATE"):
            number = self.changes() + 1
            yield Change(self, number)
            self.connection.execute("UPDATE fact SET value = ? WHERE name = ?", (number, schema.CHANGES))

    def read(self, statement: str, *values: Any) -> list[tuple]:
        """All rows of a query.

        Raises:
            UserError: see `explained`.
        """
        with self.lock, self.explained():
            self._look_at_file()
            return self.connection.execute(statement, storable(values)).fetchall()

    def check_writable(self) -> None:
        """Writes what is there already.

        Raises:
            UserError: see `writing`.
        """
        with self.transaction("IMMEDIATE"):
            for step in (1, -1):  # SQLite writes nothing where the same bytes are written over
                self.connection.execute("UPDATE fact SET value = value + ? WHERE name = ?", (step, schema.CHANGES))

    def changes(self) -> int:
        """The change counter, of this moment."""
        return int(self.fact(schema.CHANGES))

    def fact(self, name: str) -> Any:
        """A single value; None where it is not known."""
        rows = self.read("SELECT value FROM fact WHERE name = ?", name)
        return rows[0][0] if rows else None

    def close(self) -> None:
        """Ends the connection; nothing can be read or written after it."""
        with self.lock:
            if self.path is not None and self._file is not None and not self._file.is_same(state_of(self.path)):
                with contextlib.suppress(sqlite3.Error, UserError):
                    self._empty_log()
            self.connection.close()
            if self._file is not None:
                self._file.release()

    def _note_own_writing(self) -> None:
        if self._file is not None and self._file.is_same(state := state_of(self._file.path)):
            self._seen = state
