"""Forgetting leaves nothing of a person but a random id: not in the file, and not beside it."""

import os
import sqlite3
import tempfile
from pathlib import Path

import numpy as np
import pytest

from lrfr_tf.gallery import forget as forgetting
from lrfr_tf.gallery.people import People
from lrfr_tf.gallery.references import Reference
from lrfr_tf.gallery.store import Store
from tests.gallery.ready_people import embedding_of, like, new_people, references

NAME, SOURCE = "Ada Lovelace", "party/IMG_7351.jpg"


def whole(count: int) -> list[Reference]:
    """Ada's references, with all there is to one; the last is so large that it fills pages of its own."""
    random = np.random.default_rng(123_456)
    return [
        Reference(
            like(1, number),
            61.5,
            landmarks=random.normal(size=(5, 2)).astype(np.float32),
            source_name=SOURCE,
            source_sha256=random.bytes(32).hex(),
            picture=b"\x89PNG" + random.bytes(2000 if number < count - 1 else 200_000),
        )
        for number in range(count)
    ]


def traces(some: list[Reference], *names: str) -> list[bytes]:
    """Pieces of what is stored; of an embedding and of pixels any 12 bytes in a row would be one."""
    found = [name.encode() for name in names]
    for one in some:
        assert one.picture is not None
        assert one.landmarks is not None
        assert one.source_sha256 is not None
        embedding = one.embedding.tobytes()
        found += [embedding[:12], embedding[40:52], one.picture[:12], one.picture[1000:1012], one.picture[-12:]]
        found += [one.landmarks.tobytes()[:12], one.source_sha256.encode()]
    return found


def left(folder: Path, pieces: list[bytes]) -> list[tuple[str, bytes]]:
    """Which pieces are in which file of a folder."""
    contents = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return [(name, piece) for name, data in contents.items() for piece in pieces if piece in data]


