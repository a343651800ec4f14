"""What has passed its last day is in force nowhere, and no listing and no check says otherwise."""

from pathlib import Path

import pytest

from lrfr_tf.gallery import last_day
from lrfr_tf.gallery.check_gallery import check_gallery
from lrfr_tf.gallery.gallery import Gallery
from lrfr_tf.gallery.last_day import PASSED
from lrfr_tf.gallery.people import People
from lrfr_tf.gallery.person_pages import read_person, read_persons_after
from lrfr_tf.recognition.calibration import DecisionRule
from tests.gallery.ready_people import new_people, references


@pytest.fixture
def people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> People:
    """Ada, of whom one reference of three has passed its last day, and Grace, who has."""
    made = new_people(tmp_path / "people.db")
    ids = made.add("Ada", references(1, 3))
    made.add("Grace", references(2, 2))
    made.set_end("2026-12-01", reference=ids[0])
    made.set_end("2026-12-01", person="Grace")
    monkeypatch.setattr(last_day, "today", lambda: "2026-12-02")
    return made


def test_listings_count_what_is_in_force_whether_or_not_it_was_set_aside(people: People) -> None:
    before = {one.name: one.active for one in people.persons()}
    pages = {one.person.name: (one.person.active, one.picture) for one in read_persons_after(people.store, 0, 9)}
    people.expire()
    assert before == {one.name: one.active for one in people.persons()} == {"Ada": 2, "Grace": 0}
    assert pages == {"Ada": (2, None), "Grace": (0, None)}
    (ada, grace) = people.persons()
    assert [read_person(people.store, one.id).person.active for one in (ada, grace)] == [2, 0]  # type: ignore[union-attr]


def test_references_say_whether_they_are_in_force(people: People) -> None:
    assert [one.in_force for one in people.references("Ada")] == [False, True, True]
    assert [one.in_force for one in people.references("Grace")] == [False, False]


def test_the_check_compares_with_nobody_who_is_not_compared(people: People) -> None:
    people.close()
    with Gallery.open(str(people.store.path), rule=DecisionRule(threshold=0.5)) as gallery:
        gallery.create_person("Mary")  # without a reference
        report = check_gallery(gallery)
    assert (report.persons, report.references, report.active) == (3, 5, 2)
    assert report.without == ("Grace", "Mary")
    assert [(name, why) for _, name, why in report.set_aside] == [("Ada", PASSED), ("Grace", PASSED), ("Grace", PASSED)]


def test_thirty_persons_are_those_who_can_be_compared(tmp_path: Path) -> None:
    with Gallery.open(str(_thirty(tmp_path)), rule=DecisionRule(threshold=0.5)) as gallery:
        assert "cannot be told" not in check_gallery(gallery).strangers_in_words()
        gallery.set_end("2020-01-01", person="7")
        assert "29 persons are fewer than 30" in check_gallery(gallery).strangers_in_words()


def test_who_is_restored_beyond_the_last_day_is_not_said_to_be_in_force(people: People) -> None:
    ada, grace = people.references("Ada")[0].id, people.references("Grace")[0].id
    people.expire()
    assert people.restore(ada)
    assert not people.restore(grace)
    assert people.names == ["Ada"]


def _thirty(folder: Path) -> Path:
    made = new_people(folder / "thirty.db")
    for person in range(30):
        made.add(str(person), references(person + 1, 2))
    made.close()
    return folder / "thirty.db"
