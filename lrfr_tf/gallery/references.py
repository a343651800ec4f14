"""Persons and their references, as rows and as values."""

import dataclasses
import json
from collections.abc import Iterable, Sequence

import numpy as np

from lrfr_tf.errors import UserError
from lrfr_tf.gallery import last_day
from lrfr_tf.gallery.change import Change
from lrfr_tf.gallery.new_file import random_id
from lrfr_tf.gallery.person_name import checked_name
from lrfr_tf.gallery.sound_rows import check_embeddings, read_sound
from lrfr_tf.gallery.store import Store, now
from lrfr_tf.gallery.templates import set_aside_of

ACTIVE, SET_ASIDE = "active", "set_aside"
COLUMNS = (
    "r.id, p.name, r.embedding, r.height, r.detection_score, r.pose, r.blur, r.picture_hash, r.landmarks, r.box, "
    "r.source_sha256, r.source_name, r.state, r.reason, r.codes, r.enrolled, r.expires, r.by_hand"
)


@dataclasses.dataclass(frozen=True)
class Person:
    """Somebody who is enrolled.

    Attributes:
        id: 16 hexadecimal digits; random, and all that audit rows hold.
        created: when, in UTC, as ISO 8601.
        expires: the last day on which the person is in force, as "2027-01-31"; None: no end.
        references: how many there are.
        active: how many of them are in force today.
    """

    id: str
    name: str
    created: str
    expires: str | None
    references: int
    active: int


@dataclasses.dataclass(frozen=True, eq=False)
class Reference:
    """One enrolled face of a person. To enroll one, only what is known is given.

    Attributes:
        embedding: float32 [D], of unit length.
        height: of the face in pixels of its photo; 0: not known.
        detection_score: 0 to 1.
        pose, blur, picture_hash: as `lrfr_tf.gallery.quality.measure` gives them.
        landmarks: float32 [5, 2], in pixels of the stored picture.
        box: (x1, y1, x2, y2) of the face in the stored picture.
        source_sha256: of the bytes of the photo's file.
        source_name: what the photo's file was called.
        codes: the warnings it was accepted with.
        picture: the stored picture, encoded; None where it is read, see `read_picture`.
        id: 16 hexadecimal digits, given when it is stored.
        person: the person's name.
        state: ACTIVE, or SET_ASIDE: kept, but not part of the template.
        reason: why it is set aside, one sentence.
        enrolled: when, in UTC, as ISO 8601.
        expires: the last day on which it is in force; None: no end.
        by_hand: whether a human decided the state, which no rule changes.
        in_force: where it is read, whether it is active, and neither it nor the person has passed the last day.
    """

    embedding: np.ndarray
    height: float = 0.0
    detection_score: float | None = None
    pose: float | None = None
    blur: float | None = None
    picture_hash: int | None = None
    landmarks: np.ndarray | None = None
    box: tuple[float, float, float, float] | None = None
    source_sha256: str | None = None
    source_name: str | None = None
    codes: tuple[str, ...] = ()
    picture: bytes | None = None
    id: str = ""
    person: str = ""
    state: str = ACTIVE
    reason: str | None = None
    enrolled: str = ""
    expires: str | None = None
    by_hand: bool = False
    in_force: bool = True


def columns_of_person() -> str:
    """What is asked of persons `p` and their references `r` for a `Person`, in its order."""
    return (
        f"p.id, p.name, p.created, p.expires, COUNT(r.number), COALESCE(SUM({last_day.in_force(last_day.today())}), 0)"
    )


def read_persons(store: Store) -> list[Person]:
    """Everybody, in the order of enrollment."""
    rows = read_sound(
        store,
        columns_of_person(),
        "FROM persons p LEFT JOIN reference r ON r.person = p.number GROUP BY p.number ORDER BY p.number",
        p="persons",
    )
    return [Person(*row) for row in rows]


def name_of(store: Store, id: str) -> str | None:
    """The name of a person, by the id; None: nobody has it."""
    rows = store.read("SELECT name FROM persons WHERE id = ?", id)
    return rows[0][0] if rows else None


def person_number(store: Store, name: str) -> int:
    """The row of a person.

    Raises:
        UserError: nobody has this name.
    """
    rows = store.read("SELECT number FROM persons WHERE name = ?", checked_name(name))
    if not rows:
        raise UserError(f"{store.label} has no person {name!r}; lrfr gallery list lists them.")
    return rows[0][0]


def person_id(store: Store, number: int) -> str:
    """The random id of a person.

    Raises:
        UserError: there is none, because the file is damaged.
    """
    rows = store.read("SELECT id FROM persons WHERE number = ?", number)
    if not rows:
        raise UserError(f"{store.label} is damaged: a name or a reference belongs to nobody.")
    return rows[0][0]


def read_ids(store: Store, numbers: Iterable[int]) -> dict[int, str]:
    """The random ids of persons by their rows, of those who are still enrolled."""
    rows = json.dumps(list(numbers))  # one value, however many they are
    return dict(store.read("SELECT number, id FROM persons WHERE number IN (SELECT value FROM json_each(?))", rows))


