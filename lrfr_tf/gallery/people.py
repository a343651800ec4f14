"""Everything about enrolled people that needs no network: listing, correcting, forgetting, taking along."""

import copy
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np

from lrfr_tf.data.folders import sorted_names
from lrfr_tf.gallery import edit, transfer
from lrfr_tf.gallery.audit import AuditRow, Confirmation, confirm, drop_old, read_audit
from lrfr_tf.gallery.decide import InForce
from lrfr_tf.gallery.embedder import EmbedderIdentity
from lrfr_tf.gallery.face_pictures import decode_picture
from lrfr_tf.gallery.forget import CLEANING_DUE, Copy, Forgotten, clean
from lrfr_tf.gallery.forget import forget as forget_person
from lrfr_tf.gallery.person_name import checked_name
from lrfr_tf.gallery.references import (
    Person,
    Reference,
    person_id,
    person_number,
    read_persons,
    read_picture,
    read_references,
)
from lrfr_tf.gallery.store import Store
from lrfr_tf.gallery.subject_export import subject_export


class People:
    """The persons of a gallery and their references, in memory or in a file.

    Each method that changes something returns once that is on the disk. Bad input, and a file that is locked,
    read-only, damaged or cannot grow, raises UserError with one sentence, and nothing is changed.

    Attributes:
        who: noted in the audit beside each change and decision; None: not known.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.who: str | None = None
        self._in_force = InForce(store)
        if store.fact(CLEANING_DUE) and not store.read_only:
            clean(store)  # somebody was forgotten and the process ended before all was overwritten
        drop_old(store)

    def acting_as(self, who: str | None) -> Self:
        """The same people, opened once, for what another one changes and decides."""
        other = copy.copy(self)
        other.who = who
        return other

    def close(self) -> None:
        """Closes the file."""
        self.store.close()

    @property
    def identity(self) -> EmbedderIdentity:
        """The network whose embeddings it holds, of this moment: another process may migrate."""
        return EmbedderIdentity.of_store(self.store)

    @property
    def embedder(self) -> str:
        """The name of the network whose embeddings it holds."""
        return self.identity.embedder

    @property
    def keeps_pictures(self) -> bool:
        """Whether the pixels of enrolled faces are stored."""
        return bool(self.store.fact("pictures"))

    @property
    def names(self) -> list[str]:
        """The persons in force, in the order of `embeddings`."""
        return self._in_force.everybody()[0]

    @property
    def embeddings(self) -> np.ndarray:
        """Their templates, float32 [persons, D] of unit length; a copy."""
        return self._in_force.everybody()[1]

    def persons(self) -> list[Person]:
        """Everybody who is enrolled, sorted by name."""
        persons = {person.name: person for person in read_persons(self.store)}
        return [persons[name] for name in sorted_names(persons)]

    def has_person(self, name: str) -> bool:
        """Whether somebody has this name."""
        return bool(self.store.read("SELECT 1 FROM persons WHERE name = ?", checked_name(name)))

    def references(self, person: str | None = None) -> list[Reference]:
        """All references, or those of one person, in the order of enrollment; those that are set aside, too."""
        return read_references(self.store, person)

    def picture(self, reference: str) -> np.ndarray | None:
        """The stored face of a reference, by its id, with what is around it: uint8 [H, W, 3]; None: none is stored."""
        data = read_picture(self.store, reference)
        return None if data is None else decode_picture(data)

    def create_person(self, name: str) -> str:
        """Takes in somebody new, without a reference yet, and returns the person's id."""
        return edit.create_person(self.store, name, self.who)

    def add(self, person: str, references: Sequence[Reference]) -> list[str]:
        """Enrolls references that are embedded already, and returns their ids."""
        return edit.add(self.store, person, references, self.who)

    def rename(self, person: str, new_name: str) -> None:
        """Gives a person another name."""
        edit.rename(self.store, person, new_name, self.who)

    def merge(self, person: str, into: str) -> None:
        """Makes two persons one: the references of `person` become those of `into`."""
        edit.merge(self.store, person, into, self.who)

    def split(self, person: str, references: Sequence[str], new_name: str) -> None:
        """Makes one person two: the references with these ids become a new person's."""
        edit.split(self.store, person, references, new_name, who=self.who)

    def move(self, references: Sequence[str], into: str) -> None:
        """Gives references, by their ids, to another person, who is enrolled if nobody has the name."""
        edit.move(self.store, references, into, self.who)

    def set_aside(self, reference: str, reason: str = edit.BY_HAND) -> None:
        """Takes a reference out of its person's template; it is kept."""
        edit.set_aside(self.store, reference, reason, self.who)

    def restore(self, reference: str) -> bool:
        """Puts a reference back in force; no rule sets it aside again. False: its person has passed the last day."""
        return edit.restore(self.store, reference, self.who)

    def set_end(self, day: str | None, *, person: str | None = None, reference: str | None = None) -> list[str]:
        """Sets the last day ("2027-01-31") on which a person or a reference is in force; None: no end.

        Returns the ids of references that an earlier last day had set aside, and that are in force again.
        """
        return edit.set_end(self.store, day, self.who, person=person, reference=reference)

    def expire(self) -> list[tuple[str, str, str]]:
        """Sets aside what has passed its last day: (person, id of the reference, the day) each."""
        return edit.expire(self.store, self.who)

    def forget(self, person: str, id: str | None = None) -> Forgotten:
        """Removes a person with all data, and overwrites what was there; a random id stays.

        With `id` nobody else is removed who has got the name meanwhile.
        """
        return forget_person(self.store, person, self.who, id)

    def audit(self, person: str | None = None) -> list[AuditRow]:
        """Changes and decisions, oldest first; of one person by name."""
        id = None if person is None else person_id(self.store, person_number(self.store, person))
        return read_audit(self.store, id)

    def confirm(self, decision: int, who: str, agrees: bool = True) -> Confirmation:
        """Notes that a person looked at a decision on record (`Match.record`), and confirms or refutes it."""
        return confirm(self.store, decision, who, agrees)

    def export(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Copy:
        """Writes all persons, references and pictures as a zip with a manifest and checksums."""
        return transfer.export(self.store, Path(path), overwrite=overwrite, who=self.who)

    def subject_export(self, person: str, path: str | os.PathLike[str], *, overwrite: bool = False) -> Copy:
        """Writes everything that is stored about one person as a zip."""
        return subject_export(self.store, person, Path(path), overwrite=overwrite, who=self.who)

    def import_from(self, path: str | os.PathLike[str]) -> transfer.Imported:
        """Takes over what an export or a backup holds; who was forgotten here, or there, stays forgotten."""
        return transfer.import_from(self.store, Path(path), self.who)

    def backup(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Copy:
        """Copies the file while it is in use."""
        return transfer.backup(self.store, Path(path), overwrite=overwrite, who=self.who)
