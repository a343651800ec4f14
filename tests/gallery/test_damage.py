"""A damaged gallery is one sentence, in every verb, whatever is wrong with it; `damages.py` asks about many more."""

import hashlib
import io
import json
import shutil
import sqlite3
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lrfr_tf.errors import UserError
from lrfr_tf.gallery import kept_file
from lrfr_tf.gallery.check_gallery import check_gallery
from lrfr_tf.gallery.gallery import Gallery
from lrfr_tf.gallery.people import People
from lrfr_tf.gallery.store import Store
from lrfr_tf.gallery.store_error import GO_BACK
from lrfr_tf.recognition.calibration import DecisionRule
from tests.gallery import damages
from tests.gallery.ready_people import new_people, references


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gallery with all there is to one."""
    path = tmp_path_factory.mktemp("sound") / "sound.db"
    damages.make(path)
    return path


def altered(path: Path, statement: str, *values: Any) -> Path:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("PRAGMA ignore_check_constraints = ON")
    assert connection.execute(statement, values).rowcount
    connection.close()
    return path


@pytest.mark.parametrize("size", ["small", "large"])
@pytest.mark.parametrize("kind", list(damages.DAMAGES))
def test_whatever_is_damaged_nothing_ends_in_a_traceback(
    kind: str, size: str, sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if size == "large":  # what is larger is not looked through when it is opened
        monkeypatch.setattr(kept_file, "LOOKED_THROUGH", 0)
    right = damages.right_answers(sound, tmp_path)
    refused = 0
    for seed in range(4):
        for verb, what, outcome in damages.outcomes(sound, tmp_path, kind, seed, right):
            assert outcome.kind != "traceback", f"{what}, {verb}: {outcome.text}"
            if size == "small" and kind in ("rows", "cut"):  # bytes of pixels and names may be any
                assert outcome.kind != "wrong", f"{what}, {verb}: {outcome.text}"
            refused += outcome.kind == "refused"
    assert refused


@pytest.mark.parametrize(
    ("statement", "value"),
    [
        ("UPDATE persons SET name = ? WHERE number = 1", " "),
        ("UPDATE persons SET name = ? WHERE number = 1", b"Ada"),
        ("UPDATE persons SET expires = ? WHERE number = 1", "2027-02-31"),
        ("UPDATE reference SET expires = ? WHERE number = 1", "2027-02-31"),
        ("UPDATE reference SET enrolled = ? WHERE number = 1", "2027-02-31T10:00:00+00:00"),
        ("UPDATE persons SET created = ? WHERE number = 1", "yesterday"),
        ("UPDATE reference SET person = ? WHERE number = 4", 999),
        ("UPDATE reference SET embedding = ? WHERE number = 4", bytes(128)),
        ("UPDATE reference SET embedding = ? WHERE number = 4", np.full(32, np.nan, np.float32).tobytes()),
        ("UPDATE reference SET embedding = ? WHERE number = 4", bytes(3)),
        ("UPDATE reference SET state = ? WHERE number = 4", "Active"),
        ("UPDATE reference SET codes = ? WHERE number = 4", '{"small": ['),
        ("UPDATE reference SET landmarks = ? WHERE number = 4", bytes(8)),
        ("UPDATE picture SET data = ? WHERE reference = 4", b"GIF89a"),
        ("UPDATE gone SET merged_into = id WHERE ? IS NOT NULL", 1),
        ("UPDATE audit SET what = ? WHERE number = 3", ""),
        ("UPDATE audit SET score = ? WHERE score IS NOT NULL", "high"),
        ("UPDATE copies SET persons = ?", "many"),
        ("UPDATE fact SET value = ? WHERE name = 'changes'", "many"),
        ("UPDATE fact SET value = ? WHERE name = 'audit_days'", 0),
        ("UPDATE fact SET name = ? WHERE name = 'purpose'", "purpase"),
        ("UPDATE sqlite_sequence SET seq = ? WHERE name = 'persons'", 0),
    ],
)
def test_a_value_that_nobody_stored_is_damage(sound: Path, tmp_path: Path, statement: str, value: Any) -> None:
    path = altered(Path(shutil.copy(sound, tmp_path / "people.db")), statement, value)
    with pytest.raises(UserError, match=r"people\.db is damaged, .*; go back to a backup of it"):
        People(Store(path))


def test_a_file_that_was_cut_is_damage_unless_its_log_has_the_rest(sound: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(sound, tmp_path / "people.db"))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(UserError, match="its end is missing"):
        Store(path)
    whole = People(Store(Path(shutil.copy(sound, path))))
    whole.add("Joan", references(60, 1))
    assert path.with_name("people.db-wal").stat().st_size
    with open(path, "ab") as file:  # as a process leaves it that was killed while it wrote the log into the file
        file.write(bytes(100))
    assert People(Store(path)).has_person("Joan")


def test_a_large_file_is_looked_through_when_it_is_checked_or_copied(
    sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_file, "LOOKED_THROUGH", 0)
    path = altered(Path(shutil.copy(sound, tmp_path / "people.db")), "DELETE FROM persons WHERE number = 2")
    gallery = Gallery.open(path, rule=DecisionRule(threshold=0.5))
    assert gallery.has_person("Ada")
    asks: tuple[Callable[[], object], ...] = (
        lambda: check_gallery(gallery),
        lambda: gallery.backup(tmp_path / "copy.db"),
        lambda: gallery.export(tmp_path / "copy.zip"),
        lambda: new_people(tmp_path / "other.db").import_from(path),
    )
    for ask in asks:
        with pytest.raises(UserError, match="belongs to nobody"):
            ask()
    assert {one.name for one in tmp_path.iterdir() if "copy" in one.name or "part" in one.name} == set()


def test_our_own_faults_stay_as_they_are(sound: Path, tmp_path: Path) -> None:
    people = People(Store(Path(shutil.copy(sound, tmp_path / "people.db"))))
    with pytest.raises(ZeroDivisionError), people.store.writing():
        1 / 0  # noqa: B018
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        people.store.read("SELECT * FROM nobody")
    with pytest.raises(ValueError, match="unit length"):
        people.add("Ada", [references(1, 1)[0].__class__(np.ones(32, np.float32))])
    assert len(people.references("Ada")) == 3


def test_a_sound_gallery_is_opened_whatever_it_holds(tmp_path: Path) -> None:
    gallery = Gallery.create(tmp_path / "people.db", purpose="to test", legal_basis="", confirmations=2)
    assert gallery.persons() == []
    gallery.close()
    People(Store(tmp_path / "people.db")).create_person("Zo\u00eb 'O\u2019Hara' \u202e")
    assert len(People(Store(tmp_path / "people.db")).persons()) == 1


def with_people(source: Path, target: Path, change: Callable[[dict], object]) -> Path:
    """An export whose people.json is another one, with the right checksum."""
    with zipfile.ZipFile(source) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    people = json.loads(members["people.json"])
    change(people)
    members["people.json"] = json.dumps(people).encode()
    manifest = json.loads(members["manifest.json"])
    manifest["sha256"]["people.json"] = hashlib.sha256(members["people.json"]).hexdigest()
    members["manifest.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return target


@pytest.mark.parametrize(
    "change",
    [
        lambda people: people["persons"][0].update(name="a\nb"),
        lambda people: people["persons"][0].update(id="../../x"),
        lambda people: people["persons"][0].update(expires="tomorrow"),
        lambda people: people["persons"][0].update(created=["2026"]),
        lambda people: people["persons"].clear(),
        lambda people: people["references"][0].update(state="Active"),
        lambda people: people["references"][0].update(height="tall"),
        lambda people: people["references"][0].update(box=[1, 2]),
        lambda people: people["references"][0].update(picture_hash=2**70),
        lambda people: people["references"][0].update(codes=["\x1b[2J"]),
        lambda people: people["gone"].append({"id": 7, "merged_into": None}),
        lambda people: people["gone"].append({"id": "0" * 16, "merged_into": "0" * 16}),
    ],
)
def test_an_archive_by_somebody_else_brings_nothing_strange(
    sound: Path, tmp_path: Path, change: Callable[[dict], object]
) -> None:
    People(Store(Path(shutil.copy(sound, tmp_path / "people.db")))).export(tmp_path / "all.zip")
    path = with_people(tmp_path / "all.zip", tmp_path / "strange.zip", change)
    other = new_people(tmp_path / "other.db")
    with pytest.raises(UserError, match=r"strange\.zip"):
        other.import_from(path)
    assert other.persons() == []
    other.import_from(tmp_path / "all.zip")


def test_persons_merged_in_a_circle_are_no_endless_search(sound: Path, tmp_path: Path) -> None:
    people = People(Store(Path(shutil.copy(sound, tmp_path / "people.db"))))
    people.export(tmp_path / "all.zip")
    ids = [person.id for person in people.persons()][:2]

    def circle(archive: dict) -> None:
        archive["gone"] += [{"id": one, "merged_into": other} for one, other in (ids, ids[::-1])]

    other = new_people(tmp_path / "other.db")
    begin = time.monotonic()
    with pytest.raises(UserError, match="in a circle"):
        other.import_from(with_people(tmp_path / "all.zip", tmp_path / "circle.zip", circle))
    assert time.monotonic() - begin < 60
    assert other.persons() == []


def test_the_sentence_says_how_to_go_on(sound: Path, tmp_path: Path) -> None:
    path = altered(Path(shutil.copy(sound, tmp_path / "people.db")), "DELETE FROM fact WHERE name = 'changes'")
    said = damages.outcome_of("list", path, None).text
    assert said == f"error: {path} is damaged, its value 'changes' is missing; {GO_BACK}.\n"
    assert io.StringIO(said).readline() == said
