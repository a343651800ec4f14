"""Is a gallery's file what this package writes? SQLite sees broken pages; here are values that nobody stored.

The tables and the single values are looked at whenever a file is opened, which takes about a millisecond; all rows
where the file is small, and otherwise when it is checked or copied.
"""

import functools
import sqlite3
from collections.abc import Iterator

import numpy as np

from lrfr_tf.gallery import schema
from lrfr_tf.gallery.person_name import is_name

ROWS_AT_ONCE = 2048
UNIT = 2e-2  # a length may differ so much from 1: embeddings are taken in within half of it
HIGHEST = 2**62  # numbers that SQLite gives to rows never come so far

# When a value is none, as expressions of SQL; {0} is the value.
NO_TEXT = "typeof({0}) != 'text'"
NO_NUMBER = "typeof({0}) NOT IN ('real', 'integer')"
NO_WHOLE_NUMBER = "typeof({0}) != 'integer'"
NO_COUNT = "typeof({0}) != 'integer' OR {0} < 0"
NO_DAYS = "typeof({0}) != 'integer' OR {0} NOT BETWEEN 1 AND 1000000"
NO_SWITCH = "{0} NOT IN (0, 1)"
NO_HEIGHT = "typeof({0}) != 'real' OR {0} NOT BETWEEN 0 AND 1e6"
NO_BYTES = "typeof({0}) != 'blob' OR length({0}) = 0"
NO_PICTURE = "typeof({0}) != 'blob' OR (substr({0}, 1, 3) != x'FFD8FF' AND substr({0}, 1, 4) != x'89504E47')"
NO_LANDMARKS = "typeof({0}) != 'blob' OR length({0}) != 40"
NO_BOX = "typeof({0}) != 'blob' OR length({0}) != 16"
NO_ID = "typeof({0}) != 'text' OR length({0}) != 16 OR {0} GLOB '*[^0-9a-f]*'"
NO_IDS = "typeof({0}) != 'text' OR {0} GLOB '*[^0-9a-f ]*'"
NO_WORDS = "typeof({0}) != 'text' OR {0} GLOB '*[^a-z_ ]*'"
NO_WORD = f"{NO_WORDS} OR {{0}} = ''"
# A modifier: without one, some versions of SQLite leave February 31 as it is.
NO_DAY = "typeof({0}) != 'text' OR date({0}, '+0 days') IS NOT {0}"
NO_TIME = "typeof({0}) != 'text' OR strftime('%Y-%m-%dT%H:%M:%S+00:00', {0}, '+0 days') IS NOT {0}"


def _unless_empty(fault: str) -> str:
    return f"{{0}} IS NOT NULL AND ({fault})"


def _not_one_of(*words: str) -> str:
    return f"{{0}} NOT IN ({', '.join(map(repr, words))}) OR typeof({{0}}) != 'text'"


# What no value of a column may be. Numbers of rows and what points to them, SQLite itself looks at.
FAULTS = {
    "persons": {
        "id": NO_ID,
        "name": NO_TEXT,
        "created": NO_TIME,
        "expires": _unless_empty(NO_DAY),
        "changed": NO_COUNT,
    },
    "reference": {
        "state": _not_one_of("active", "set_aside"),
        "height": NO_HEIGHT,
        "embedding": NO_BYTES,
        "id": NO_ID,
        "reason": _unless_empty(NO_TEXT),
        "by_hand": NO_SWITCH,
        "detection_score": _unless_empty(NO_NUMBER),
        "pose": _unless_empty(NO_NUMBER),
        "blur": _unless_empty(NO_NUMBER),
        "picture_hash": _unless_empty(NO_WHOLE_NUMBER),
        "landmarks": _unless_empty(NO_LANDMARKS),
        "box": _unless_empty(NO_BOX),
        "source_sha256": _unless_empty(NO_TEXT),
        "source_name": _unless_empty(NO_TEXT),
        "codes": NO_WORDS,
        "enrolled": NO_TIME,
        "expires": _unless_empty(NO_DAY),
    },
    "picture": {"data": NO_PICTURE},
    "gone": {
        "id": NO_ID,
        "number": _unless_empty(NO_COUNT),
        "merged_into": _unless_empty(f"{NO_ID} OR {{0}} = id"),
        "day": NO_DAY,
        "changed": NO_COUNT,
    },
    "audit": {
        "at": NO_TIME,
        "what": NO_WORD,
        "changes": NO_COUNT,
        "person": _unless_empty(NO_ID),
        "reference": _unless_empty(NO_ID),
        "decision": _unless_empty(_not_one_of("known", "unknown")),
        "score": _unless_empty(NO_NUMBER),
        "threshold": _unless_empty(NO_NUMBER),
        "who": _unless_empty(NO_TEXT),
        "decided": _unless_empty(NO_COUNT),
    },
    "copies": {
        "id": NO_ID,
        "at": NO_TIME,
        "kind": _not_one_of("export", "backup", "subject_export"),
        "persons": NO_COUNT,
        "holds": _unless_empty(NO_IDS),
    },
}
# The same of single values; there are no others.
FACTS = {
    **dict.fromkeys((schema.CHANGES, "dimensions", "version"), NO_COUNT),
    **dict.fromkeys(("model", "embedder", "checksum", "id", "purpose", "legal_basis"), NO_TEXT),
    "created": NO_TIME,
    **dict.fromkeys(("audit_days", "confirmations"), NO_DAYS),
    **dict.fromkeys(("pictures", "cleaning_due"), NO_SWITCH),
}
NEEDED_FACTS = (schema.CHANGES, "model", "version", "embedder", "checksum", "dimensions")


