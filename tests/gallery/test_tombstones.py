"""Whoever was forgotten stays away, whichever way the data were filed; and copies with those data are listed."""

from pathlib import Path

import numpy as np
import pytest

from lrfr_tf.gallery import forget as forgetting
from lrfr_tf.gallery.people import People
from tests.gallery.ready_people import like, new_people, references


@pytest.fixture
def people(tmp_path: Path) -> People:
    return new_people(tmp_path / "people.db")


def counts(people: People) -> dict[str, int]:
    return {person.name: person.references for person in people.persons()}


@pytest.mark.parametrize("kind", ["export", "backup"])
@pytest.mark.parametrize("verb", ["move", "split"])
def test_an_import_brings_no_reference_of_a_forgotten_person_back_under_another(
    people: People, tmp_path: Path, verb: str, kind: str
) -> None:
    ids = people.add("Anna", [*references(1, 2), *references(2, 1)])  # the last is Bob's
    copy = tmp_path / "copy"
    getattr(people, kind)(copy)
    if verb == "move":
        people.move([ids[2]], "Bob")
    else:
        people.split("Anna", [ids[2]], "Bob")
    people.forget("Bob")
    done = people.import_from(copy)
    assert (done.persons, done.references) == (0, 0)
    assert counts(people) == {"Anna": 2}


def test_a_reference_that_was_forgotten_elsewhere_is_removed_and_overwritten(people: People, tmp_path: Path) -> None:
    ids = people.add("Anna", [*references(1, 2), *references(2, 1)])
    people.export(tmp_path / "before.zip")
    other = new_people(tmp_path / "other.db")
    other.import_from(tmp_path / "before.zip")
    assert np.dot(other.embeddings[0], like(2, 0)) > 0.4
    people.move([ids[2]], "Bob")
    people.forget("Bob")
    people.export(tmp_path / "after.zip")
    other.import_from(tmp_path / "after.zip")
    assert counts(other) == {"Anna": 2}
    assert abs(np.dot(other.embeddings[0], like(2, 0))) < 0.4  # in force at once
    other.close()
    assert like(2, 0).tobytes()[:12] not in (tmp_path / "other.db").read_bytes()


def test_a_reader_takes_over_tombstones_of_people_it_never_had(people: People, tmp_path: Path) -> None:
    people.add("Anna", references(1, 1))
    people.forget("Anna")
    people.add("Bob", references(2, 1))
    people.export(tmp_path / "people.zip")
    other = new_people(tmp_path / "other.db")
    other.add("Carl", references(3, 1))
    assert other.names == ["Carl"]
    other.import_from(tmp_path / "people.zip")
    assert other.names == ["Carl", "Bob"]


def test_copies_from_before_a_merge_are_listed(people: People, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def at(time: str) -> None:
        for module in ("store", "references", "transfer", "forget"):
            monkeypatch.setattr(f"lrfr_tf.gallery.{module}.now", lambda: time)

    at("2026-01-01T00:00:00+00:00")
    people.export(tmp_path / "empty.zip")
    at("2026-01-02T00:00:00+00:00")
    people.add("Anna", references(1, 1))
    at("2026-01-03T00:00:00+00:00")
    copy = people.export(tmp_path / "anna.zip")
    at("2026-01-04T00:00:00+00:00")
    people.add("Anna Maria", references(1, 2))
    people.merge("Anna", "Anna Maria")
    assert people.forget("Anna Maria").not_reached == [copy]


def test_no_copy_is_made_that_is_not_on_record(people: People, tmp_path: Path) -> None:
    people.add("Anna", references(1, 1))
    people.store.read_only = True  # as where the file belongs to somebody else
    for name in ("export", "backup"):
        with pytest.raises(forgetting.UserError, match="is read-only"):
            getattr(people, name)(tmp_path / name)
    with pytest.raises(forgetting.UserError, match="is read-only"):
        people.subject_export("Anna", tmp_path / "anna.zip")
    assert sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith("people.db")) == []


def test_references_of_who_was_forgotten_through_an_import_stay_away_too(people: People, tmp_path: Path) -> None:
    ids = people.add("Anna", references(1, 2))
    people.export(tmp_path / "before.zip")
    other = new_people(tmp_path / "other.db")
    other.import_from(tmp_path / "before.zip")
    people.forget("Anna")
    people.add("Bob", references(2, 1))
    people.export(tmp_path / "after.zip")
    other.import_from(tmp_path / "after.zip")
    assert counts(other) == {"Bob": 1}
    gone = {id for (id,) in other.store.read("SELECT id FROM gone")}
    assert set(ids) <= gone
