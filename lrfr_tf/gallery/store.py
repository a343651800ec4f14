"""One gallery's file: its connection, transactions that survive a kill, and errors that a user understands.

The database is in WAL mode with synchronous=FULL: what a transaction has acknowledged is on the disk. Deleted content
is overwritten (secure_delete). A change counter tells every reader, in whichever process, that something else is in
force.
"""

import contextlib
import dataclasses
import os
import sqlite3
import threading
import weakref
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from lrfr_tf.errors import UserError
from lrfr_tf.files import KEPT_OF_A_NAME, rename_to_new
from lrfr_tf.gallery import damage, open_files, schema
from lrfr_tf.gallery.store_error import GO_BACK, SENTENCES, StoreError, sentence_of
from lrfr_tf.printable import in_utf8

MAGIC = b"SQLite format 3\0"
BUSY_TIMEOUT = 10.0  # seconds that a writer waits for another one
MEMORY = ":memory:"
# Bytes; what is larger is looked through only when it is checked or copied (docs/people.md says how long that takes).
LOOKED_THROUGH = 64 << 20


def is_gallery_file(path: str | os.PathLike[str]) -> bool:
    """Whether a path is a database, and so to be opened as a stored gallery and not as a folder or zip of photos."""
    try:
        return open_files.read_start(path, len(MAGIC)) == MAGIC
    except OSError:
        return False


def now() -> str:
    """The time in UTC, to the second: "2026-11-30T11:45:00+00:00"."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def random_id() -> str:
    """16 hexadecimal digits."""
    return os.urandom(8).hex()


def storable(values: Iterable[Any]) -> tuple:
    """Values as SQLite takes them: texts in UTF-8 (a file's name may be none)."""
    return tuple(in_utf8(value) if isinstance(value, str) else value for value in values)


@dataclasses.dataclass(frozen=True)
class Change:
    """A transaction that writes.

    Attributes:
        number: the gallery's change counter, if the transaction succeeds.
    """

    store: "Store"
    number: int

    def run(self, statement: str, *values: Any) -> sqlite3.Cursor:
        """Executes one statement."""
        return self.store.connection.execute(statement, storable(values))

    def touch(self, person: int) -> None:
        """Notes that a person's name or references changed, so that every reader looks at them again."""
        self.run("UPDATE persons SET changed = ? WHERE number = ?", self.number, person)

    def set_fact(self, name: str, value: Any) -> None:
        """Stores a single value."""
        self.run("INSERT OR REPLACE INTO fact VALUES (?, ?)", name, value)


class Store:
    """A gallery's database. Threads may share it; each process opens its own, after a fork.

    Args:
        path: the file; None: in memory, gone with the process.

    Raises:
        UserError: the file is missing, no gallery, damaged, locked, or was written by a newer version.
    """

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        self.path = None if path is None else Path(path)
        self.label = "The gallery" if path is None else str(path)
        self.lock = threading.RLock()
        self.read_only = False
        if self.path is not None:
            if not self.path.is_file():
                what = "is a folder, not a gallery's file" if self.path.is_dir() else "is missing"
                raise UserError(f"{self.path} {what}; lrfr gallery create makes a gallery.")
            try:
                self.file = open_files.hold(self.path)
            except OSError as error:
                raise UserError(f"{self.path} cannot be read: {error.strerror}.") from None
            self._release = weakref.finalize(self, open_files.release, self.file)
            if self.path.stat().st_size and not is_gallery_file(self.path):
                self._release()
                raise UserError(f"{self.path} is not a gallery, or is damaged.")
            if open_files.is_cut(self.path):
                self._release()
                raise StoreError(f"{self.path} is damaged, its end is missing; {GO_BACK}.")
            self.read_only = not os.access(self.path, os.W_OK)
            if not self.read_only:
                open_files.let_write_beside(self.path)
        with self.explained(looks_for_damage=False):
            mode = "?mode=ro" if self.read_only else "?mode=rw"
            name = MEMORY if self.path is None else self.path.resolve().as_uri() + mode
            self.connection = sqlite3.connect(
                name, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False, uri=self.path is not None
            )
            try:
                self._begin()
            except BaseException:
                self.connection.close()
                raise

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
        self.refuse_damage(whole=self.path.stat().st_size <= LOOKED_THROUGH)

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
        path = Path(path)
        if path.exists():
            raise UserError(f"{path} exists already; a gallery is made under a name of its own.")
        # Built under another name, so that nobody ever sees half a gallery.
        part = path.with_name(f".part-{random_id()}-{path.name[-KEPT_OF_A_NAME:]}")
        try:
            os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            _fill(part, facts)
            rename_to_new(part, path)
        except FileExistsError:
            raise UserError(f"{path} exists already; a gallery is made under a name of its own.") from None
        except OSError as error:
            raise UserError(f"{path} cannot be written: {error.strerror}.") from None
        except (sqlite3.Error, UnicodeEncodeError) as error:
            raise UserError(f"{path} cannot be written: {error}.") from None
        finally:
            for ending in ("", "-wal", "-shm"):
                part.with_name(part.name + ending).unlink(missing_ok=True)
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
                if looks_for_damage and not self.connection.in_transaction:
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
            if self.connection.in_transaction:
                yield
                return
            self.connection.execute(f"BEGIN {kind}")
            try:
                yield
                self.connection.execute("COMMIT")
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
            return self.connection.execute(statement, storable(values)).fetchall()

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
            self.connection.close()
            if self.path is not None:
                self._release()


def _fill(path: Path, facts: Mapping[str, Any]) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        schema.prepare(connection)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN IMMEDIATE")
        schema.make_tables(connection)
        connection.executemany("INSERT OR REPLACE INTO fact VALUES (?, ?)", map(storable, facts.items()))
        connection.execute("COMMIT")
        fault = damage.fault_of_structure(connection)
        if fault is not None:
            raise UserError(f"No gallery can be made so: {fault}.")
    finally:
        connection.close()  # writes the log into the file and removes it
