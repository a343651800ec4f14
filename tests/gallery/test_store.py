"""The file of a gallery: who may read it, and one sentence for everything that can be wrong with it."""

import contextlib
import dataclasses
import sqlite3
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lrfr_tf.errors import UserError
from lrfr_tf.gallery import schema, store
from lrfr_tf.gallery.audit import confirm, note_decisions, read_audit
from lrfr_tf.gallery.kept_file import is_gallery_file
from lrfr_tf.gallery.people import People
from lrfr_tf.gallery.store import Store
from tests.gallery.ready_people import IDENTITY, new_people, references


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A gallery with Ada (3 references) and Grace (2)."""
    people = new_people(tmp_path / "people.db")
    people.add("Ada", references(1, 3))
    people.add("Grace", references(2, 2))
    people.close()
    return tmp_path / "people.db"


def names(path: Path) -> list[str]:
    with contextlib.closing(People(Store(path))) as people:
        return [person.name for person in people.persons()]


@contextlib.contextmanager
def refused(words: str, path: Path) -> Iterator[None]:
    with pytest.raises(UserError, match=words) as error:
        yield
    sentence = str(error.value)
    assert path.name in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence


def test_only_its_owner_may_read_it(path: Path) -> None:
    people = People(Store(path))
    people.add("Mary", references(3, 1))
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == {"people.db": 0o600, "people.db-wal": 0o600, "people.db-shm": 0o600}
    settings = [people.store.read(f"PRAGMA {name}")[0][0] for name in ("journal_mode", "synchronous", "secure_delete")]
    assert settings == ["wal", 2, 1]
    people.close()
    assert [file.name for file in path.parent.iterdir()] == ["people.db"]
    assert is_gallery_file(path)


def test_a_gallery_replaces_nothing(path: Path) -> None:
    with refused("exists already", path):
        new_people(path)
    assert names(path) == ["Ada", "Grace"]
    with pytest.raises(UserError, match="cannot be written"):
        new_people(path.parent / "nowhere" / "people.db")
    assert [file.name for file in path.parent.iterdir()] == ["people.db"]


def test_files_that_are_no_galleries(path: Path) -> None:
    other = path.parent / "other.db"
    with refused("is missing", other):
        Store(other)
    other.mkdir()
    with refused("is a folder, not a gallery's file", other):
        Store(other)
    other.rmdir()
    other.write_text("this is text, and more than a header of it")
    assert not is_gallery_file(other)
    with refused("not a gallery", other):
        Store(other)
    other.write_bytes(b"")
    with refused("not a gallery", other):
        Store(other)
    other.unlink()
    with sqlite3.connect(other) as connection:
        connection.execute("PRAGMA page_size = 1024")
        connection.execute("CREATE TABLE persons (name)")
        connection.execute("CREATE TABLE more (name)")
    connection.close()
    with refused("not a gallery", other):
        Store(other)


def test_a_damaged_file(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for start in range(schema.PAGE_SIZE, len(data), 64):
        data[start : start + 32] = b"\xff" * 32
    path.write_bytes(data)
    with refused("is damaged", path):
        names(path)
    path.write_bytes(data[:3000])
    with refused("damaged", path):
        names(path)


def test_a_newer_schema_is_left_alone(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    connection.close()
    before = path.read_bytes()
    with refused("newer lrfr_tf", path):
        Store(path)
    assert path.read_bytes() == before


def test_an_older_schema_becomes_this_one(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = schema.VERSION
    monkeypatch.setattr(schema, "VERSION", own + 2)
    steps = {own: "CREATE TABLE newer (door); INSERT INTO newer VALUES ('north')", own + 1: "CREATE TABLE newest (x)"}
    monkeypatch.setattr(schema, "MIGRATIONS", steps)
    opened = Store(path)
    assert opened.read("SELECT name, door FROM persons, newer") == [("Ada", "north"), ("Grace", "north")]
    assert opened.read("PRAGMA user_version") == [(own + 2,)]
    opened.close()
    monkeypatch.setattr(schema, "VERSION", own + 3)
    monkeypatch.setattr(schema, "MIGRATIONS", {own + 2: "CREATE TABLE other (x); nonsense"})
    with pytest.raises(sqlite3.OperationalError):
        Store(path)
    monkeypatch.setattr(schema, "VERSION", own + 2)
    assert Store(path).read("SELECT name FROM sqlite_master WHERE name = 'other'") == []  # all of a step, or nothing


def test_a_file_of_the_first_version_is_brought_to_this_one(path: Path) -> None:
    with sqlite3.connect(path) as connection:  # as version 1 wrote it
        connection.execute("DROP TABLE copies")
        connection.execute(
            "CREATE TABLE copies (id TEXT PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL, persons INTEGER NOT NULL) "
            "WITHOUT ROWID"
        )
        at = "2026-11-30T12:00:00+00:00"
        connection.execute("INSERT INTO copies VALUES (?, ?, 'subject_export', 1)", ("a" * 16, at))
        connection.execute("UPDATE persons SET created = ?", (at,))
        connection.execute("PRAGMA user_version = 1")
    connection.close()
    people = People(Store(path))
    assert people.store.read("PRAGMA user_version") == [(schema.VERSION,)]
    grace = people.subject_export("Grace", path.parent / "grace.zip")
    assert [copy.id for copy in people.forget("Ada").not_reached] == ["a" * 16]  # nobody noted whose it is
    assert {copy.id for copy in people.forget("Grace").not_reached} == {"a" * 16, grace.id}


def test_a_second_writer_waits_or_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "BUSY_TIMEOUT", 0.05)
    first, second = People(Store(path)), People(Store(path))
    first.store.connection.execute("BEGIN IMMEDIATE")
    with refused("another process", path):
        second.rename("Ada", "Augusta")
    assert [person.name for person in second.persons()] == ["Ada", "Grace"]  # readers do not wait
    first.store.connection.execute("COMMIT")
    second.rename("Ada", "Augusta")
    monkeypatch.setattr(store, "BUSY_TIMEOUT", 30.0)
    patient = People(Store(path))
    first.store.connection.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.2, first.store.connection.execute, ["COMMIT"])
    timer.start()
    patient.rename("Augusta", "Ada")
    timer.join()
    assert names(path) == ["Ada", "Grace"]


def test_a_read_only_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store.os, "access", lambda path, mode: False)  # whoever runs tests may be root
    people = People(Store(path))
    assert [person.name for person in people.persons()] == ["Ada", "Grace"]
    assert len(people.names) == 2
    with refused("is read-only; nothing was changed", path):
        people.forget("Ada")
    with refused("read-only", path), people.store.transaction():
        people.store.connection.execute("DELETE FROM persons")
    people.close()
    assert names(path) == ["Ada", "Grace"]


def test_a_full_disk(path: Path) -> None:
    people = People(Store(path))
    ((pages,),) = people.store.read("PRAGMA page_count")
    people.store.connection.execute(f"PRAGMA max_page_count = {pages}")
    with refused("the disk is full; nothing was changed", path):
        people.add("Mary", references(3, 500))
    assert [(person.name, person.references) for person in people.persons()] == [("Ada", 3), ("Grace", 2)]
    people.store.connection.execute(f"PRAGMA max_page_count = {pages + 1000}")
    people.add("Mary", references(3, 5))
    assert people.store.read("PRAGMA integrity_check") == [("ok",)]


def test_threads_share_a_gallery(path: Path) -> None:
    people = People(Store(path))
    errors = []

    def work(number: int) -> None:
        try:
            for photo in range(5):
                people.add(f"person {number}", references(10 + number, 1)[:1])
                people._in_force.find(references(10 + number, 1)[0].embedding[None], 3)
                assert len(people.references(f"person {number}")) == photo + 1
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(people.names) == 6


@pytest.mark.parametrize("letters", [b"Grace", b"active"])
def test_text_that_is_none_any_more_is_called_damage(tmp_path: Path, letters: bytes) -> None:
    people = new_people(tmp_path / "people.db")
    people.add("Grace", references(1, 2))
    people.close()
    data = (tmp_path / "people.db").read_bytes()
    assert letters in data
    (tmp_path / "people.db").write_bytes(data.replace(letters, b"\xff" * len(letters)))
    with pytest.raises(UserError, match="is damaged"):
        People(Store(tmp_path / "people.db"))


def test_names_that_are_no_utf8_are_stored(path: Path) -> None:
    people = People(Store(path))
    people.add("caf\udce9", [dataclasses.replace(references(3, 1)[0], source_name="1\udce9.jpg")])
    people.add("Zo\udcc3\udcab", references(4, 1))  # what a locale without UTF-8 makes of "Zo\u00eb"
    assert [person.name for person in people.persons()] == ["Ada", "Grace", "Zo\u00eb", "caf\\xe9"]
    (reference,) = people.references("caf\udce9")
    assert reference.source_name == "1\\xe9.jpg"
    people.set_aside(reference.id, "\udce9")
    people.rename("caf\udce9", "b\udce9")
    assert people.references("b\\xe9")[0].reason == "\\xe9"
    store = Store(path)
    (decision,) = note_decisions(store, store.changes(), [(1, "known", 0.9, 0.5)], "\udce9")
    confirm(store, decision, "\udcea")
    assert [row.who for row in read_audit(store)][-2:] == ["\\xe9", "\\xea"]
    store.close()
    facts = {"purpose": "\udce9", **IDENTITY.as_facts()}
    assert Store.create(path.parent / "other.db", facts).fact("purpose") == "\\xe9"
