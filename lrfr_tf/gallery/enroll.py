"""Enrolling photos: each is answered by itself, and what was accepted is on the disk before the next is looked at."""

import dataclasses
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lrfr_tf.data.folders import sorted_names
from lrfr_tf.errors import UserError
from lrfr_tf.faces.choose import AMBIGUOUS_HEIGHT, ambiguity_note
from lrfr_tf.gallery import edit, quality
from lrfr_tf.gallery.embedder import EmbedderIdentity
from lrfr_tf.gallery.person_name import checked_name
from lrfr_tf.gallery.photos import EnrollmentFace, empty_folders, faces_of
from lrfr_tf.gallery.references import SET_ASIDE, Reference
from lrfr_tf.gallery.templates import set_aside_of, template_of
from lrfr_tf.sources.image_source import FolderSource, ImageSource, images_by_identity, open_source

if TYPE_CHECKING:
    from lrfr_tf.gallery.gallery import Gallery
    from lrfr_tf.recognition.recognizer import Recognizer

STANDARD = "standard"
_logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Answer:
    """What became of one photo.

    Attributes:
        person: whose it is said to be.
        photo: what its file is called.
        verdict: quality.ACCEPTED, quality.WARNING or quality.REJECTED.
        codes: why, most serious first; none for a photo without fault.
        sentence: the same in words; empty without fault.
        reference: the id of what was stored; None where nothing was.
        set_aside: why it was set aside as soon as it was stored, in one sentence; None: it was not.
        like: whom the sentence names as another person, with the score and the threshold; None: it names nobody.
    """

    person: str
    photo: str
    verdict: str
    codes: tuple[str, ...]
    sentence: str
    reference: str | None = None
    set_aside: str | None = None
    like: tuple[str, float, float] | None = None

    def as_json(self) -> dict[str, Any]:
        """What people see."""
        value = {**dataclasses.asdict(self), "codes": list(self.codes)}
        del value["like"]
        return value


def enroll_photos(gallery: "Gallery", person: str, photos: Sequence[Path], level: str = STANDARD) -> Iterator[Answer]:
    """Enrolls some photos of one person; the answers come one by one, as the photos are done.

    Raises:
        UserError: the name is none, or the gallery cannot be written.
    """
    for photo in photos:
        if photo.is_dir():
            raise UserError(f"{photo} is a folder; photos of {person} are given one by one, by their files.")
        if not photo.is_file():
            raise UserError(f"{photo} cannot be read: No such file or directory.")
    for photo in photos:
        source = FolderSource(photo.parent)
        yield from enroll_from(gallery, checked_name(person), source, [photo.name], level=level)


def enroll_people(
    gallery: "Gallery", source: ImageSource, level: str = STANDARD, note: Callable[[str], None] = _logger.warning
) -> tuple[int, Iterator[Answer]]:
    """Enrolls <person>/<photo>, a folder or a zip: how many photos there are, and the answers as they are done.

    Raises:
        UserError: there is no such photo; while it goes on: the gallery cannot be written.
    """
    photos = images_by_identity(source, note)
    names = {person: checked_name(person) for person in photos}

    def answers() -> Iterator[Answer]:
        for person in sorted_names(photos):
            yield from enroll_from(gallery, names[person], source, photos[person], level=level)

    return sum(map(len, photos.values())), answers()


def enroll_from(
    gallery: "Gallery",
    person: str,
    source: ImageSource,
    photos: Sequence[str],
    *,
    level: str = STANDARD,
    box: Sequence[float] | None = None,
    id: str = "",
) -> Iterator[Answer]:
    """Enrolls photos of one person out of a source, by their names in it; the answers come as the photos are done.

    Args:
        box: (x1, y1, x2, y2) of the face that is meant, in pixels of the one photo; None: the main one.
        id: of the one photo's reference, as `random_id` gives it; empty: it gets one.

    Raises:
        UserError: the name is none, or the gallery cannot be written.
    """
    identity = EmbedderIdentity.of_recognizer(gallery.recognizer)
    for shown in faces_of(source, photos, gallery.recognizer, box=box):
        if shown.face is None or shown.embedding is None or shown.picture is None:
            code = "no_face" if shown.error is None else "unreadable"
            judgement = quality.judge_missing(code, level)
            yield Answer(person, shown.photo, judgement.verdict, judgement.codes, shown.error or judgement.sentence)
            continue
        measured = quality.measure(
            shown.picture.pixels, shown.picture.box, shown.picture.landmarks, shown.face.detection_score
        )
        judgement = quality.judge(measured, _compared(gallery, person, shown), level)
        reference = None
        if judgement.verdict != quality.REJECTED:
            stored = Reference(
                shown.embedding,
                shown.face.height,
                shown.face.detection_score,
                measured.pose,
                measured.blur,
                measured.picture_hash,
                shown.picture.landmarks,
                shown.picture.box,
                shown.source_sha256,
                shown.photo,
                judgement.codes,
                shown.picture.encoded() if gallery.keeps_pictures else None,
                id,
            )
            (reference,) = edit.add(gallery.store, person, [stored], gallery.who, identity=identity)
        yield Answer(
            person,
            shown.photo,
            judgement.verdict,
            judgement.codes,
            judgement.sentence,
            reference,
            None if reference is None else _why_set_aside(gallery, reference),
            _named_in(judgement),
        )