def read_names(store: Store, ids: Iterable[str]) -> dict[str, str]:
    """The names of persons by their ids, of those who are still enrolled."""
    known = json.dumps(list(ids))
    return dict(store.read("SELECT id, name FROM persons WHERE id IN (SELECT value FROM json_each(?))", known))


def reference_number(store: Store, id: str) -> tuple[int, int]:
    """The rows of a reference and of its person.

    Raises:
        UserError: there is none with this id.
    """
    rows = store.read("SELECT number, person FROM reference WHERE id = ?", id)
    if not rows:
        raise UserError(f"{store.label} has no reference {id!r}; lrfr gallery show lists those of a person.")
    return rows[0]


def read_references(store: Store, person: str | None = None) -> list[Reference]:
    """All references, or those of one person, in the order of enrollment; those that are set aside, too.

    Raises:
        UserError: nobody has this name.
    """
    rest, values = "FROM reference r JOIN persons p ON p.number = r.person", []
    if person is not None:
        rest, values = f"{rest} WHERE r.person = ?", [person_number(store, person)]
    columns = f"{COLUMNS}, {last_day.in_force(last_day.today())}"
    rows = read_sound(store, columns, f"{rest} ORDER BY r.person, r.number", *values, p="persons", r="reference")
    with store.explained():
        references = [_reference(row) for row in rows]
        check_embeddings(store, [one.embedding for one in references])
    return references


def _reference(row: Sequence) -> Reference:
    id, person, embedding, height, score, pose, blur, hashed, landmarks, box, checksum, source, state, reason = row[:14]
    codes, enrolled, expires, by_hand, in_force = row[14:]
    return Reference(
        np.frombuffer(embedding, np.float32),
        height,
        score,
        pose,
        blur,
        None if hashed is None else hashed & 0xFFFFFFFFFFFFFFFF,
        None if landmarks is None else np.frombuffer(landmarks, np.float32).reshape(5, 2),
        None if box is None else tuple(np.frombuffer(box, np.float32).tolist()),
        checksum,
        source,
        tuple(codes.split()),
        None,
        id,
        person,
        state,
        reason,
        enrolled,
        expires,
        bool(by_hand),
        bool(in_force),
    )


def read_picture(store: Store, reference: str) -> bytes | None:
    """The encoded picture of a reference; None where none was stored."""
    rest = "FROM picture WHERE reference = (SELECT number FROM reference WHERE id = ?)"
    rows = read_sound(store, "data", rest, reference, picture="picture")
    return rows[0][0] if rows else None


def find_or_add_person(change: Change, name: str, id: str | None = None, created: str | None = None) -> int:
    """The row of a person, who is enrolled if nobody has this name."""
    rows = change.run("SELECT number FROM persons WHERE name = ?", name).fetchall()
    if rows:
        return rows[0][0]
    values = (id or random_id(), name, created or now(), change.number)
    return int(
        change.run("INSERT INTO persons (id, name, created, changed) VALUES (?, ?, ?, ?)", *values).lastrowid or 0
    )


def add_reference(change: Change, person: int, reference: Reference) -> str:
    """Stores a reference of a person, and returns its id."""
    id = reference.id or random_id()
    hashed = reference.picture_hash
    if hashed is not None and hashed >= 2**63:
        hashed -= 2**64  # SQLite's integers have a sign
    cursor = change.run(
        "INSERT INTO reference (person, id, embedding, height, detection_score, pose, blur, picture_hash, landmarks, "
        "box, source_sha256, source_name, state, reason, codes, enrolled, expires, by_hand) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        person,
        id,
        np.ascontiguousarray(reference.embedding, np.float32).tobytes(),
        float(reference.height),
        reference.detection_score,
        reference.pose,
        reference.blur,
        hashed,
        None if reference.landmarks is None else np.ascontiguousarray(reference.landmarks, np.float32).tobytes(),
        None if reference.box is None else np.array(reference.box, np.float32).tobytes(),
        reference.source_sha256,
        reference.source_name,
        reference.state,
        reference.reason,
        " ".join(reference.codes),
        reference.enrolled or now(),
        reference.expires,
        reference.by_hand,
    )
    if reference.picture is not None:
        change.run("INSERT INTO picture VALUES (?, ?)", cursor.lastrowid, reference.picture)
    change.touch(person)
    return id


def set_state(change: Change, reference: int, state: str, reason: str | None, *, by_hand: bool) -> None:
    """Puts a reference in force or sets it aside; what a human decided, no rule changes."""
    change.run(
        "UPDATE reference SET state = ?, reason = ?, by_hand = ? WHERE number = ?", state, reason, by_hand, reference
    )


def set_aside_odd_ones(change: Change, person: int) -> list[tuple[str, str]]:
    """Sets references aside that are hardly the person (see `templates.set_aside_of`): (id, why)."""
    rows = change.run(
        "SELECT number, id, by_hand, embedding FROM reference WHERE person = ? AND state = ? ORDER BY number",
        person,
        ACTIVE,
    ).fetchall()
    found = []
    if rows:
        for row, reason in set_aside_of(np.stack([np.frombuffer(row[3], np.float32) for row in rows])):
            number, id, by_hand, _ = rows[row]
            if not by_hand:
                set_state(change, number, SET_ASIDE, reason, by_hand=False)
                found.append((id, reason))
    return found
