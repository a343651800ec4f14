"""The tables of a gallery, their version, and how an older file becomes one of this version.

persons: who is enrolled. `number` is the order of enrollment and never given twice; `id` is random and all that remains
of a person elsewhere. `changed` is the gallery's change counter when the name or what is in force last changed.
reference: one photo's face. Its picture lies apart, so that reading all embeddings passes over no pixels.
gone: ids of persons who were forgotten, with those of their references, or merged into another one; no names.
audit: changes, decisions and their confirmations; ids, never names or names of files. `decided` is the number of the
decision that a confirmation is about.
copies: exports and backups that were made: when, and of how many persons; they are out of reach of `forget`. `holds`
names the ids of the one person and of the references in it, where it was made for one.
fact: single values, of which `changes` is the change counter.
"""

import sqlite3

APPLICATION = 0x6C726672  # "lrfr", in the file's header
VERSION = 2
PAGE_SIZE = 8192  # bytes; three rows with 512 float32 each fill one

CHANGES = "changes"  # a fact: how often anything that decides changed

TABLES = """
CREATE TABLE fact (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE persons (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    created TEXT NOT NULL,
    expires TEXT,
    changed INTEGER NOT NULL
);
CREATE INDEX persons_changed ON persons (changed);
CREATE INDEX persons_expires ON persons (expires) WHERE expires IS NOT NULL;
CREATE TABLE reference (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    person INTEGER NOT NULL REFERENCES persons (number) ON DELETE CASCADE,
    state TEXT NOT NULL CHECK (state IN ('active', 'set_aside')),
    height REAL NOT NULL,
    embedding BLOB NOT NULL,
    id TEXT NOT NULL UNIQUE,
    reason TEXT,
    by_hand INTEGER NOT NULL DEFAULT 0,
    detection_score REAL,
    pose REAL,
    blur REAL,
    picture_hash INTEGER,
    landmarks BLOB,
    box BLOB,
    source_sha256 TEXT,
    source_name TEXT,
    codes TEXT NOT NULL DEFAULT '',
    enrolled TEXT NOT NULL,
    expires TEXT
);
CREATE INDEX reference_person ON reference (person);
CREATE INDEX reference_expires ON reference (expires) WHERE expires IS NOT NULL;
CREATE TABLE picture (
    reference INTEGER PRIMARY KEY REFERENCES reference (number) ON DELETE CASCADE,
    data BLOB NOT NULL
);
CREATE TABLE gone (
    id TEXT PRIMARY KEY,
    number INTEGER,
    merged_into TEXT,
    day TEXT NOT NULL,
    changed INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX gone_changed ON gone (changed);
CREATE TABLE audit (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    what TEXT NOT NULL,
    changes INTEGER NOT NULL,
    person TEXT,
    reference TEXT,
    decision TEXT,
    score REAL,
    threshold REAL,
    who TEXT,
    decided INTEGER
);
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_person ON audit (person);
CREATE INDEX audit_decided ON audit (decided) WHERE decided IS NOT NULL;
CREATE TABLE copies (
    id TEXT PRIMARY KEY,
    at TEXT NOT NULL,
    kind TEXT NOT NULL,
    persons INTEGER NOT NULL, holds TEXT) WITHOUT ROWID;
"""

# MIGRATIONS[n] makes a file of version n one of version n + 1.
MIGRATIONS: dict[int, str] = {1: "ALTER TABLE copies ADD COLUMN holds TEXT"}


def prepare(connection: sqlite3.Connection) -> None:
    """Settings that a file must have before its first table."""
    connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute("PRAGMA journal_mode = WAL")


def make_tables(connection: sqlite3.Connection) -> None:
    """The tables of a new gallery; inside the transaction of whoever calls."""
    _run(connection, TABLES)
    connection.execute("INSERT INTO fact VALUES (?, 0)", (CHANGES,))
    connection.execute(f"PRAGMA user_version = {VERSION}")


def version_of(connection: sqlite3.Connection) -> int | None:
    """The version of the tables; None where the file is no gallery."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return version if application == APPLICATION else None


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Brings the tables to `VERSION`, step by step; inside the transaction of whoever calls."""
    for step in range(version, VERSION):
        _run(connection, MIGRATIONS[step])
        connection.execute(f"PRAGMA user_version = {step + 1}")


def _run(connection: sqlite3.Connection, script: str) -> None:
    """Statement by statement: `executescript` would end the transaction."""
    for statement in script.split(";"):
        if statement.strip():
            connection.execute(statement)
