"""Corrections, and what is in force after each."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from lrfr_tf.errors import UserError
from lrfr_tf.gallery import audit, edit, last_day
from lrfr_tf.gallery.audit import note_decisions
from lrfr_tf.gallery.embedder import EmbedderIdentity
from lrfr_tf.gallery.people import People
from lrfr_tf.gallery.references import ACTIVE, SET_ASIDE, Reference
from lrfr_tf.gallery.store import Store
from lrfr_tf.gallery.templates import template_of
from tests.gallery.ready_people import DIMENSIONS, IDENTITY, embedding_of, like, new_people, references

STRANGER = 78  # a seed whose embedding is not like the others


@pytest.fixture
def people(tmp_path: Path) -> People:
    """Ada (3 references), Grace (2) and Mary (1)."""
    made = new_people(tmp_path / "people.db")
    made.add("Ada", references(1, 3))
    made.add("Grace", references(2, 2))
    made.add("Mary", references(3, 1))
    return made


def in_force(people: People) -> dict[str, np.ndarray]:
    """As another process sees it that opens the file now; the one that was open all the time sees the same."""
    assert people.store.path is not None
    other = People(Store(people.store.path))
    fresh = dict(zip(other.names, other.embeddings, strict=True))
    other.close()
    own = dict(zip(people.names, people.embeddings, strict=True))
    assert list(own) == list(fresh)
    for name, template in fresh.items():
        np.testing.assert_array_equal(own[name], template)
    return fresh


def template(*numbers: tuple[int, int]) -> np.ndarray:
    return template_of(np.stack([like(seed, number) for seed, number in numbers]), np.full(len(numbers), 60.0))


def whose(people: People, embedding: np.ndarray) -> str:
    return people._in_force.find(embedding[None], 1).names[0][0]


def test_a_person_is_the_mean_of_the_references(people: People) -> None:
    assert list(in_force(people)) == ["Ada", "Grace", "Mary"]
    np.testing.assert_allclose(in_force(people)["Ada"], template((1, 0), (1, 1), (1, 2)), atol=1e-6)
    people.add("Grace", [Reference(like(2, 7), height=60.0)])
    np.testing.assert_allclose(in_force(people)["Grace"], template((2, 0), (2, 1), (2, 7)), atol=1e-6)
    people.add("Ada ", [Reference(like(1, 8))])  # blanks around a name do not count
    assert [(one.name, one.references) for one in people.persons()] == [("Ada", 4), ("Grace", 3), ("Mary", 1)]


def test_what_was_stored_comes_back(people: People) -> None:
    landmarks = np.arange(10, dtype=np.float32).reshape(5, 2)
    full = Reference(
        embedding_of(9), 23.5, 0.97, 12.5, 80.25, 2**63 + 5, landmarks, (1.0, 2.0, 30.0, 40.5), "ab" * 32, "mary/1.jpg",
        ("small", "blurred"), b"pixels",
    )  # fmt: skip
    (id,) = people.add("Mary", [full])
    back = people.references("Mary")[-1]
    assert back.id == id
    assert (back.person, back.state, back.reason, back.expires) == ("Mary", ACTIVE, None, None)
    for name in ("height", "detection_score", "pose", "blur", "picture_hash", "box", "source_sha256", "source_name"):
        assert getattr(back, name) == getattr(full, name), name
    assert back.codes == full.codes
    np.testing.assert_array_equal(back.landmarks, landmarks)
    np.testing.assert_array_equal(back.embedding, full.embedding)


def test_rename(people: People) -> None:
    people.rename("Ada", "Augusta")
    assert list(in_force(people)) == ["Augusta", "Grace", "Mary"]
    assert whose(people, like(1, 9)) == "Augusta"
    with pytest.raises(UserError, match="merge makes one of two"):
        people.rename("Augusta", "Grace")
    with pytest.raises(UserError, match="no person 'Ada'"):
        people.rename("Ada", "Eve")
    for bad in ("", "  ", "a\nb", "x" * 201):
        with pytest.raises(UserError, match="no name for a person"):
            people.rename("Grace", bad)


def test_merge(people: People) -> None:
    people.merge("Mary", "Grace")
    assert list(in_force(people)) == ["Ada", "Grace"]
    np.testing.assert_allclose(in_force(people)["Grace"], template((2, 0), (2, 1), (3, 0)), atol=1e-6)
    with pytest.raises(UserError, match="into itself"):
        people.merge("Ada", "Ada")
    with pytest.raises(UserError, match="no person 'Mary'"):
        people.merge("Mary", "Ada")


def test_split_and_move(people: People) -> None:
    ids = [one.id for one in people.references("Ada")]
    people.split("Ada", ids[1:], "Eve")
    np.testing.assert_allclose(in_force(people)["Eve"], template((1, 1), (1, 2)), atol=1e-6)
    np.testing.assert_allclose(in_force(people)["Ada"], template((1, 0)), atol=1e-6)
    people.move(ids[1:2], "Mary")
    np.testing.assert_allclose(in_force(people)["Mary"], template((3, 0), (1, 1)), atol=1e-6)
    people.move([ids[2]], "Mary")
    assert "Eve" not in in_force(people)
    assert [one.name for one in people.persons()] == ["Ada", "Eve", "Grace", "Mary"]
    with pytest.raises(UserError, match="no reference 'ffff'"):
        people.move(["ffff"], "Mary")
    with pytest.raises(UserError, match="some must stay"):
        people.split("Ada", ids[:1], "Zoe")
    with pytest.raises(UserError, match="'Ada' has no reference"):
        people.split("Ada", [ids[2]], "Zoe")
    with pytest.raises(UserError, match="a person 'Grace' already"):
        people.split("Ada", ids[:1], "Grace")
    assert "Zoe" not in [one.name for one in people.persons()]


def test_set_aside_and_restore(people: People) -> None:
    first = people.references("Ada")[0].id
    people.set_aside(first, "not Ada")
    np.testing.assert_allclose(in_force(people)["Ada"], template((1, 1), (1, 2)), atol=1e-6)
    assert [(one.state, one.reason) for one in people.references("Ada")][0] == (SET_ASIDE, "not Ada")
    people.set_aside(people.references("Mary")[0].id)
    assert list(in_force(people)) == ["Ada", "Grace"]
    people.restore(people.references("Mary")[0].id)
    people.restore(first)
    assert list(in_force(people)) == ["Ada", "Grace", "Mary"]  # in the order of enrollment
    np.testing.assert_allclose(in_force(people)["Ada"], template((1, 0), (1, 1), (1, 2)), atol=1e-6)


def test_a_stranger_among_five_is_set_aside_until_a_human_says_otherwise(people: People) -> None:
    (stranger,) = people.add("Ada", [Reference(embedding_of(STRANGER), height=60.0)])
    assert all(one.state == ACTIVE for one in people.references("Ada"))  # four: nobody can tell
    people.add("Ada", [Reference(like(1, 5), height=60.0)])
    odd = next(one for one in people.references("Ada") if one.id == stranger)
    assert odd.state == SET_ASIDE
    assert odd.reason is not None
    assert "is usual" in odd.reason
    np.testing.assert_allclose(in_force(people)["Ada"], template((1, 0), (1, 1), (1, 2), (1, 5)), atol=1e-6)
    people.move([stranger], "Eve")  # whose it is: nothing is odd about it there
    assert people.references("Eve")[0].state == ACTIVE
    people.move([stranger], "Ada")
    assert next(one for one in people.references("Ada") if one.id == stranger).state == SET_ASIDE
    people.restore(stranger)
    people.add("Ada", [Reference(like(1, 6), height=60.0)])
    assert next(one for one in people.references("Ada") if one.id == stranger).state == ACTIVE


def test_end_dates(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(last_day, "today", lambda: "2026-11-30")
    people.set_end("2026-12-24", person="Grace")
    people.set_end("2026-12-01", reference=people.references("Ada")[0].id)
    assert list(in_force(people)) == ["Ada", "Grace", "Mary"]
    assert people.expire() == []
    monkeypatch.setattr(last_day, "today", lambda: "2026-12-02")
    np.testing.assert_allclose(in_force(people)["Ada"], template((1, 1), (1, 2)), atol=1e-6)
    monkeypatch.setattr(last_day, "today", lambda: "2026-12-25")  # in force to the end of the last day, no longer
    assert list(in_force(people)) == ["Ada", "Mary"]
    passed = people.expire()
    assert [(name, day) for name, _, day in passed] == [
        ("Ada", "2026-12-01"), ("Grace", "2026-12-24"), ("Grace", "2026-12-24"),
    ]  # fmt: skip
    assert people.references("Grace")[0].reason == "Its last day was 2026-12-24."
    people.set_end(None, person="Grace")
    people.restore(people.references("Grace")[0].id)
    assert list(in_force(people)) == ["Ada", "Grace", "Mary"]
    with pytest.raises(UserError, match="'soon' is no day"):
        people.set_end("soon", person="Ada")
    with pytest.raises(UserError, match="of one person or of one reference"):
        people.set_end("2027-01-01")


def test_what_a_last_day_set_aside_comes_back_with_another_one(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(last_day, "today", lambda: "2026-11-30")
    by_hand, single, plain = (one.id for one in people.references("Ada"))
    (grace, *_) = (one.id for one in people.references("Grace"))

    def states() -> dict[str, str]:
        return {one.id: one.state for one in people.references() if one.person in ("Ada", "Grace")}

    people.set_aside(by_hand, "Its last day was a bad one.")  # a human may say what they like
    people.set_end("2026-12-01", reference=single)
    people.set_end("2026-12-02", person="Ada")
    people.set_end("2026-12-02", person="Grace")
    monkeypatch.setattr(last_day, "today", lambda: "2026-12-25")
    assert len(people.expire()) == 2 + len(people.references("Grace"))
    assert people.set_end("2026-12-24", person="Ada") == []  # has passed as well
    assert people.set_end("2027-12-24", person="Ada") == [plain]
    assert states()[by_hand] == states()[single] == SET_ASIDE
    assert list(in_force(people)) == ["Ada", "Mary"]
    assert people.set_end(None, reference=single) == [single]
    assert states()[by_hand] == SET_ASIDE
    people.set_aside(grace, "too dark")
    back = people.set_end(None, person="Grace")
    assert grace not in back
    assert len(back) == len(people.references("Grace")) - 1
    assert list(in_force(people)) == ["Ada", "Grace", "Mary"]
    assert people.references("Ada")[2].reason is None
    assert [row.what for row in people.audit("Ada")][-1] == "restore"


def test_who_was_restored_by_hand_stays_so_whatever_the_last_day(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    people.add("Ada", [*references(1, 4), Reference(embedding_of(99), height=60.0)])
    stranger = people.references("Ada")[-1]
    assert stranger.state == SET_ASIDE
    people.restore(stranger.id)
    monkeypatch.setattr(last_day, "today", lambda: "2030-01-02")
    people.set_end("2030-01-01", person="Ada")
    people.expire()
    assert stranger.id in people.set_end(None, person="Ada")
    assert people.references("Ada")[-1].state == ACTIVE


def test_in_memory_all_of_it_works_as_well() -> None:
    people = new_people(None)
    people.add("Ada", references(1, 2))
    people.add("Eve", references(2, 2))
    people.merge("Eve", "Ada")
    assert people.forget("Ada").cleaned
    assert people.names == []


def test_the_audit_holds_ids_only(people: People) -> None:
    people.who = "the door"
    people.rename("Ada", "Augusta")
    people.set_aside(people.references("Grace")[0].id)
    people.forget("Mary")
    rows = people.audit()
    assert [row.what for row in rows] == ["enroll"] * 6 + ["rename", "set_aside", "forget"]
    assert [row.who for row in rows][-3:] == ["the door"] * 3
    text = repr(rows)
    assert all(name not in text for name in ("Ada", "Augusta", "Grace", "Mary"))
    assert {row.what for row in people.audit("Augusta")} == {"enroll", "rename"}
    people.store.connection.execute("UPDATE audit SET at = '2020-01-01T00:00:00+00:00' WHERE what = 'enroll'")
    assert [row.what for row in people.audit()] == ["rename", "set_aside", "forget"]


def test_a_candidate_is_confirmed_by_people(people: People) -> None:
    people.store.connection.execute("INSERT INTO fact VALUES ('confirmations', 2)")
    numbers = note_decisions(people.store, 6, [(1, "known", 0.61, 0.4), (2, "unknown", 0.2, 0.4)], "the door")
    ada = people.store.read("SELECT id FROM persons WHERE number = 1")[0][0]
    first = people.confirm(numbers[0], "Keller")
    assert (first.confirmed, first.refuted, first.needed, first.is_confirmed) == (1, 0, 2, False)
    with pytest.raises(UserError, match="another person must"):
        people.confirm(numbers[0], "Keller")
    assert people.confirm(numbers[0], "Meier").is_confirmed
    refuted = people.confirm(numbers[0], "Schmid", agrees=False)
    assert (refuted.refuted, refuted.is_confirmed) == (1, False)
    rows = [row for row in people.audit("Ada") if row.decided]
    assert [(row.what, row.who, row.decided, row.person) for row in rows] == [
        ("confirmed", "Keller", numbers[0], ada), ("confirmed", "Meier", numbers[0], ada),
        ("refuted", "Schmid", numbers[0], ada),
    ]  # fmt: skip
    for number, who, words in (
        (numbers[1], "Keller", "gave no name"), (9999, "Keller", "no decision 9999"), (1, "Keller", "no decision 1"),
        (numbers[0], " ", "needs the name"),
    ):  # fmt: skip
        with pytest.raises(UserError, match=words):
            people.confirm(number, who)


def test_embeddings_of_another_kind_are_refused(people: People) -> None:
    before = people.persons()
    for bad in (np.ones(DIMENSIONS, np.float32), np.full(DIMENSIONS, np.nan, np.float32), embedding_of(1, 16)):
        with pytest.raises(ValueError, match="unit length|of this gallery is float32"):
            people.add("Eve", [Reference(bad)])
    other = EmbedderIdentity("mine", 2, "mine-2", "f" * 64, DIMENSIONS)
    with pytest.raises(UserError, match="lrfr gallery migrate"):
        edit.add(people.store, "Eve", references(5, 1), identity=other)
    edit.add(people.store, "Ada", references(1, 1), identity=IDENTITY)
    assert [person.name for person in people.persons()] == [person.name for person in before]


def test_a_name_that_is_no_text_is_stored_with_escapes(tmp_path: Path) -> None:
    people = new_people(tmp_path / "people.db")
    people.add("a\udcffb", [dataclasses.replace(references(1, 1)[0], source_name="a\udcff.jpg")])
    assert people.references("a\\xffb")[0].source_name == "a\\xff.jpg"
    people.who = "\udcff"
    people.rename("a\udcffb", "anna")
    assert people.audit()[-1].who == "\\xff"
    assert [person.name for person in people.persons()] == ["anna"]
    with pytest.raises(UserError, match="has no decision"):
        people.confirm(2**70, "M. Keller")
    with pytest.raises(UserError, match="is a folder"):
        Store(tmp_path)


def test_one_person_confirms_once_however_the_name_is_typed(tmp_path: Path) -> None:
    people = new_people(tmp_path / "people.db")
    people.add("anna", references(1, 1))
    with people.store.writing() as change:
        change.set_fact(audit.NEEDED, 2)
    (decision,) = note_decisions(people.store, 1, [(1, "known", 0.9, 0.5)], None)
    assert not people.confirm(decision, "M. Keller").is_confirmed
    for again in ("m. keller", " M.  Keller ", "Ｍ. Keller"):
        with pytest.raises(UserError, match="has looked at decision"):
            people.confirm(decision, again)
    assert people.confirm(decision, "L. Braun").is_confirmed
