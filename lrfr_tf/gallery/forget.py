"""Forgetting a person: rows, pixels and names go, from the file and from those beside it; a random id stays."""

import dataclasses
import sqlite3
from collections.abc import Collection, Iterable

from lrfr_tf.errors import UserError
from lrfr_tf.gallery.audit import note_change
from lrfr_tf.gallery.change import Change
from lrfr_tf.gallery.references import person_id, person_number
from lrfr_tf.gallery.sound_rows import read_sound
from lrfr_tf.gallery.store import Store, now

CLEANING_DUE = "cleaning_due"  # a fact: somebody was forgotten, and the file is not overwritten yet
LARGE = 256 << 20  # bytes; what is larger is rewritten by way of the disk


@dataclasses.dataclass(frozen=True)
class Copy:
    """An export or a backup: no `forget` reaches it.

    Attributes:
        id: stands in its manifest.
        at: when it was made, in UTC, as ISO 8601.
        kind: "export", "backup" or "subject_export".
        persons: how many it holds.
    """

    id: str
    at: str
    kind: str
    persons: int


@dataclasses.dataclass(frozen=True)
class Forgotten:
    """What became of a person's data.

    Attributes:
        id: random, all that stays.
        references: how many are gone.
        not_reached: copies that were made since the person was enrolled, and may hold the person.
        cleaned: nothing of the person is left in the file or beside it; False where another process held it open for
            reading all the time, in which case the next one that opens it does that.
    """

    id: str
    references: int
    not_reached: list[Copy]
    cleaned: bool


def forget(store: Store, person: str, who: str | None = None, id: str | None = None) -> Forgotten:
    """Removes a person; in force for every process once this returns.

    Args:
        id: of the person, if somebody else may have got the name meanwhile.

    Raises:
        UserError: nobody has this name, somebody with another id has it, or the gallery cannot be written.
    """
    with store.writing() as change:
        number = person_number(store, person)
        if id is not None and id != person_id(store, number):
            raise UserError(f"{store.label} has another person {person!r} by now; nothing was changed.")
        id = person_id(store, number)
        ((created,),) = store.read("SELECT created FROM persons WHERE number = ?", number)
        own = store.read("SELECT id, enrolled FROM reference WHERE person = ?", number)
        # A reference may have been another person's before this one was enrolled.
        since = min([created, *(enrolled for _, enrolled in own)])
        copies = read_copies(store, since, {*_ids_of(store, id), *(reference for reference, _ in own)})
        note_change(change, "forget", id, who=who)
        remove_person(change, number, id)
        change.set_fact(CLEANING_DUE, 1)
    return Forgotten(id, len(own), copies, clean(store))


def _ids_of(store: Store, id: str) -> list[str]:
    """The id of a person, and those of whoever was merged into that person."""
    rows = store.read(
        "WITH RECURSIVE same (id) AS (SELECT ? UNION SELECT gone.id FROM gone JOIN same ON merged_into = same.id) "
        "SELECT id FROM same",
        id,
    )
    return [row[0] for row in rows]


def remove_person(change: Change, number: int, id: str, merged_into: str | None = None) -> None:
    """Deletes the rows of a person, and leaves the id and those of the references that are the person's."""
    for (reference,) in change.store.read("SELECT id FROM reference WHERE person = ?", number):
        note_gone(change, reference)  # in an older archive it may be another person's
    change.run("DELETE FROM persons WHERE number = ?", number)
    note_gone(change, id, number, merged_into)


def note_gone(change: Change, id: str, number: int | None = None, merged_into: str | None = None) -> None:
    """Keeps an id, of a person or of a reference, so that no import brings it back.

    Args:
        number: the row of a person who was enrolled here.
        merged_into: the id of the person who has the references now.
    """
    values = (id, number, merged_into, now()[:10], change.number)
    change.run("INSERT OR REPLACE INTO gone VALUES (?, ?, ?, ?, ?)", *values)


def clean(store: Store) -> bool:
    """Overwrites what was deleted: the file is written anew, and the write-ahead log emptied.

    Returns:
        False where other processes read all the time, or the disk has no room; the next one to open the file tries
        again.
    """
    if store.path is None:
        with store.lock:
            store.connection.execute("VACUUM")
        return True
    with store.lock:
        connection = store.connection
        try:
            # Rows that moved between pages have left copies, which secure_delete does not see.
            large = store.path.stat().st_size > LARGE
            connection.execute(f"PRAGMA temp_store = {'FILE' if large else 'MEMORY'}")
            connection.execute("VACUUM")
            ((busy, _, _),) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            if busy:
                return False
            with store.transaction("IMMEDIATE"):
                connection.execute("DELETE FROM fact WHERE name = ?", (CLEANING_DUE,))
        except (sqlite3.Error, OSError, UserError):
            return False
        finally:
            store.connection.execute("PRAGMA temp_store = MEMORY")
    return True


def read_copies(store: Store, since: str, ids: Collection[str]) -> list[Copy]:
    """The exports and backups that were made since a moment and may hold one of some ids, oldest first."""
    rest = "FROM copies WHERE at >= ? ORDER BY at"
    rows = read_sound(store, "id, at, kind, persons, holds", rest, since, copies="copies")
    return [Copy(*row[:4]) for row in rows if row[4] is None or not set(ids).isdisjoint(row[4].split())]


def note_copy(
    store: Store, copy: Copy, holds: Iterable[str] | None = None, *, person: str | None = None, who: str | None = None
) -> None:
    """Remembers that a copy was made.

    Args:
        holds: the ids of the persons and references in it; None: everybody.
        person: the id of the one person that it is about.
        who: made it.
    """
    listed = None if holds is None else " ".join(holds)
    with store.writing() as change:
        change.run("INSERT INTO copies VALUES (?, ?, ?, ?, ?)", copy.id, copy.at, copy.kind, copy.persons, listed)
        note_change(change, copy.kind, person, who=who)
