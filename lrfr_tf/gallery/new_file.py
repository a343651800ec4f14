"""Makes a gallery's file: whole, or not at all."""

import os
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lrfr_tf.errors import UserError
from lrfr_tf.files import KEPT_OF_A_NAME, rename_to_new
from lrfr_tf.gallery import damage, schema
from lrfr_tf.printable import in_utf8


def random_id() -> str:
    """16 hexadecimal digits."""
    return os.urandom(8).hex()


def storable(values: Iterable[Any]) -> tuple:
    """Values as SQLite takes them: texts in UTF-8 (a file's name may be none)."""
    return tuple(in_utf8(value) if isinstance(value, str) else value for value in values)


def make_file(path: Path, facts: Mapping[str, Any]) -> None:
    """Makes the file of a gallery without persons, readable by its owner alone.

    Raises:
        UserError: there is such a file already, or it cannot be written.
    """
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