def is_faulty(table: str, alias: str) -> str:
    """An expression of SQL: whether a row of a table holds what nobody stored.

    Args:
        alias: what the query calls the table.
    """
    return f"({' OR '.join(f'({fault})'.format(f'{alias}.{column}') for column, fault in FAULTS[table].items())})"


def are_embeddings(embeddings: np.ndarray) -> bool:
    """Whether all rows, float32 [n, D], have unit length."""
    # Not a number is not near 1.
    return bool((np.abs(np.einsum("nd,nd->n", embeddings, embeddings) - 1) < 2 * UNIT).all())


def fault_of_structure(connection: sqlite3.Connection) -> str | None:
    """What is wrong with the tables or with the single values, in some words; None: nothing.

    Raises:
        sqlite3.Error: SQLite itself sees that the file is damaged, or cannot read it.
    """
    found = dict(_tables(connection))
    for name, sql in _expected():
        # Blanks are those of whoever wrote it: an older file was brought to this version.
        if "".join((found.get(name) or "").split()) != "".join(sql.split()):
            return f"its part {name!r} is missing or altered"
    facts = {name for (name,) in connection.execute("SELECT name FROM fact")}
    for name in NEEDED_FACTS:
        if name not in facts:
            return f"its value {name!r} is missing"
    if facts - FACTS.keys():
        return f"it holds an unknown value {min(map(str, facts - FACTS.keys()))!r}"
    for name, fault in FACTS.items():
        if _any(connection, f"SELECT 1 FROM fact WHERE name = '{name}' AND (value IS NULL OR {fault})".format("value")):
            return f"its value {name!r} is none"
    for table in ("persons", "reference", "audit"):
        # The highest number that was ever given: it is not given again, whoever was forgotten.
        numbers = "SELECT typeof(seq) = 'integer' AND seq < ? AND seq >= (SELECT COALESCE(MAX(number), 0) FROM {0})"
        rows = connection.execute(f"{numbers.format(table)} FROM sqlite_sequence WHERE name = ?", (HIGHEST, table))
        if not all(good for (good,) in rows):
            return f"the numbers of {table} are none"
    return None


def fault_of_content(connection: sqlite3.Connection) -> str | None:
    """What is wrong with any page or row, in some words; None: nothing. All of the file is read.

    Raises:
        sqlite3.Error: see `fault_of_structure`.
    """
    ((verdict,),) = connection.execute("PRAGMA integrity_check(1)").fetchall()
    if verdict != "ok":
        return "its pages or indexes do not fit together"
    if connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
        return "a reference or a picture belongs to nobody"
    for table in FAULTS:
        if _any(connection, f"SELECT 1 FROM {table} WHERE {is_faulty(table, table)}"):
            return f"a row of {table} holds what nobody stored"
    if not all(is_name(name) for (name,) in connection.execute("SELECT name FROM persons")):
        return "a name is none"
    for embeddings in _embeddings(connection):
        if embeddings is None or not are_embeddings(embeddings):
            return "an embedding is none"
    return None


def _embeddings(connection: sqlite3.Connection) -> Iterator[np.ndarray | None]:
    """float32 [n, D], some at a time; None where they have not the length of the gallery's."""
    ((dimensions,),) = connection.execute("SELECT value FROM fact WHERE name = 'dimensions'").fetchall()
    cursor = connection.execute("SELECT embedding FROM reference")
    while rows := cursor.fetchmany(ROWS_AT_ONCE):
        good = dimensions and all(len(embedding) == 4 * dimensions for (embedding,) in rows)
        yield np.frombuffer(b"".join(row[0] for row in rows), np.float32).reshape(len(rows), -1) if good else None


def _any(connection: sqlite3.Connection, query: str) -> bool:
    return connection.execute(f"{query} LIMIT 1").fetchone() is not None


def _tables(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """The tables and indexes as they were written; those that SQLite makes itself have no text."""
    return connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()


@functools.cache
def _expected() -> tuple[tuple[str, str], ...]:
    connection = sqlite3.connect(":memory:")
    try:
        schema.make_tables(connection)
        return tuple((name, sql) for name, sql in _tables(connection) if not name.startswith("sqlite_"))
    finally:
        connection.close()
