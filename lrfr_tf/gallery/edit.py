"""Corrections of what is enrolled: who is who, which references are in force, and until when."""

from collections.abc import Sequence

import numpy as np

from lrfr_tf.errors import UserError
from lrfr_tf.gallery import last_day
from lrfr_tf.gallery.audit import note_change
from lrfr_tf.gallery.change import Change
from lrfr_tf.gallery.embedder import EmbedderIdentity
from lrfr_tf.gallery.forget import remove_person
from lrfr_tf.gallery.person_name import checked_name
from lrfr_tf.gallery.references import (
    ACTIVE,
    SET_ASIDE,
    Reference,
    add_reference,
    find_or_add_person,
    person_id,
    person_number,
    reference_number,
    set_aside_odd_ones,
    set_state,
)
from lrfr_tf.gallery.store import Store
from lrfr_tf.gallery.templates import FEWEST

BY_HAND = "set aside by hand"
EXPIRED = "Its last day was "  # begins the reason of what its last day set aside
# What a rule set aside beside one person's references may well be another person.
JUDGED_ANEW = "UPDATE reference SET state = 'active', reason = NULL"


def add(
    store: Store,
    person: str,
    references: Sequence[Reference],
    who: str | None = None,
    *,
    identity: EmbedderIdentity | None = None,
) -> list[str]:
    """Enrolls references of one person that are embedded already; once this returns they are on the disk.

    Args:
        identity: the network that embedded them; None: whoever calls knows that it is the gallery's.

    Returns:
        Their ids.

    Raises:
        UserError: the name is none, the gallery holds embeddings of another network, or it cannot be written.
        ValueError: an embedding is not float [D] of unit length.
    """
    name = checked_name(person)
    with store.writing() as change:
        if identity is not None:  # another process may have migrated
            EmbedderIdentity.of_store(store).check_same(identity, store.label)
        check_embeddings(change, [reference.embedding for reference in references])
        number = find_or_add_person(change, name)
        ids = [add_reference(change, number, reference) for reference in references]
        own_id = person_id(store, number)
        for id in ids:
            note_change(change, "enroll", own_id, id, who=who)
        after_change(change, number)
    return ids


def create_person(store: Store, name: str, who: str | None = None) -> str:
    """Takes in somebody new, without a reference yet, and returns the person's id.

    Raises:
        UserError: the name is none, somebody has it, or the gallery cannot be written.
    """
    name = checked_name(name)
    with store.writing() as change:
        if store.read("SELECT 1 FROM persons WHERE name = ?", name):
            raise UserError(f"{store.label} has a person {name!r} already.")
        id = person_id(store, find_or_add_person(change, name))
        note_change(change, "create", id, who=who)
    return id


def rename(store: Store, person: str, new_name: str, who: str | None = None) -> None:
    """Gives a person another name.

    Raises:
        UserError: nobody has this name, or somebody has the new one.
    """
    new_name = checked_name(new_name)
    with store.writing() as change:
        number = person_number(store, person)
        if store.read("SELECT 1 FROM persons WHERE name = ? AND number != ?", new_name, number):
            raise UserError(f"{store.label} has a person {new_name!r} already; lrfr gallery merge makes one of two.")
        change.run("UPDATE persons SET name = ? WHERE number = ?", new_name, number)
        change.touch(number)
        note_change(change, "rename", person_id(store, number), who=who)


def merge(store: Store, person: str, into: str, who: str | None = None) -> None:
    """Makes two persons one: the references of `person` become those of `into`, whose name stays.

    Raises:
        UserError: nobody has one of the names, or they are one person.
    """
    with store.writing() as change:
        number, target = person_number(store, person), person_number(store, into)
        if number == target:
            raise UserError(f"{person!r} cannot be merged into itself.")
        id, target_id = person_id(store, number), person_id(store, target)
        change.run("UPDATE reference SET person = ? WHERE person = ?", target, number)
        change.run(f"{JUDGED_ANEW} WHERE person = ? AND by_hand = 0", target)
        remove_person(change, number, id, target_id)
        note_change(change, "merge", id, who=who)
        note_change(change, "merge", target_id, who=who)
        after_change(change, target)


