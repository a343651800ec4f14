"""A gallery of people, in memory or in a file: who they are, and whether a face is one of theirs."""

import dataclasses
import logging
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from lrfr_tf.errors import UserError
from lrfr_tf.gallery import audit
from lrfr_tf.gallery.embedder import EmbedderIdentity
from lrfr_tf.gallery.new_file import random_id
from lrfr_tf.gallery.people import People
from lrfr_tf.gallery.references import Reference, read_ids
from lrfr_tf.gallery.store import Store, now
from lrfr_tf.recognition.calibration import DecisionRule, Strangers, Threshold
from lrfr_tf.recognition.match import Candidate, Match

if TYPE_CHECKING:  # these load TensorFlow
    from lrfr_tf.gallery.enroll import Answer
    from lrfr_tf.recognition.recognizer import Face, Recognizer

NAMES_GIVEN = 5

_logger = logging.getLogger(__name__)


class Gallery(People):
    """People by their reference photos; a face is compared with each person by the cosine.

    A person is one template, the mean of the embeddings of the references in force, made unit length again. So a face
    is compared once with each person, however many photos there are, as the calibrated thresholds assume; the best of n
    photos would reach a threshold by chance up to n times as often.

    `Gallery.open` and `Gallery.create` keep people in a file, `Gallery.from_folder` in memory; all methods work for
    either. Each returns once what it changed is on the disk, and every process that has the file open decides by it
    from then on. Threads may share a gallery; a process opens its own, after a fork.

    Args:
        names: the persons, for a gallery in memory out of ready templates.
        embeddings: float32 [persons, D] of unit length.
        threshold: from which score on a name is given.
        embedder: the name of the embedder; faces of another one are refused. Empty: any.
    """

    def __init__(self, names: Sequence[str], embeddings: np.ndarray, threshold: Threshold, embedder: str = "") -> None:
        identity = EmbedderIdentity("", 0, embedder, "", int(np.shape(embeddings)[-1]))
        self._hold(Store.create(None, identity.as_facts()), None, DecisionRule(), threshold)
        for name, row in zip(names, embeddings, strict=True):
            self.add(name, [Reference(row)])

    def _hold(
        self, store: Store, recognizer: "Recognizer | None", rule: DecisionRule, fixed: Threshold | None = None
    ) -> None:
        People.__init__(self, store)
        self.rule = rule
        self.audits_decisions = False
        self._recognizer = recognizer
        self._fixed_threshold = fixed
        self._threshold: Threshold | None = None  # for so many persons as were in force at the last decision
        self._loading = threading.Lock()

    @classmethod
    def from_folder(
        cls,
        folder: str | os.PathLike[str],
        recognizer: "Recognizer",
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
                without one that does; they are left out. About photos that are hardly the person, which are set aside;
                and about photos with another face about as large, which are not.
            progress: goes through the names of the persons as they are embedded, such as `tqdm`.

        Raises:
            UserError: there is no photo, none shows a face, or a threshold must be given.
        """
        from lrfr_tf.gallery.enroll import embed_people

        rule = rule or DecisionRule()
        recognizer.check_rule(rule)
        gallery = cls.__new__(cls)
        identity = EmbedderIdentity.of_recognizer(recognizer)
        gallery._hold(Store.create(None, identity.as_facts()), recognizer, rule)
        for name, references in embed_people(Path(folder), recognizer, note, progress):
            gallery.add(name, references)
        if not gallery.names:
            raise UserError(f"No face was found in any photo of the gallery {folder}.")
        return gallery

    @classmethod
    def create(
        cls,
        path: str | os.PathLike[str],
        model: "str | os.PathLike[str] | Recognizer" = "siamese",
        *,
        purpose: str = "",
        legal_basis: str = "",
        pictures: bool = True,
        audit_days: int = audit.DEFAULT_DAYS,
        confirmations: int = 1,
        rule: DecisionRule | None = None,
    ) -> Self:
        """Makes a gallery in a file, readable by its owner alone.

        Args:
            path: the file, such as "people.db"; it must not be there.
            model: the network whose embeddings it holds, by name or path; or a recognizer that uses it.
            purpose, legal_basis: what it is for, and what allows that; kept and shown.
            pictures: whether the pixels of enrolled faces are kept, so that another network needs no photos.
            audit_days: how long changes and decisions are kept on record.
            confirmations: of how many persons a decision needs the confirmation.
            rule: what a name must keep; None: an FPIR of 1 %.

        Raises:
            UserError: there is such a file, it cannot be written, there is no such network, or a number is none.
        """
        named = isinstance(model, (str, os.PathLike))
        identity = EmbedderIdentity.of_model(model) if named else EmbedderIdentity.of_recognizer(model)  # type: ignore
        facts: dict[str, Any] = {"id": random_id(), "created": now(), "purpose": purpose, "legal_basis": legal_basis}
        facts |= {"pictures": int(pictures), **audit.settings(audit_days, confirmations), **identity.as_facts()}
        Store.create(path, facts).close()
        return cls.open(path, None if named else model, rule=rule)  # type: ignore[arg-type]

    @classmethod
    def open(
        cls, path: str | os.PathLike[str], recognizer: "Recognizer | None" = None, *, rule: DecisionRule | None = None
    ) -> Self:
        """Opens a gallery's file.

        Args:
            path: the file that `create` made.
            recognizer: finds and embeds faces to enroll; None: the gallery's own network is loaded when it is needed.
            rule: what a name must keep; None: an FPIR of 1 %.

        Raises:
            UserError: the file is missing, damaged, no gallery, or of a newer version; or the recognizer embeds with
                another network.
        """
        gallery = cls.__new__(cls)
        gallery._hold(Store(path), None, rule or DecisionRule())
        if recognizer is not None:
            gallery.use(recognizer)
        return gallery

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def threshold(self) -> Threshold:
        """From which score on a name is given, for so many persons as are in force.

        Raises:
            UserError: there is no calibration, and the rule names no threshold.
        """
        return self._threshold_for(self._in_force.persons())

    def identify(self, face: "Face") -> Match:
        """Whose a face is.

        Raises:
            UserError: another network embedded the face.
        """
        return self.identify_all([face])[0]

    def identify_all(self, faces: "Sequence[Face]", count: int = NAMES_GIVEN, ids: bool = False) -> list[Match]:
        """Whose each face is, by what is in force now: `count` candidates, with their `ids` where they are wanted.

        Raises:
            UserError: another network embedded a face, or there is no threshold.
        """
        if not faces:
            return []
        own = self.embedder
        for face in faces:
            if own and face.embedder != own:
                raise UserError(f"The gallery was embedded by {own}, a face by {face.embedder}.")
        return self.match(np.stack([face.embedding for face in faces]), count, ids)

    def match(self, embeddings: np.ndarray, count: int = NAMES_GIVEN, ids: bool = False) -> list[Match]:
        """Whose each face is, by its embedding, float32 [N, D] of unit length; see `identify_all`.

        Raises:
            UserError: there is no threshold.
        """
        found = self._in_force.find(embeddings, count)
        threshold = self._threshold_for(found.persons)
        matches = [
            Match(tuple(Candidate(name, float(score)) for name, score in zip(names, scores, strict=True)), threshold)
            for names, scores in zip(found.names, found.scores, strict=True)
        ]
        if ids:
            known = read_ids(self.store, {number for numbers in found.numbers for number in numbers})
            persons = [tuple(map(known.get, numbers)) for numbers in found.numbers]
            matches = [dataclasses.replace(one, persons=some) for one, some in zip(matches, persons, strict=True)]
        if self.audits_decisions:
            best = [numbers[0] if numbers else -1 for numbers in found.numbers]
            rows = [(row, one.decision, one.score, one.threshold) for row, one in zip(best, matches, strict=True)]
            numbers = audit.note_decisions(self.store, found.changes, rows, self.who)
            matches = [dataclasses.replace(one, record=number) for one, number in zip(matches, numbers, strict=True)]
        return matches

    def most_alike(self, embedding: np.ndarray, count: int = NAMES_GIVEN) -> list[Candidate]:
        """The persons in force who are most alike a face, float32 [D], best first; named by no threshold."""
        found = self._in_force.find(embedding[None], count)
        return [Candidate(name, float(score)) for name, score in zip(found.names[0], found.scores[0], strict=True)]

    def known_threshold(self) -> Threshold | None:
        """The same; None where there is no calibration."""
        try:
            return self.threshold
        except UserError:
            return None

    def thresholds_at(self, rates: Sequence[float]) -> list[Threshold]:
        """What FPIRs ask for, with so many persons as are in force; none where there is no calibration."""
        strangers, persons = self._strangers(), max(1, self._in_force.persons())
        return [] if strangers is None else [DecisionRule(rate).threshold_for(strangers, persons) for rate in rates]

    @property
    def recognizer(self) -> "Recognizer":
        """Finds faces and embeds them with the gallery's own network, which is loaded when it is first used.

        Raises:
            UserError: the network is missing, or another one lies in its place.
        """
        with self._loading:
            if self._recognizer is None:
                self._recognizer = self.identity.load_recognizer(self.store.label)
            return self._recognizer

    def use(self, recognizer: "Recognizer") -> None:
        """Enrolls and decides with another recognizer from now on.

        Raises:
            UserError: it embeds with another network than the gallery's.
        """
        self.identity.check_same(EmbedderIdentity.of_recognizer(recognizer), self.store.label)
        self._recognizer, self._threshold = recognizer, None

    def enroll(self, person: str, photo: str | os.PathLike[str], level: str = "standard") -> "Answer":
        """Enrolls the face that is meant in a photo.

        Args:
            person: a name; somebody new, or one who is enrolled.
            photo: the path of a file.
            level: what to make of poor photos, one of `lrfr_tf.gallery.quality.LEVELS`.

        Returns:
            Whether it was accepted, and why not.

        Raises:
            UserError: the file is missing, the name is none, or the gallery cannot be written.
        """
        from lrfr_tf.gallery.enroll import enroll_photos

        (answer,) = enroll_photos(self, person, [Path(photo)], level)
        return answer

    def enroll_folder(self, folder: str | os.PathLike[str], level: str = "standard") -> "list[Answer]":
        """Enrolls <person>/<photo>, a folder or a zip; an answer for each photo, of which some may be rejected.

        Raises:
            UserError: there is no such photo, or the gallery cannot be written.
        """
        from lrfr_tf.gallery.enroll import enroll_people
        from lrfr_tf.sources.image_source import open_source

        return list(enroll_people(self, open_source(Path(folder)), level)[1])

    def _strangers(self) -> Strangers | None:
        return self.identity.strangers() if self._recognizer is None else self._recognizer.strangers

    def _threshold_for(self, persons: int) -> Threshold:
        if self._fixed_threshold is not None:
            return self._fixed_threshold
        known = self._threshold
        if known is None or known.persons not in (None, max(1, persons)):
            if self._recognizer is not None:
                self._recognizer.check_rule(self.rule)
            strangers = self._strangers() if self.rule.threshold is None else None
            known = self._threshold = self.rule.threshold_for(strangers, max(1, persons))
        return known
