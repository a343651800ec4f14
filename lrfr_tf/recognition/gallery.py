"""A gallery of people in memory: who they are, and whether a face is one of theirs."""

import dataclasses
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np

from lrfr_tf.data.folders import sorted_names
from lrfr_tf.errors import UserError
from lrfr_tf.faces.choose import ambiguity_note
from lrfr_tf.names import nfc
from lrfr_tf.recognition.calibration import KNOWN, DecisionRule, Threshold
from lrfr_tf.recognition.face_crops import FaceCutter, FoundFace, main_face_among
from lrfr_tf.recognition.recognizer import Face, Recognizer
from lrfr_tf.sources.image_source import FolderSource, ImageSource, images_by_identity, open_source
from lrfr_tf.sources.pictures import in_chunks, read_photos
from lrfr_tf.sources.walk import is_passed_over

NAMES_GIVEN = 5

_logger = logging.getLogger(__name__)


class Candidate(NamedTuple):
    """A name that a face may have, and how well it fits."""

    name: str
    score: float


@dataclasses.dataclass(frozen=True)
class Match:
    """Whose a face is.

    Attributes:
        candidates: the best names with their scores, best first.
        rule: the score from which on the best one is given, and what that promises.
    """

    candidates: tuple[Candidate, ...]
    rule: Threshold

    @property
    def decision(self) -> str:
        """ "known" or "unknown"."""
        return self.rule.decision(self.score)

    @property
    def name(self) -> str | None:
        """The best name; None unless the face is known."""
        return self.candidates[0].name if self.decision == KNOWN else None

    @property
    def score(self) -> float:
        """Of the best name, given or not: the cosine in [-1, 1] with a gallery, or a head's probability."""
        return self.candidates[0].score

    @property
    def threshold(self) -> float | None:
        """The least score for a name; None where no score gives one."""
        return self.rule.score

    @property
    def next_best(self) -> tuple[Candidate, ...]:
        """Whose else it may be, best first: without the name that is given."""
        return self.candidates[self.decision == KNOWN :]


class Gallery:
    """People by the mean embeddings of their photos; a face is compared with each by the cosine.

    A person is the mean of the embeddings of the photos, made unit length again. So a face is compared once with each
    person, however many photos there are, as the calibrated thresholds assume; the best of n photos would reach a
    threshold by chance up to n times as often.

    Args:
        names: the persons.
        embeddings: float32 [persons, D] of unit length.
        threshold: from which score on a name is given.
        embedder: the name of the embedder; faces of another one are refused. Empty: any.
    """

    def __init__(self, names: Sequence[str], embeddings: np.ndarray, threshold: Threshold, embedder: str = "") -> None:
        self.names = list(names)
        self.embeddings = embeddings
        self.threshold = threshold
        self.embedder = embedder

    @classmethod
    def from_folder(
        cls,
        folder: str | os.PathLike[str],
        recognizer: Recognizer,
        *,
        rule: DecisionRule | None = None,
        note: Callable[[str], None] = _logger.warning,
        progress: Callable[[list[str]], Iterable[str]] = iter,
    ) -> Self:
        """Embeds <person>/<photo> once: in each photo the main face (see `lrfr_tf.faces.choose`).

        Args:
            folder: the photos, a folder or a zip of it.
            recognizer: finds and embeds the faces.
            rule: what a name must keep; None: an FPIR of 1 %.
            note: told, in one sentence each, about photos that cannot be read or show no face, and about persons
                without one that does; they are left out. And about photos with another face about as large, which are
                not.
            progress: goes through the names of the persons as they are embedded, such as `tqdm`.

        Raises:
            UserError: there is no photo, none shows a face, or a threshold must be given.
        """
        rule = rule or DecisionRule()
        recognizer.check_rule(rule)
        names, means = enroll(open_source(Path(folder)), recognizer, note, progress)
        threshold = rule.threshold_for(recognizer.strangers, len(names))
        return cls(names, means, threshold, recognizer.embedder.name)

    def identify(self, face: Face) -> Match:
        """Whose a face is.

        Raises:
            UserError: another network embedded the face.
        """
        return self.identify_all([face])[0]

    def identify_all(self, faces: Sequence[Face]) -> list[Match]:
        """Whose each face is; many at once take less time.

        Raises:
            UserError: another network embedded a face.
        """
        if not faces:
            return []
        for face in faces:
            if self.embedder and face.embedder != self.embedder:
                raise UserError(f"The gallery was embedded by {self.embedder}, a face by {face.embedder}.")
        scores = np.stack([face.embedding for face in faces]) @ self.embeddings.T
        best = np.argsort(-scores, axis=1, kind="stable")[:, :NAMES_GIVEN]
        return [
            Match(tuple(Candidate(self.names[person], float(row[person])) for person in persons), self.threshold)
            for row, persons in zip(scores, best, strict=True)
        ]


def enroll(
    source: ImageSource,
    recognizer: Recognizer,
    note: Callable[[str], None],
    progress: Callable[[list[str]], Iterable[str]] = iter,
) -> tuple[list[str], np.ndarray]:
    """The names of people and the mean embedding of each one's photos, float32 [persons, D] of unit length.

    Args:
        source: the photos; see `images_by_identity`.
        note, progress: see `Gallery.from_folder`.

    Raises:
        UserError: there is no photo, or none shows a face.
    """
    photos = images_by_identity(source, note)
    names, means = [], []
    for person in progress(sorted_names([*photos, *_empty_folders(source)])):
        parts = [recognizer.embed(faces) for faces in _faces(source, photos.get(person, []), recognizer.enroller, note)]
        mean = np.concatenate([np.zeros((0, recognizer.embedder.dimensions), np.float32), *parts]).sum(axis=0)
        length = float(np.linalg.norm(mean))
        if not length > 1e-6:  # NaN neither
            note(f"{person} has no photo in the gallery that shows a face, and is left out.")
            continue
        names.append(person)
        means.append(mean / length)
    if not names:
        raise UserError(f"No face was found in any photo of the gallery {source.label('')}.")
    return names, np.stack(means).astype(np.float32)


def _empty_folders(source: ImageSource) -> list[str]:
    """Persons without a single photo."""
    if not isinstance(source, FolderSource):
        return []  # a zip holds files only
    used = {nfc(name.partition("/")[0]) for name in source.names()}
    folders = {nfc(path.name) for path in source.root.iterdir() if path.is_dir()}
    return [name for name in folders if name not in used and not is_passed_over(name)]


def _faces(
    source: ImageSource, names: Sequence[str], cutter: FaceCutter, note: Callable[[str], None]
) -> Iterator[list[FoundFace]]:
    """The faces of one person's photos, some at a time."""
    for chunk in in_chunks(read_photos(source, names)):
        for picture in chunk:
            if picture.error is not None:
                note(picture.error)
        readable = [picture for picture in chunk if picture.pixels is not None]
        found = cutter.find([picture.pixels for picture in readable if picture.pixels is not None])
        taken = []
        for picture, faces in zip(readable, found, strict=True):
            assert picture.pixels is not None
            main, ambiguous = main_face_among(faces, picture.pixels)
            if main is None:
                note(f"{source.label(picture.name)} shows no face, and is left out of the gallery.")
                continue
            taken.append(main)
            if ambiguous:
                note(ambiguity_note(source.label(picture.name)))
        yield taken