def move(store: Store, references: Sequence[str], into: str, who: str | None = None) -> None:
    """Gives references, by their ids, to another person, who is enrolled if nobody has the name.

    A person whose last reference goes stays, without one in force.

    Raises:
        UserError: there is no such reference, or the name is none.
    """
    name = checked_name(into)
    with store.writing() as change:
        _move(change, references, find_or_add_person(change, name), "move", who=who)


def split(store: Store, person: str, references: Sequence[str], new_name: str, *, who: str | None = None) -> None:
    """Makes one person two: the references with these ids become a new person's.

    Raises:
        UserError: nobody has this name, somebody has the new one, a reference is not the person's, or none would stay.
    """
    name = checked_name(new_name)
    with store.writing() as change:
        number = person_number(store, person)
        if store.read("SELECT 1 FROM persons WHERE name = ?", name):
            raise UserError(f"{store.label} has a person {name!r} already; lrfr gallery move gives references to it.")
        own = {id for (id,) in store.read("SELECT id FROM reference WHERE person = ?", number)}
        foreign = sorted(set(references) - own)
        if foreign:
            raise UserError(f"{person!r} has no reference {foreign[0]!r}; lrfr gallery show lists them.")
        if not references or own == set(references):
            raise UserError(f"Some references of {person!r} must go and some must stay, or it is no split.")
        _move(change, references, find_or_add_person(change, name), "split", who=who)


def set_aside(store: Store, reference: str, reason: str = BY_HAND, who: str | None = None) -> None:
    """Takes a reference, by its id, out of the template; it is kept.

    Raises:
        UserError: there is no such reference.
    """
    with store.writing() as change:
        number, person = reference_number(store, reference)
        if reason.startswith(EXPIRED):
            reason = f"{BY_HAND}: {reason}"  # or another last day would bring it back
        set_state(change, number, SET_ASIDE, reason, by_hand=True)
        change.touch(person)
        note_change(change, "set_aside", person_id(store, person), reference, who=who)


def restore(store: Store, reference: str, who: str | None = None) -> bool:
    """Puts a reference back in force; no rule sets it aside again, and an end date that has passed is taken off.

    Returns:
        Whether it is in force now; False where the person has passed the last day.

    Raises:
        UserError: there is no such reference.
    """
    with store.writing() as change:
        number, person = reference_number(store, reference)
        set_state(change, number, ACTIVE, None, by_hand=True)
        change.run("UPDATE reference SET expires = NULL WHERE number = ? AND expires < ?", number, last_day.today())
        change.touch(person)
        note_change(change, "restore", person_id(store, person), reference, who=who)
        in_force = last_day.in_force(last_day.today())
        ((is_in_force,),) = store.read(
            f"SELECT {in_force} FROM reference r JOIN persons p ON p.number = r.person WHERE r.number = ?", number
        )
    return bool(is_in_force)


def set_end(
    store: Store, day: str | None, who: str | None = None, *, person: str | None = None, reference: str | None = None
) -> list[str]:
    """Sets the last day, as "2027-01-31", on which a person or a reference is in force; None: no end.

    What was set aside because an earlier last day had passed comes back in force, if none has passed now.

    Returns:
        The ids of the references that came back.

    Raises:
        UserError: not one of the two is given, it is not known, or the day is none.
    """
    day = last_day.checked_day(day)
    if (person is None) == (reference is None):
        raise UserError("An end date is that of one person or of one reference.")
    with store.writing() as change:
        if person is not None:
            number = person_number(store, person)
            change.run("UPDATE persons SET expires = ? WHERE number = ?", day, number)
        else:
            row, number = reference_number(store, str(reference))
            change.run("UPDATE reference SET expires = ? WHERE number = ?", day, row)
        note_change(change, "expire", person_id(store, number), reference, who=who)
        return _bring_back(change, number, who)


