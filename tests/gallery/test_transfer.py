"""Taking people along: exports, imports, backups, and what is stored about one person."""

import functools
import io
import json
import shutil
import sqlite3
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lrfr_tf.errors import UserError
from lrfr_tf.gallery.embedder import EmbedderIdentity
from lrfr_tf.gallery.people import People
from lrfr_tf.gallery.references import Reference
from lrfr_tf.gallery.store import Store
from tests.gallery.ready_people import DIMENSIONS, embedding_of, like, new_people, references


def png(number: int) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.full((20, 16, 3), 10 * number, np.uint8)).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def people(tmp_path: Path) -> People:
    """Ada, with everything there is to a reference, and Grace."""
    made = new_people(tmp_path / "people.db")
    full = Reference(
        like(1, 0), 23.5, 0.97, 12.5, 0.25, 2**62 + 5, np.ones((5, 2), np.float32), (1.0, 2.0, 9.5, 15.0), "ab" * 32,
        "ada/1.jpg", ("small",), png(3),
    )  # fmt: skip
    made.add("Ada", [full, *references(1, 2)])
    made.add("Grace", references(2, 2))
    made.set_end("2031-05-01", person="Grace")
    made.set_aside(made.references("Grace")[0].id, "too dark")
    return made


def everything(people: People) -> tuple:
    rows = [
        (
            one.id, one.person, one.embedding.tobytes(), one.height, one.detection_score, one.pose, one.blur,
            one.picture_hash, None if one.landmarks is None else one.landmarks.tobytes(), one.box, one.source_sha256,
            one.source_name, one.codes, one.state, one.reason, one.enrolled, one.expires, one.by_hand,
            None if people.picture(one.id) is None else people.picture(one.id).tobytes(),
        )
        for one in people.references()
    ]  # fmt: skip
    return people.persons(), sorted(rows)


@pytest.mark.parametrize("kind", ["export", "backup"])
def test_there_and_back(people: People, kind: str, tmp_path: Path) -> None:
    getattr(people, kind)(tmp_path / "copy")
    other = new_people(tmp_path / "other.db")
    done = other.import_from(tmp_path / "copy")
    assert (done.persons, done.references, done.kept_out, done.forgotten) == (2, 5, 0, 0)
    assert everything(other) == everything(people)
    again = other.import_from(tmp_path / "copy")
    assert (again.persons, again.references) == (0, 0)
    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o600


def test_who_was_forgotten_stays_forgotten(people: People, tmp_path: Path) -> None:
    people.export(tmp_path / "old.zip")
    people.backup(tmp_path / "old.db")
    people.forget("Ada")
    for name in ("old.zip", "old.db"):
        done = people.import_from(tmp_path / name)
        assert (done.persons, done.references, done.kept_out) == (0, 0, 1)
    assert [person.name for person in people.persons()] == ["Grace"]
    people.export(tmp_path / "new.zip")
    other = new_people(tmp_path / "other.db")
    assert other.import_from(tmp_path / "old.zip").persons == 2
    done = other.import_from(tmp_path / "new.zip")  # the news of it travels, too
    assert (done.forgotten, done.persons) == (1, 0)
    assert [person.name for person in other.persons()] == ["Grace"]
    assert other.import_from(tmp_path / "old.db").kept_out == 1
    other.close()
    assert like(1, 0).tobytes()[:12] not in (tmp_path / "other.db").read_bytes()


def test_who_was_merged_comes_back_as_the_same_person(people: People, tmp_path: Path) -> None:
    people.add("Ada K", references(9, 1))
    people.export(tmp_path / "old.zip")
    people.merge("Ada K", "Ada")
    before = everything(people)
    assert people.import_from(tmp_path / "old.zip").references == 0
    assert everything(people) == before


def test_names_of_other_persons(people: People, tmp_path: Path) -> None:
    people.export(tmp_path / "all.zip")
    other = new_people(tmp_path / "other.db")
    other.add("Grace", references(5, 1))
    with pytest.raises(UserError, match="another person called 'Grace'; nothing was imported"):
        other.import_from(tmp_path / "all.zip")
    assert [person.name for person in other.persons()] == ["Grace"]


def test_embeddings_of_another_network(people: People, tmp_path: Path) -> None:
    people.export(tmp_path / "all.zip")
    other = new_people(tmp_path / "other.db", EmbedderIdentity("mine", 2, "mine-2-ffff", "f" * 64, DIMENSIONS))
    with pytest.raises(UserError, match="lrfr gallery migrate embeds the stored pictures"):
        other.import_from(tmp_path / "all.zip")


def changed(path: Path, member: str, data: bytes, out: Path) -> Path:
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            target.writestr(name, data if name == member else source.read(name))
    return out