def _why_set_aside(gallery: "Gallery", reference: str) -> str | None:
    rows = gallery.store.read("SELECT reason FROM reference WHERE id = ? AND state = ?", reference, SET_ASIDE)
    return rows[0][0] if rows else None


def _named_in(judgement: quality.Judgement) -> tuple[str, float, float] | None:
    if judgement.codes[:1] != (quality.LIKE_ANOTHER,):
        return None
    figures = judgement.findings[0].figures
    return str(figures["name"]), float(figures["score"]), float(figures["threshold"])


def _compared(gallery: "Gallery", person: str, shown: EnrollmentFace) -> quality.Compared:
    """A face beside those that are enrolled."""
    assert shown.embedding is not None
    assert shown.face is not None
    threshold = gallery.known_threshold()
    others = [one for one in gallery.most_alike(shown.embedding, 2) if one.name != person]
    own = gallery.references(person) if gallery.has_person(person) else []
    active = [one for one in own if one.in_force]
    similarity = least = None
    if active:
        height = min(shown.face.height, max(one.height or quality.SURE_HEIGHT for one in active))
        least = quality.own_least(gallery.recognizer.strangers, height)
        template = template_of(np.stack([one.embedding for one in active]), np.array([one.height for one in active]))
        similarity = float(template @ shown.embedding)
    other, other_similarity = others[0] if others else (None, None)
    return quality.Compared(
        rival=shown.rival,
        same_bytes=any(one.source_sha256 == shown.source_sha256 for one in own),
        hashes=tuple(one.picture_hash for one in own if one.picture_hash is not None),
        own_similarity=similarity,
        other=other,
        other_similarity=other_similarity,
        threshold=None if threshold is None else threshold.score,
        own_least=least,
    )


def embed_people(
    folder: Path,
    recognizer: "Recognizer",
    note: Callable[[str], None],
    progress: Callable[[list[str]], Iterable[str]] = iter,
) -> Iterator[tuple[str, list[Reference]]]:
    """The references of each person of <person>/<photo>, by name, for a gallery in memory; every photo counts.

    Args:
        progress: see `Gallery.from_folder`.
        note: told, in one sentence each, what is left out, and about photos with another face about as large.

    Raises:
        UserError: there is no photo, or a folder's name is no name for a person.
    """
    source = open_source(folder)
    photos = images_by_identity(source, note)
    for person in photos:
        checked_name(person)  # before the work
    for person in progress(sorted_names([*photos, *empty_folders(source)])):
        references = []
        for shown in faces_of(source, photos.get(person, []), recognizer, checksums=False):
            if shown.error is not None:
                note(shown.error)
            elif shown.face is None or shown.embedding is None:
                note(f"{source.label(shown.photo)} shows no face, and is left out of the gallery.")
            else:
                references.append(Reference(shown.embedding, shown.face.height, source_name=shown.photo))
                if shown.rival >= AMBIGUOUS_HEIGHT:
                    note(ambiguity_note(source.label(shown.photo)))
        references = [one for one in references if np.isfinite(one.embedding).all()]
        if not references:
            note(f"{person} has no photo in the gallery that shows a face, and is left out.")
            continue
        for row, reason in set_aside_of(np.stack([one.embedding for one in references])):
            note(f"{source.label(str(references[row].source_name))} is set aside. {reason}")
        yield person, references
