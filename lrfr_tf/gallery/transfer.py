"""Taking people along: an archive of them with checksums, and back; copies of the file while it is in use."""

import contextlib
import dataclasses
import functools
import hashlib
import json
import sqlite3
import zipfile
from collections.abc import Iterator
from pathlib import Path

from lrfr_tf.errors import UserError
from lrfr_tf.files import atomic_file
from lrfr_tf.gallery import damage
from lrfr_tf.gallery.archive import (
    EMBEDDINGS,
    MALFORMED,
    MANIFEST,
    PEOPLE,
    PICTURES,
    SCHEMA,
    Archive,
    as_npy,
    opened_archive,
    reference_as_json,
)
from lrfr_tf.gallery.audit import note_change
from lrfr_tf.gallery.change import Change
from lrfr_tf.gallery.edit import after_change, check_embeddings
from lrfr_tf.gallery.embedder import EmbedderIdentity
from lrfr_tf.gallery.forget import CLEANING_DUE, Copy, clean, note_copy, note_gone, remove_person
from lrfr_tf.gallery.kept_file import is_gallery_file
from lrfr_tf.gallery.new_file import random_id
from lrfr_tf.gallery.output import check_output
from lrfr_tf.gallery.person_name import is_name
from lrfr_tf.gallery.references import (
    add_reference,
    find_or_add_person,
    read_persons,
    read_picture,
    read_references,
)
from lrfr_tf.gallery.store import Store, now
from lrfr_tf.gallery.store_error import GO_BACK


@dataclasses.dataclass(frozen=True)
class Imported:
    """What an import did.

    Attributes:
        persons: new ones.
        references: new ones.
        kept_out: persons who are in the archive and were forgotten here.
        forgotten: persons who were here and were forgotten where the archive is from.
    """

    persons: int
    references: int
    kept_out: int
    forgotten: int


def export(store: Store, path: Path, *, overwrite: bool = False, who: str | None = None) -> Copy:
    """Writes everything as a zip, whole or not at all; only its owner may read it.

    Args:
        overwrite: whether an older file of this name is replaced.
        who: asks for it; the audit has it.

    Raises:
        UserError: there is such a file, the file or the gallery cannot be written, or the gallery is damaged.
    """
    check_output(path, overwrite)
    store.refuse_damage()  # no copy of it is made: it would take the place of a good one
    with atomic_file(path, private=True, replaces=overwrite) as temporary:
        with store.transaction():
            references = read_references(store)
            persons = read_persons(store)
            copy = Copy(random_id(), now(), "export", len(persons))
            people = {
                "persons": [
                    {"id": one.id, "name": one.name, "created": one.created, "expires": one.expires} for one in persons
                ],
                "references": [reference_as_json(one) for one in references],
                "gone": [
                    {"id": id, "merged_into": into, "day": day}
                    for id, into, day in store.read("SELECT id, merged_into, day FROM gone")
                ],
            }
            with zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
                sums: dict[str, str] = {}
                _add(archive, sums, PEOPLE, json.dumps(people, ensure_ascii=False, indent=1).encode())
                _add(archive, sums, EMBEDDINGS, as_npy(references))
                for one in references:
                    picture = read_picture(store, one.id)
                    if picture is not None:
                        _add(archive, sums, PICTURES + one.id, picture)
                manifest = {
                    "schema": SCHEMA,
                    "id": copy.id,
                    "at": copy.at,
                    "gallery": store.fact("id"),
                    "embedder": EmbedderIdentity.of_store(store).as_facts(),
                    "purpose": store.fact("purpose"),
                    "legal_basis": store.fact("legal_basis"),
                    "sha256": sums,
                }
                archive.writestr(MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=1))
        note_copy(store, copy, who=who)  # before it has its name: a copy that nobody knows of must not be
    return copy


def backup(store: Store, path: Path, *, overwrite: bool = False, who: str | None = None) -> Copy:
    """Copies the database as it is at this moment, while others use it; only its owner may read it.

    Args:
        overwrite: whether an older file of this name is replaced.
        who: asks for it; the audit has it.

    Raises:
        UserError: there is such a file, or it cannot be written.
    """
    if store.path is None:
        raise UserError("A gallery in memory has no file to back up; export it.")
    check_output(path, overwrite, gallery=store.path)
    store.refuse_damage()  # no copy of it is made: it would take the place of a good one
    copy = Copy(random_id(), now(), "backup", len(read_persons(store)))
    with atomic_file(path, private=True, replaces=overwrite) as temporary, store.lock:
        try:
            target = sqlite3.connect(temporary)
            try:
                store.connection.backup(target)
                target.execute("PRAGMA journal_mode = DELETE")  # one file; opening it as a gallery is no rewrite
                target.execute("PRAGMA journal_mode = WAL")
            finally:
                target.close()
        except sqlite3.Error as error:
            raise UserError(f"{path} cannot be written: {error}.") from None
        finally:
            for ending in ("-wal", "-shm", "-journal"):
                temporary.with_name(temporary.name + ending).unlink(missing_ok=True)
        note_copy(store, copy, who=who)  # before it has its name: a copy that nobody knows of must not be
    return copy


def import_from(store: Store, path: Path, who: str | None = None) -> Imported:
    """Takes over an archive or a backup: all of it or nothing.

    Persons and references are known by their ids, so that importing twice changes nothing the second time. `who` asks
    for it; the audit has it.

    Raises:
        UserError: it is neither, is damaged, holds embeddings of another network, or a name is another person's here.
    """
    if not path.is_file():
        raise UserError(f"{path} is {'a folder, and no export' if path.is_dir() else 'missing'}.")
    with _opened_gallery(path) if is_gallery_file(path) else opened_archive(path) as archive:
        EmbedderIdentity.of_store(store).check_same(archive.identity, store.label)
        with store.writing() as change:
            imported = _take_over(change, archive, path, who)
    if store.fact(CLEANING_DUE):
        clean(store)
    return imported