def test_archives_that_are_none(people: People, tmp_path: Path) -> None:
    people.export(tmp_path / "all.zip")
    before = everything(people)
    people_json = zipfile.ZipFile(tmp_path / "all.zip").read("people.json")
    broken = [
        (
            changed(tmp_path / "all.zip", "people.json", people_json.replace(b"Ada", b"Eve"), tmp_path / "1"),
            "sha256 dif",
        ),
        (changed(tmp_path / "all.zip", "manifest.json", b"{}", tmp_path / "2"), "no export of a gallery"),
        (changed(tmp_path / "all.zip", "manifest.json", b'{"schema": 9}', tmp_path / "3"), "schema 9"),
        (tmp_path / "missing.zip", "is missing"),
    ]
    (tmp_path / "cut.zip").write_bytes((tmp_path / "all.zip").read_bytes()[:-300])
    (tmp_path / "text.zip").write_text("this is text")
    broken += [(tmp_path / "cut.zip", "no export"), (tmp_path / "text.zip", "no export")]
    for path, words in broken:
        with pytest.raises(UserError, match=words) as error:
            people.import_from(path)
        assert str(path) in str(error.value)
    assert everything(people) == before


@pytest.mark.parametrize("kind", ["export", "backup"])
def test_pictures_are_taken_over_one_by_one(kind: str, tmp_path: Path) -> None:
    made = new_people(tmp_path / "people.db")
    large = 2 << 20
    picture = b"\xff\xd8\xff" + bytes(large)
    for number in range(16):
        made.add(f"Person {number}", [Reference(like(number, 0), 700.0, picture=picture)])
    getattr(made, kind)(tmp_path / "copy")
    other = new_people(tmp_path / "other.db")
    tracemalloc.start()
    try:
        assert other.import_from(tmp_path / "copy").references == 16
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 6 * large  # of 16
    assert other.store.read("SELECT COUNT(*), MIN(length(data)) FROM picture") == [(16, len(picture))]


def test_a_picture_that_is_damaged_takes_back_what_was_taken_over(people: People, tmp_path: Path) -> None:
    people.export(tmp_path / "all.zip")
    (id,) = [one.id for one in people.references() if people.picture(one.id) is not None]
    bad = changed(tmp_path / "all.zip", f"pictures/{id}", png(4), tmp_path / "bad.zip")
    other = new_people(tmp_path / "other.db")
    with pytest.raises(UserError, match=f"pictures/{id} is not what its manifest describes"):
        other.import_from(bad)
    data = bytearray((tmp_path / "all.zip").read_bytes())
    data[data.index(png(3)) + 40] ^= 1  # zip itself sees it
    bad.write_bytes(data)
    with pytest.raises(UserError, match=r"bad.zip is no export of a gallery, or is damaged \(BadZipFile\)"):
        other.import_from(bad)
    assert other.persons() == []
    assert other.store.read("SELECT COUNT(*) FROM picture") == [(0,)]


def test_archives_that_unpack_to_far_more_than_they_take(people: People, tmp_path: Path) -> None:
    people.export(tmp_path / "all.zip")
    for name, compression, data, words in (
        (
            "extra",
            zipfile.ZIP_DEFLATED,
            bytes(16 << 20),
            "unpacks to 16,.* bytes, far more than any export of its size",
        ),
        ("pictures/x", zipfile.ZIP_DEFLATED, bytes(257 << 20), "holds pictures/x, which is larger than in any export"),
        ("extra", zipfile.ZIP_LZMA, b"text", "holds extra, which is compressed as in no export"),
    ):
        bomb = tmp_path / "bomb.zip"
        shutil.copy(tmp_path / "all.zip", bomb)
        with zipfile.ZipFile(bomb, "a", compression) as archive:
            archive.writestr(name, data)
        with pytest.raises(UserError, match=words):
            new_people(tmp_path / f"{len(words)}.db").import_from(bomb)
    packed = tmp_path / "packed.zip"  # by hand, and honest
    with zipfile.ZipFile(tmp_path / "all.zip") as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
    assert new_people(tmp_path / "other.db").import_from(packed).references == 5


