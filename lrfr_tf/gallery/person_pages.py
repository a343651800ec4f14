"""Persons some at a time, as a listing shows them: those after a row, those with a name like this."""

import dataclasses
import json
import unicodedata
from collections.abc import Sequence

from lrfr_tf.gallery import last_day
from lrfr_tf.gallery.references import Person, columns_of_person
from lrfr_tf.gallery.sound_rows import read_sound
from lrfr_tf.gallery.store import Store

NAMES_AT_ONCE = 20_000  # looked through while others wait for the database
LISTED = (
    "p.number, (SELECT r.id FROM reference r WHERE r.person = p.number AND {in_force} "
    "AND EXISTS (SELECT 1 FROM picture WHERE reference = r.number) ORDER BY r.height DESC, r.number LIMIT 1), {person}"
)
BY_NUMBER = (
    "FROM persons p LEFT JOIN reference r ON r.person = p.number "
    "WHERE p.number IN (SELECT value FROM json_each(?)) GROUP BY p.number ORDER BY p.number"
)


@dataclasses.dataclass(frozen=True)
class Listed:
    """A person in a listing.

    Attributes:
        number: the row, from which a listing goes on.
        picture: the id of a reference that shows the person best: in force, the largest with pixels; None: there is
            none.
    """

    number: int
    picture: str | None
    person: Person


def read_persons_after(store: Store, number: int, count: int, contains: str = "") -> list[Listed]:
    """Some of the persons, in the order of enrollment: those whose row comes after `number`.

    Args:
        contains: a part of the name; case does not count. Empty: everybody.
    """
    rows = _rows_with(store, number, count, contains) if contains else _rows(store, number, count)
    return [Listed(row[0], row[1], Person(*row[2:])) for row in _listed(store, rows)]


def read_person(store: Store, id: str) -> Listed | None:
    """One person by the id; None: nobody has it."""
    rows = store.read("SELECT number FROM persons WHERE id = ?", id)
    found = _listed(store, rows[0]) if rows else []
    return Listed(found[0][0], found[0][1], Person(*found[0][2:])) if found else None


def _listed(store: Store, numbers: Sequence[int]) -> list[tuple]:
    listed = LISTED.format(in_force=last_day.in_force(last_day.today()), person=columns_of_person())
    return read_sound(store, listed, BY_NUMBER, json.dumps(list(numbers)), p="persons")


def _rows(store: Store, number: int, count: int) -> list[int]:
    rows = store.read("SELECT number FROM persons WHERE number > ? ORDER BY number LIMIT ?", number, count)
    return [row for (row,) in rows]


def _rows_with(store: Store, number: int, count: int, contains: str) -> list[int]:
    wanted = _plain(contains)
    found: list[int] = []
    while len(found) < count:
        part = store.read(
            "SELECT number, name FROM persons WHERE number > ? ORDER BY number LIMIT ?", number, NAMES_AT_ONCE
        )
        if not part:
            break
        found += [row for row, name in part if wanted in _plain(name)]
        number = part[-1][0]
    return found[:count]


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()