@contextlib.contextmanager
def _opened_gallery(path: Path) -> Iterator[Archive]:
    """What another gallery holds, of one moment; its pictures are read when they are asked for."""
    other = Store(path)
    try:
        other.refuse_damage()
        with other.transaction():
            yield Archive(
                EmbedderIdentity.of_store(other),
                [dataclasses.asdict(one) for one in read_persons(other)],
                read_references(other),
                [{"id": id, "merged_into": into} for id, into in other.read("SELECT id, merged_into FROM gone")],
                functools.partial(read_picture, other),
            )
    finally:
        other.close()


def _take_over(change: Change, archive: Archive, path: Path, who: str | None) -> Imported:
    """Adds what an archive holds, if it is what a gallery may hold: anybody may have written it."""
    (rows,) = change.store.read("SELECT (SELECT MAX(number) FROM persons), (SELECT MAX(number) FROM reference)")
    last_person, last_reference = (row or 0 for row in rows)
    try:
        for person in archive.persons:
            if not is_name(person["name"]):
                raise ValueError(f"{person['name']!r} is no name")
        check_embeddings(change, [one.embedding for one in archive.references])
        imported = _added(change, archive, who)
    except (sqlite3.IntegrityError, sqlite3.InterfaceError, sqlite3.ProgrammingError, *MALFORMED) as error:
        raise UserError(f"{path} holds what no gallery does ({error}); nothing was imported.") from None
    for table, where in (
        ("persons", f"number > {last_person}"),
        ("reference", f"number > {last_reference}"),
        ("picture", f"reference > {last_reference}"),
        ("gone", f"changed = {change.number}"),
    ):
        if change.store.read(f"SELECT 1 FROM {table} WHERE {where} AND {damage.is_faulty(table, table)} LIMIT 1"):
            raise UserError(f"{path} holds what no gallery does (in {table}); nothing was imported.")
    return imported


def _added(change: Change, archive: Archive, who: str | None) -> Imported:
    store = change.store
    forgotten = _forget_who_is_gone(change, archive, who)
    targets: dict[str, int | None] = {}  # name in the archive -> row here; None: forgotten
    new = kept_out = 0
    for person in archive.persons:
        id: str | None = _now_known_as(store, person["id"])
        if id is None:
            targets[person["name"]] = None
            kept_out += 1
            continue
        rows = store.read("SELECT number FROM persons WHERE id = ?", id)
        if not rows:
            if store.read("SELECT 1 FROM persons WHERE name = ?", person["name"]):
                raise UserError(
                    f"{store.label} has another person called {person['name']!r}; nothing was imported, rename one of "
                    "them."
                )
            number = find_or_add_person(change, person["name"], id, person["created"])
            change.run("UPDATE persons SET expires = ? WHERE number = ?", person["expires"], number)
            new += 1
        else:
            number = rows[0][0]
        targets[person["name"]] = number
    added = 0
    known_before, joined = {number for (number,) in store.read("SELECT DISTINCT person FROM reference")}, set()
    for reference in archive.references:
        target = targets[reference.person]
        known = "SELECT 1 FROM reference WHERE id = ? UNION SELECT 1 FROM gone WHERE id = ?"
        if target is not None and not store.read(known, reference.id, reference.id):
            add_reference(change, target, dataclasses.replace(reference, picture=archive.picture(reference.id)))
            added += 1
            joined.add(target)
    for number in sorted(joined & known_before):  # who is new was judged where the archive is from
        after_change(change, number)
    note_change(change, "import", who=who)
    return Imported(new, added, kept_out, forgotten)


def _forget_who_is_gone(change: Change, archive: Archive, who: str | None) -> int:
    """Takes over the ids of who was forgotten or merged where the archive is from; how many are forgotten here."""
    store = change.store
    forgotten = 0
    for gone in archive.gone:
        rows = store.read("SELECT number FROM persons WHERE id = ?", gone["id"])
        if rows and gone["merged_into"] is None:
            note_change(change, "forget", gone["id"], who=who)
            remove_person(change, rows[0][0], gone["id"])
            forgotten += 1
            change.set_fact(CLEANING_DUE, 1)
        for reference, person in store.read("SELECT number, person FROM reference WHERE id = ?", gone["id"]):
            change.run("DELETE FROM reference WHERE number = ?", reference)
            change.touch(person)
            change.set_fact(CLEANING_DUE, 1)
        if not store.read("SELECT 1 FROM gone WHERE id = ?", gone["id"]) and not rows:
            note_gone(change, gone["id"], None, gone["merged_into"])
    return forgotten


def _now_known_as(store: Store, id: str) -> str | None:
    """The id of whom a person was merged into, here; the own one; or None for somebody who was forgotten."""
    passed: set[str] = set()
    while id not in passed:
        rows = store.read("SELECT merged_into FROM gone WHERE id = ?", id)
        if not rows:
            return id
        if rows[0][0] is None:
            return None
        passed.add(id)
        id = rows[0][0]
    raise UserError(f"{store.label} is damaged, persons were merged in a circle; {GO_BACK}.")


def _add(archive: zipfile.ZipFile, sums: dict[str, str], name: str, data: bytes) -> None:
    archive.writestr(name, data)
    sums[name] = hashlib.sha256(data).hexdigest()
