"""Who changed what, and what was decided: rows with random ids, never with names or names of files."""

import contextlib
import dataclasses
import unicodedata
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from lrfr_tf.errors import UserError
from lrfr_tf.gallery.change import Change
from lrfr_tf.gallery.sound_rows import read_sound
from lrfr_tf.gallery.store import Store, now
from lrfr_tf.gallery.store_error import StoreError
from lrfr_tf.printable import in_utf8

DAYS = "audit_days"  # a fact: how long rows are kept
DEFAULT_DAYS, MOST_DAYS, MOST_CONFIRMATIONS = 365, 36_500, 100
DECISION, CONFIRMED, REFUTED = "decision", "confirmed", "refuted"
NEEDED = "confirmations"  # a fact: of how many persons a decision needs a confirmation
COLUMNS = "number, at, what, changes, person, reference, decision, score, threshold, who, decided"


@dataclasses.dataclass(frozen=True)
class AuditRow:
    """One change or one decision.

    Attributes:
        at: when, in UTC, as ISO 8601.
        what: "enroll", "forget", ..., "decision", or, of a decision, "confirmed" or "refuted".
        changes: the gallery's change counter; a decision's says which state of the gallery it was made with.
        person, reference: random ids.
        decision: "known" or "unknown".
        score, threshold: cosines.
        who: asked for it or confirmed it, if known.
        decided: the number of the decision that a confirmation is about.
    """

    number: int
    at: str
    what: str
    changes: int
    person: str | None
    reference: str | None
    decision: str | None
    score: float | None
    threshold: float | None
    who: str | None
    decided: int | None = None

    def as_json(self) -> dict[str, Any]:
        """What is known of it."""
        return {name: value for name, value in dataclasses.asdict(self).items() if value is not None}


def settings(days: int, confirmations: int) -> dict[str, int]:
    """The days on record and the confirmations that are needed, as a gallery's file keeps them.

    Raises:
        UserError: a number is none that a gallery can keep.
    """
    for value, most, what in (
        (days, MOST_DAYS, "days on record"),
        (confirmations, MOST_CONFIRMATIONS, "confirmations"),
    ):
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise UserError(f"A gallery has 1 to {most:,} {what}, not {value!r}.")
    return {DAYS: days, NEEDED: confirmations}


def note_change(
    change: Change, what: str, person: str | None = None, reference: str | None = None, *, who: str | None = None
) -> None:
    """Adds a row about a change, in its transaction, and removes what has been kept long enough."""
    change.run(
        "INSERT INTO audit (at, what, changes, person, reference, who) VALUES (?, ?, ?, ?, ?, ?)",
        now(),
        what,
        change.number,
        person,
        reference,
        who,
    )
    _drop_old(change.store)


def note_decisions(
    store: Store,
    changes: int,
    decisions: list[tuple[int, str, float, float | None]],
    who: str | None,
) -> list[int]:
    """Adds rows about decisions, and removes what has been kept long enough.

    Args:
        changes: the state of the gallery that they were made with.
        decisions: (row of the person most alike, "known" or "unknown", score, threshold) each. Of an unknown face the
            person is not noted.

    Returns:
        The numbers of the rows.
    """
    who = None if who is None else in_utf8(who)
    with store.transaction("IMMEDIATE"):
        numbers = [
            store.connection.execute(
                "INSERT INTO audit (at, what, changes, person, decision, score, threshold, who) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (now(), DECISION, changes, _id(store, row, decision), decision, score, threshold, who),
            ).lastrowid
            for row, decision, score, threshold in decisions
        ]
        _drop_old(store)
    return [int(number or 0) for number in numbers]


@dataclasses.dataclass(frozen=True)
class Confirmation:
    """How far a candidate is confirmed.

    Attributes:
        confirmed: by how many persons.
        refuted: by how many.
        needed: of how many persons it needs the confirmation.
    """

    confirmed: int
    refuted: int
    needed: int

    @property
    def is_confirmed(self) -> bool:
        """Whether enough persons confirmed it, and nobody refuted it."""
        return self.confirmed >= self.needed and not self.refuted


