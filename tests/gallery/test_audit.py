"""The audit: who did what, and for how long it is kept."""

from pathlib import Path

import pytest

from lrfr_tf.errors import UserError
from lrfr_tf.gallery.audit import MOST_DAYS, read_audit_after
from lrfr_tf.gallery.gallery import Gallery
from lrfr_tf.gallery.people import People
from lrfr_tf.gallery.store import Store
from tests.gallery.ready_people import IDENTITY, new_people, references


def whats(people: People) -> list[str]:
    """What is on record, as it is: `People.audit` would remove what is old."""
    return [row.what for row in read_audit_after(people.store, 0, 99)]


@pytest.fixture
def people(tmp_path: Path) -> People:
    """A gallery in which all that is on record is of 2020."""
    made = new_people(tmp_path / "people.db")
    made.add("Ada", references(1, 1))
    made.store.connection.execute("UPDATE audit SET at = '2020-01-01T00:00:00+00:00'")
    return made


def test_a_change_removes_what_was_kept_long_enough(people: People) -> None:
    people.rename("Ada", "Grace")
    assert whats(people) == ["rename"]


def test_opening_removes_what_was_kept_long_enough(people: People) -> None:
    other = People(Store(str(people.store.path)))
    assert whats(other) == whats(people) == []


def test_who_writes_at_the_moment_keeps_nobody_from_opening(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lrfr_tf.gallery.store.BUSY_TIMEOUT", 0.1)
    with people.store.transaction("IMMEDIATE"):
        other = People(Store(str(people.store.path)))
        assert other.names == ["Ada"]
    assert whats(other) == ["enroll"]


def test_who_writes_at_the_moment_keeps_nobody_from_reading(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lrfr_tf.gallery.store.BUSY_TIMEOUT", 0.1)
    other = People(Store(str(people.store.path)))
    people.add("Grace", references(2, 1))
    with people.store.transaction("IMMEDIATE"):
        assert [row.what for row in other.audit()] == ["enroll"]


def test_whoever_acts_is_noted_beside_every_change(people: People, tmp_path: Path) -> None:
    people.who = "M. Keller"
    people.set_end("2020-01-01", person="Ada")
    people.expire()
    people.export(tmp_path / "people.zip")
    people.backup(tmp_path / "copy.db")
    people.subject_export("Ada", tmp_path / "Ada.zip")
    other = new_people(tmp_path / "other.db").acting_as("M. Keller")
    other.import_from(tmp_path / "people.zip")
    rows = [*read_audit_after(people.store, 0, 99), *read_audit_after(other.store, 0, 99)]
    whats = ["expire", "expire", "export", "backup", "subject_export", "import"]
    assert [(row.what, row.who) for row in rows] == [(what, "M. Keller") for what in whats]


@pytest.mark.parametrize(("setting", "value"), [("audit_days", 0), ("audit_days", MOST_DAYS + 1), ("confirmations", 0)])
def test_a_number_that_no_gallery_can_keep_leaves_no_file(tmp_path: Path, setting: str, value: int) -> None:
    with pytest.raises(UserError, match="A gallery has 1 to"):
        Gallery.create(tmp_path / "people.db", "siamese", **{setting: value})  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_a_fact_that_no_gallery_can_keep_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="its value 'purpose' is none"):
        Store.create(tmp_path / "people.db", {"purpose": None, **IDENTITY.as_facts()})
    assert list(tmp_path.iterdir()) == []


def test_days_beyond_the_calendar_keep_everything(tmp_path: Path) -> None:
    facts = {"id": "f" * 16, "pictures": 1, "audit_days": 1_000_000, **IDENTITY.as_facts()}
    people = People(Store.create(tmp_path / "people.db", facts))
    people.add("Ada", references(1, 1))
    assert [row.what for row in people.audit()] == ["enroll"]
