"""Another network for the same people: the stored pictures are embedded anew."""

import dataclasses
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from lrfr_tf.errors import UserError
from lrfr_tf.gallery.audit import note_change
from lrfr_tf.gallery.edit import judge_everybody_anew
from lrfr_tf.gallery.embedder import EmbedderIdentity
from lrfr_tf.gallery.face_pictures import decode_picture
from lrfr_tf.gallery.store import Store
from lrfr_tf.plural import counted

if TYPE_CHECKING:
    from lrfr_tf.gallery.gallery import Gallery
    from lrfr_tf.recognition.recognizer import Recognizer

AT_ONCE = 32
LISTED = 5


@dataclasses.dataclass(frozen=True)
class Migrated:
    """What became of the references.

    Attributes:
        references: how many are embedded anew.
        dropped: how many had no picture and are removed.
        embedder: the network they are embedded with.
    """

    references: int
    dropped: int
    embedder: str


def migrate_gallery(
    gallery: "Gallery",
    model: "str | os.PathLike[str] | Recognizer",
    drop: bool = False,
    progress: Callable[[int], object] = lambda count: None,
) -> Migrated:
    """Embeds every reference with another network, all or nothing.

    Args:
        model: the network, by name or path; or a recognizer that uses it.
        drop: whether references without a picture are removed.
        progress: told how many more are done.

    Raises:
        UserError: there is no such network, a reference has no picture and `drop` is not set, or the gallery cannot be
            written.
    """
    from lrfr_tf.recognition.recognizer import Recognizer

    recognizer = Recognizer(model) if isinstance(model, (str, os.PathLike)) else model
    store = gallery.store
    store.refuse_damage()
    bare = without_picture(store)
    if bare and not drop:
        some = ", ".join(f"{id} of {name}" for id, name in bare[:LISTED]) + (", ..." if len(bare) > LISTED else "")
        raise UserError(
            f"{counted(len(bare), 'reference has', 'references have')} no stored picture ({some}); `drop` removes "
            "them, or enroll their photos anew."
        )
    embeddings: dict[str, np.ndarray] = {}
    while True:
        ids = [id for (id,) in store.read("SELECT r.id FROM reference r JOIN picture ON reference = r.number")]
        missing = [id for id in ids if id not in embeddings]
        for start in range(0, len(missing), AT_ONCE):
            part = missing[start : start + AT_ONCE]
            embeddings.update(zip(part, _embed(gallery, recognizer, part), strict=True))
            progress(len(part))
        with store.writing() as change:
            rows = change.run("SELECT r.id, r.number FROM reference r JOIN picture ON reference = r.number").fetchall()
            if any(id not in embeddings for id, _ in rows):
                continue  # somebody enrolled meanwhile
            for id, number in rows:
                change.run("UPDATE reference SET embedding = ? WHERE number = ?", embeddings[id].tobytes(), number)
            dropped = change.run(
                "DELETE FROM reference WHERE NOT EXISTS (SELECT 1 FROM picture WHERE reference = reference.number)"
            ).rowcount
            change.run("UPDATE persons SET changed = ?", change.number)
            judge_everybody_anew(change)
            identity = EmbedderIdentity.of_recognizer(recognizer)
            for fact, value in identity.as_facts().items():
                change.set_fact(fact, value)
            note_change(change, "migrate", who=gallery.who)
        gallery.use(recognizer)
        return Migrated(len(rows), dropped, identity.embedder)


def without_picture(store: Store) -> list[tuple[str, str]]:
    """References that cannot be embedded anew: (id, person) each."""
    return store.read(
        "SELECT r.id, p.name FROM reference r JOIN persons p ON p.number = r.person "
        "WHERE NOT EXISTS (SELECT 1 FROM picture WHERE reference = r.number) ORDER BY r.number"
    )


def _embed(gallery: "Gallery", recognizer: "Recognizer", ids: list[str]) -> np.ndarray:
    """float32 [n, D] of the stored faces, cut out as the network wants them."""
    from lrfr_tf.recognition.face_crops import FoundFace

    found = []
    for id in ids:
        (row,) = gallery.store.read(
            "SELECT landmarks, box, data FROM reference r JOIN picture ON reference = r.number WHERE id = ?", id
        )
        picture = decode_picture(row[2])
        landmarks = np.frombuffer(row[0], np.float32).reshape(5, 2)
        box = np.frombuffer(row[1], np.float32)
        found.append(
            FoundFace(tuple(box.tolist()), landmarks, None, recognizer.enroller.cut_out(picture, box, landmarks))
        )
    return recognizer.embed(found)
