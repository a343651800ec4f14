"""What is answered about an enrolled photo, in a form without names that can be kept, and as the caller gets it."""

from collections.abc import Mapping
from typing import Any

from lrfr_tf.gallery.enroll import Answer
from lrfr_tf.gallery.gallery import Gallery
from lrfr_tf.gallery.quality import ACCEPTED, WARNING, sentence_about
from lrfr_tf.gallery.references import read_names

SOMEBODY = "another person"  # who was forgotten since


def kept_form(gallery: Gallery, answer: Answer) -> dict[str, Any]:
    """An answer as it may be kept: whoever its sentence names is there by id."""
    kept: dict[str, Any] = {"verdict": answer.verdict, "codes": list(answer.codes), "reference": answer.reference}
    if answer.like is None:
        return {**kept, "sentence": answer.sentence}
    name, score, least = answer.like
    rows = gallery.store.read("SELECT id FROM persons WHERE name = ?", name)
    return {**kept, "like": [rows[0][0] if rows else None, score, least]}


def kept_form_of_stored(gallery: Gallery, reference: str) -> dict[str, Any] | None:
    """The same of a reference whose answer got lost with the process; None: there is no such reference."""
    rows = gallery.store.read("SELECT codes FROM reference WHERE id = ?", reference)
    if not rows:
        return None
    codes = rows[0][0].split()
    sentence = f"It was enrolled with warnings: {', '.join(codes)}." if codes else ""
    return {"verdict": WARNING if codes else ACCEPTED, "codes": codes, "reference": reference, "sentence": sentence}


def still_holds(gallery: Gallery, kept: Mapping[str, Any]) -> bool:
    """Whether what an answer says was enrolled is there, or was forgotten; else the gallery is an older copy."""
    id = kept["reference"]
    known = "SELECT 1 FROM reference WHERE id = ? UNION SELECT 1 FROM gone WHERE id = ?"
    return id is None or bool(gallery.store.read(known, id, id))


def as_answered(gallery: Gallery, kept: Mapping[str, Any], image: int, photo: str) -> dict[str, Any]:
    """What the caller gets about an image, which was called `photo`."""
    sentence = kept.get("sentence")
    if sentence is None:
        id, score, least = kept["like"]
        names = {} if id is None else read_names(gallery.store, [id])
        sentence = sentence_about(names.get(id, SOMEBODY), score, least)
    about = {name: kept[name] for name in ("verdict", "codes", "reference")}
    return {"image": image, "photo": photo, **about, "sentence": sentence}
