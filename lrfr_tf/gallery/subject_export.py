"""Everything that is stored about one person, to be handed out."""

import json
import zipfile
from pathlib import Path

from lrfr_tf.files import atomic_file
from lrfr_tf.gallery.archive import reference_as_json
from lrfr_tf.gallery.audit import read_audit
from lrfr_tf.gallery.forget import Copy, note_copy
from lrfr_tf.gallery.new_file import random_id
from lrfr_tf.gallery.output import check_output
from lrfr_tf.gallery.references import person_id, person_number, read_picture, read_references
from lrfr_tf.gallery.store import Store, now

ENDINGS = {b"\x89PNG": "png"}
ABOUT = "about.json"


def subject_export(store: Store, person: str, path: Path, *, overwrite: bool = False, who: str | None = None) -> Copy:
    """Writes a zip with about.json (what the gallery is for, the person, references with their embeddings, audit rows,
    copies that were made) and the stored pictures, whole or not at all; only its owner may read it.

    Args:
        overwrite: whether an older file of this name is replaced.
        who: asks for it; the audit has it.

    Raises:
        UserError: nobody has this name, there is such a file, or the file or the gallery cannot be written.
    """
    check_output(path, overwrite)
    audit = read_audit(store, person_id(store, person_number(store, person)))
    with atomic_file(path, private=True, replaces=overwrite) as temporary:
        with store.transaction():
            number = person_number(store, person)
            ((id, name, created, expires),) = store.read(
                "SELECT id, name, created, expires FROM persons WHERE number = ?", number
            )
            references = read_references(store, person)
            copy = Copy(random_id(), now(), "subject_export", 1)
            about = {
                "gallery": {fact: store.fact(fact) for fact in ("purpose", "legal_basis", "embedder", "audit_days")},
                "person": {"id": id, "name": name, "created": created, "expires": expires},
                "references": [
                    {**reference_as_json(one), "embedding": [round(float(value), 6) for value in one.embedding]}
                    for one in references
                ],
                "audit": [row.as_json() for row in audit],
                "copies": [
                    {"id": other, "at": at, "kind": kind}
                    for other, at, kind in store.read(
                        "SELECT id, at, kind FROM copies WHERE at >= ? AND kind != 'subject_export'", created
                    )
                ],
            }
            with zipfile.ZipFile(temporary, "w") as archive:
                archive.writestr(ABOUT, json.dumps(about, ensure_ascii=False, indent=1))
                for one in references:
                    picture = read_picture(store, one.id)
                    if picture is not None:
                        archive.writestr(f"pictures/{one.id}.{ENDINGS.get(picture[:4], 'jpg')}", picture)
        # Before it has its name: a copy that nobody knows of must not be.
        note_copy(store, copy, [id, *(one.id for one in references)], person=id, who=who)
    return copy