def test_a_member_that_unpacks_to_more_than_it_says(people: People, tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.zip"
    size = 64 << 20
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", bytes(size))
    bomb.write_bytes(bomb.read_bytes().replace(size.to_bytes(4, "little"), (1000).to_bytes(4, "little")))
    tracemalloc.start()
    try:
        with pytest.raises(UserError, match="is no export of a gallery, or is damaged"):
            people.import_from(bomb)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < size // 16


def test_a_backup_while_somebody_writes(people: People, tmp_path: Path) -> None:
    writer = People(Store(tmp_path / "people.db"))
    writer.store.connection.execute("BEGIN IMMEDIATE")
    writer.store.connection.execute("DELETE FROM reference")
    reader = People(Store(tmp_path / "people.db"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lrfr_tf.gallery.transfer.note_copy", lambda store, copy, who: None)
        reader.backup(tmp_path / "copy.db")
    writer.store.connection.execute("ROLLBACK")
    copy = People(Store(tmp_path / "copy.db"))
    assert everything(copy) == everything(people)
    assert sqlite3.connect(tmp_path / "copy.db").execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.parametrize("kind", ["export", "backup", "subject_export"])
def test_a_copy_takes_the_place_of_nothing_unless_it_is_said(people: People, kind: str, tmp_path: Path) -> None:
    write = getattr(people, kind) if kind != "subject_export" else functools.partial(people.subject_export, "Ada")
    path = tmp_path / "copy"
    path.write_text("what was there before")
    with pytest.raises(UserError, match="copy exists already; `overwrite` replaces it"):
        write(path)
    assert path.read_text() == "what was there before"
    assert people.store.read("SELECT COUNT(*) FROM copies") == [(0,)]
    write(path, overwrite=True)
    assert path.read_bytes()[:2] in (b"PK", b"SQ")
    if kind != "backup":
        path.unlink()
        people.backup(path)
        with pytest.raises(UserError, match="is a gallery; nothing but a backup"):
            write(path, overwrite=True)
    own = people.store.path
    with pytest.raises(UserError, match="is the gallery itself|is a gallery; nothing but a backup"):
        write(own, overwrite=True)
    assert len(people.references()) == len(People(Store(own)).references()) == 5
    with pytest.raises(UserError, match="is a folder"):
        write(tmp_path, overwrite=True)
    assert not [one.name for one in tmp_path.iterdir() if "part" in one.name]


def test_all_about_one_person(people: People, tmp_path: Path) -> None:
    people.backup(tmp_path / "copy.db")
    people.subject_export("Ada", tmp_path / "ada.zip")
    with zipfile.ZipFile(tmp_path / "ada.zip") as archive:
        about = json.loads(archive.read("about.json"))
        pictures = [name for name in archive.namelist() if name.startswith("pictures/")]
        first = about["references"][0]
        assert pictures == [f"pictures/{first['id']}.png"]
        assert archive.read(pictures[0]) == png(3)
    assert about["person"]["name"] == "Ada"
    assert len(about["references"]) == 3
    np.testing.assert_allclose(first["embedding"], like(1, 0), atol=1e-6)
    assert (first["source_name"], first["codes"], first["height"]) == ("ada/1.jpg", ["small"], 23.5)
    assert [row["what"] for row in about["audit"]] == ["enroll"] * 3
    assert [copy["kind"] for copy in about["copies"]] == ["backup"]
    assert "Grace" not in json.dumps(about)
    with pytest.raises(UserError, match="no person 'Eve'"):
        people.subject_export("Eve", tmp_path / "eve.zip")
    assert not (tmp_path / "eve.zip").exists()


@pytest.mark.parametrize("kind", ["export", "backup"])
def test_what_a_human_decided_about_a_reference_goes_along(kind: str, tmp_path: Path) -> None:
    people = new_people(tmp_path / "people.db")
    ids = people.add("Ada", references(1, 5))
    people.set_aside(ids[0], "not Ada")
    (stranger,) = people.add("Ada", [Reference(embedding_of(78), height=60.0)])
    people.restore(stranger)
    getattr(people, kind)(tmp_path / "copy")
    other = new_people(tmp_path / "other.db")
    other.import_from(tmp_path / "copy")
    assert [one.by_hand for one in other.references()] == [one.by_hand for one in people.references()]
    other.add("Ada", references(1, 1))
    other.create_person("Anna")
    other.merge("Anna", "Ada")
    states = {one.id: one.state for one in other.references()}
    assert (states[ids[0]], states[stranger]) == ("set_aside", "active")


def test_a_stranger_who_is_imported_among_five_is_set_aside(tmp_path: Path) -> None:
    people = new_people(tmp_path / "people.db")
    people.add("Ada", references(1, 2))
    people.export(tmp_path / "two.zip")
    other = new_people(tmp_path / "other.db")
    other.import_from(tmp_path / "two.zip")
    other.add("Ada", [Reference(embedding_of(78), height=60.0)])  # of three nobody can tell
    people.add("Ada", [Reference(like(1, number), height=60.0) for number in (7, 8)])
    people.export(tmp_path / "four.zip")
    assert [one.state for one in other.references("Ada")] == ["active"] * 3
    other.import_from(tmp_path / "four.zip")
    assert [one.state for one in other.references("Ada")] == ["active", "active", "set_aside", "active", "active"]