def expire(store: Store, who: str | None = None) -> list[tuple[str, str, str]]:
    """Sets aside what has passed its last day: (person, id of the reference, the day) each.

    Nothing that has passed it is in force, whether this was called or not.

    Raises:
        UserError: the gallery cannot be written.
    """
    with store.writing() as change:
        rows = change.run(
            "SELECT r.number, r.person, p.name, r.id, "
            "MIN(COALESCE(p.expires, r.expires), COALESCE(r.expires, p.expires)) AS day "
            "FROM reference r JOIN persons p ON p.number = r.person WHERE r.state = 'active' AND day < ? "
            "ORDER BY r.number",
            last_day.today(),
        ).fetchall()
        for number, person, _, id, day in rows:
            change.run(
                "UPDATE reference SET state = ?, reason = ? WHERE number = ?", SET_ASIDE, f"{EXPIRED}{day}.", number
            )
            change.touch(person)
            note_change(change, "expire", person_id(store, person), id, who=who)
    return [(name, id, day) for _, _, name, id, day in rows]


def _bring_back(change: Change, person: int, who: str | None) -> list[str]:
    rows = change.run(
        f"SELECT r.number, r.id FROM reference r JOIN persons p ON p.number = r.person "
        f"WHERE r.person = ? AND r.state = ? AND r.reason GLOB '{EXPIRED}*' "
        f"AND {last_day.may_be_in_force(last_day.today())} ORDER BY r.number",
        person,
        SET_ASIDE,
    ).fetchall()
    for number, id in rows:
        change.run("UPDATE reference SET state = ?, reason = NULL WHERE number = ?", ACTIVE, number)
        note_change(change, "restore", person_id(change.store, person), id, who=who)
    after_change(change, person)
    return [id for _, id in rows]


def check_embeddings(change: Change, embeddings: Sequence[np.ndarray]) -> None:
    """Looks whether embeddings may be enrolled; the first ones decide how many numbers an embedding has.

    Raises:
        ValueError: an embedding is not float [D] of unit length.
    """
    dimensions = int(change.store.fact("dimensions") or 0)
    for embedding in embeddings:
        if np.ndim(embedding) != 1 or len(embedding) != (dimensions or len(embedding)):
            raise ValueError(
                f"An embedding of this gallery is float32 [{dimensions}], not {list(np.shape(embedding))}."
            )
        if not abs(float(np.linalg.norm(embedding)) - 1) < 1e-2:  # NaN neither
            raise ValueError("An embedding must have unit length.")
    if embeddings and not dimensions:
        change.set_fact("dimensions", len(embeddings[0]))


def after_change(change: Change, person: int) -> None:
    """What holds whenever the references of a person changed."""
    own_id = person_id(change.store, person)
    for id, _ in set_aside_odd_ones(change, person):
        note_change(change, "set_aside", own_id, id)  # a rule did, and nobody asked for it
    change.touch(person)


def judge_everybody_anew(change: Change) -> None:
    """Sets references aside by the rule as if all were new: their embeddings are others. What a human decided stays."""
    change.run(f"{JUDGED_ANEW} WHERE state = ? AND by_hand = 0 AND reason NOT GLOB '{EXPIRED}*'", SET_ASIDE)
    judged = "SELECT person FROM reference WHERE state = ? GROUP BY person HAVING COUNT(*) >= ?"
    for (person,) in change.run(judged, ACTIVE, FEWEST).fetchall():
        after_change(change, person)


def _move(change: Change, references: Sequence[str], target: int, what: str, *, who: str | None) -> None:
    persons = {target}
    for id in references:
        number, person = reference_number(change.store, id)
        persons.add(person)
        change.run("UPDATE reference SET person = ? WHERE number = ?", target, number)
        change.run(f"{JUDGED_ANEW} WHERE number = ? AND by_hand = 0", number)
        note_change(change, what, person_id(change.store, target), id, who=who)
    for person in persons:
        after_change(change, person)