def confirm(store: Store, number: int, who: str, agrees: bool = True) -> Confirmation:
    """Notes that a person looked at a decision that gave a name, and confirms or refutes it.

    Args:
        number: of the decision's row.
        who: looked; each person counts once.

    Raises:
        UserError: there is no such decision, it gave no name, nobody or the same person again confirms it, or the
            gallery cannot be written.
    """
    if not who.strip():
        raise UserError("A confirmation needs the name of who confirms.")
    who = in_utf8(who)
    with store.transaction("IMMEDIATE"):
        known = 0 < number < 2**63  # SQLite's integers end there
        rows = store.read("SELECT person FROM audit WHERE number = ? AND what = ?", number, DECISION) if known else []
        if not rows:
            raise UserError(f"{store.label} has no decision {number} on record; lrfr gallery audit lists them.")
        if rows[0][0] is None:
            raise UserError(f"Decision {number} gave no name, so there is nothing to confirm.")
        others = store.read("SELECT who, what FROM audit WHERE decided = ?", number)
        if _plain(who) in [_plain(other) for other, _ in others]:
            raise UserError(f"{who} has looked at decision {number} already; another person must.")
        what = CONFIRMED if agrees else REFUTED
        store.connection.execute(
            "INSERT INTO audit (at, what, changes, person, who, decided) VALUES (?, ?, ?, ?, ?, ?)",
            (now(), what, store.changes(), rows[0][0], who, number),
        )
        _drop_old(store)
        said = [earlier for _, earlier in others] + [what]
        return Confirmation(said.count(CONFIRMED), said.count(REFUTED), int(store.fact(NEEDED) or 1))


def read_audit(store: Store, person: str | None = None) -> list[AuditRow]:
    """All rows, or those about one person (an id), oldest first; what has been kept long enough is removed before."""
    drop_old(store)
    where, values = ("", []) if person is None else (" AND person = ?", [person])
    rows = read_sound(
        store, COLUMNS, f"FROM audit WHERE at >= ?{where} ORDER BY number", _oldest(store), *values, audit="audit"
    )
    return [AuditRow(*row) for row in rows]


def read_audit_after(
    store: Store,
    number: int,
    count: int,
    person: str | None = None,
    *,
    newest: bool = False,
    what: str | None = None,
) -> list[AuditRow]:
    """Some of the rows, or of those about one person (an id) or of one kind.

    Args:
        number: rows after this one; 0: from the beginning.
        newest: newest first, instead of oldest first; then rows before `number`, and 0 is the end.
        what: as `AuditRow.what`; None: every kind.
    """
    wanted = {name: value for name, value in (("person", person), ("what", what)) if value is not None}
    where = "".join(f" AND {name} = ?" for name in wanted)
    side, order = ("<", "DESC") if newest else (">", "ASC")
    start = 2**63 - 1 if newest and not number else number
    rest = f"FROM audit WHERE number {side} ?{where} ORDER BY number {order} LIMIT ?"
    rows = read_sound(store, COLUMNS, rest, start, *wanted.values(), count, audit="audit")
    return [AuditRow(*row) for row in rows]


def read_confirmations(store: Store, numbers: Sequence[int]) -> dict[int, Confirmation]:
    """How far each of some decisions (the numbers of their rows) is confirmed."""
    places = ", ".join("?" * len(numbers))
    rows = store.read(f"SELECT decided, what FROM audit WHERE decided IN ({places})", *numbers) if numbers else []
    needed = int(store.fact(NEEDED) or 1)
    said = Counter(rows)
    return {one: Confirmation(said[one, CONFIRMED], said[one, REFUTED], needed) for one in numbers}


def _plain(who: str) -> str:
    """A name without what does not make another person of it: case, blanks, ways to write an accent."""
    return " ".join(unicodedata.normalize("NFKC", who).casefold().split())


def _id(store: Store, row: int, decision: str) -> str | None:
    if decision != "known":
        return None
    rows = store.read("SELECT id FROM persons WHERE number = ? UNION SELECT id FROM gone WHERE number = ?", row, row)
    return rows[0][0] if rows else None


def drop_old(store: Store) -> None:
    """Removes what has been kept long enough, unless others write at the moment."""
    if not store.read_only and store.read("SELECT 1 FROM audit WHERE at < ? LIMIT 1", _oldest(store)):
        with contextlib.suppress(StoreError), store.transaction("IMMEDIATE"):
            _drop_old(store)


def _drop_old(store: Store) -> None:
    store.connection.execute("DELETE FROM audit WHERE at < ?", (_oldest(store),))


def _oldest(store: Store) -> str:
    days = min(int(store.fact(DAYS) or DEFAULT_DAYS), MOST_DAYS)
    return (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="seconds")