def fill(people: People, persons: int) -> None:
    """Others, before and after, so that rows move between pages."""
    for number in range(persons):
        other = [Reference(like(100 + number, 0), picture=b"\x89PNG" + np.random.default_rng(number).bytes(900))]
        people.add(f"person {number}", other)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the gallery lies, with a folder for everything temporary."""
    (tmp_path / "temporary").mkdir()
    for name in ("TMPDIR", "SQLITE_TMPDIR"):
        monkeypatch.setenv(name, str(tmp_path / "temporary"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def test_nothing_is_left(folder: Path) -> None:
    people = new_people(folder / "people.db")
    reader = People(Store(folder / "people.db"))  # another one has the file open all the time
    fill(people, 30)
    ada = whole(6)
    people.add(NAME, ada[:3])
    fill(people, 60)  # 30 of them again
    people.add(NAME, ada[3:])
    pieces = traces(ada, NAME, SOURCE)
    assert {piece for _, piece in left(folder, pieces)} == set(pieces)
    people.rename(NAME, "Augusta King")
    people.rename("Augusta King", NAME)
    assert len(reader.names) == 61
    own_id = next(person.id for person in people.persons() if person.name == NAME)
    done = people.forget(NAME)
    assert (done.id, done.references, done.cleaned, done.not_reached) == (own_id, 6, True, [])
    assert left(folder, [*pieces, b"Augusta", b"Lovelace", b"IMG_7351"]) == []
    assert {name for name, _ in left(folder, [own_id.encode()])} <= {"people.db", "people.db-wal"}
    assert NAME not in reader.names
    assert len(reader.names) == len(people.names) == 60
    assert people.store.read("PRAGMA integrity_check") == [("ok",)]
    assert people.store.read("PRAGMA freelist_count") == [(0,)]
    assert (folder / "people.db-wal").stat().st_size < 100_000
    people.close()
    reader.close()
    assert left(folder, pieces) == []


def test_whoever_was_moved_and_merged_is_forgotten_as_a_whole(folder: Path) -> None:
    people = new_people(folder / "people.db")
    ada = whole(4)
    people.add("Countess", ada[:2])
    people.add(NAME, ada[2:])
    people.set_aside(people.references(NAME)[0].id, "a reason that names Ada")
    people.merge("Countess", NAME)
    people.forget(NAME)
    people.close()
    assert left(folder, [*traces(ada, NAME, SOURCE), b"Countess", b"names Ada"]) == []


def test_what_a_kill_left_is_overwritten_by_the_next(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    people = new_people(folder / "people.db")
    ada = whole(3)
    people.add(NAME, ada)
    people.add("Grace", references(2, 2))
    monkeypatch.setattr(forgetting, "clean", lambda store: False)
    assert not people.forget(NAME).cleaned
    assert people.names == ["Grace"]  # in force at once
    monkeypatch.undo()
    copy = folder / "copy"
    copy.mkdir()
    for name in ("people.db", "people.db-wal"):  # as the kill of the process would leave it
        (copy / name).write_bytes((folder / name).read_bytes())
    assert left(copy, traces(ada, NAME)) != []
    next_one = People(Store(copy / "people.db"))
    assert next_one.names == ["Grace"]
    assert left(copy, traces(ada, NAME)) == []


def test_a_reader_in_the_way_does_not_keep_anybody_in_force(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lrfr_tf.gallery.store.BUSY_TIMEOUT", 0.05)
    people = new_people(folder / "people.db")
    people.add(NAME, whole(2))
    other = sqlite3.connect(folder / "people.db")
    other.execute("BEGIN")
    other.execute("SELECT * FROM persons").fetchall()
    done = people.forget(NAME)
    assert not done.cleaned
    assert people.names == []
    other.close()
    People(Store(folder / "people.db")).close()
    assert left(folder, traces(whole(2), NAME, SOURCE)) == []


def test_copies_are_not_reached_and_listed(folder: Path) -> None:
    people = new_people(folder / "people.db")
    people.add("Grace", references(2, 2))
    people.backup(folder / "early.db")
    people.store.connection.execute("UPDATE copies SET at = '2020-01-01T00:00:00+00:00'")
    people.add(NAME, whole(2))
    made = [people.export(folder / "all.zip"), people.subject_export(NAME, folder / "ada.zip")]
    made.append(people.backup(folder / "late.db"))
    done = people.forget(NAME)
    assert sorted(done.not_reached, key=lambda copy: copy.id) == sorted(made, key=lambda copy: copy.id)
    assert os.stat(folder / "late.db").st_mode & 0o777 == 0o600


def test_copies_of_others_are_not_listed(folder: Path) -> None:
    people = new_people(folder / "people.db")
    people.add("Grace", references(2, 3))
    people.add("Joan", references(3, 2))
    people.add(NAME, whole(2))
    own = people.subject_export(NAME, folder / "ada.zip")
    grace = people.subject_export("Grace", folder / "grace.zip")
    people.subject_export("Joan", folder / "joan.zip")
    assert people.forget(NAME).not_reached == [own]
    people.move([people.references("Grace")[0].id], "Mary")  # what was Grace's then is in her export
    assert people.forget("Mary").not_reached == [grace]
    people.create_person("Countess")
    countess = people.subject_export("Countess", folder / "countess.zip")
    people.merge("Countess", "Grace")
    found = people.forget("Grace").not_reached
    assert sorted(one.id for one in found) == sorted([grace.id, countess.id])
    people.store.connection.execute("UPDATE copies SET holds = NULL")  # made before this was noted
    assert len(people.forget("Joan").not_reached) == 4


def test_an_embedding_in_memory_is_overwritten(folder: Path) -> None:
    people = new_people(folder / "people.db")
    people.add("Grace", references(2, 2))
    people.add(NAME, [Reference(embedding_of(1))])
    assert people.names == ["Grace", NAME]
    index = people._in_force._index
    assert index is not None
    people.forget(NAME)
    assert people.names == ["Grace"]
    assert not np.isin(embedding_of(1), np.concatenate(index._blocks)).any()
