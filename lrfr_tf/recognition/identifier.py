"""Photos -> who is in them: faces are found, then named by a gallery or by an exported classifier."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from lrfr_tf.faces.detect import FaceDetector
from lrfr_tf.images.resize import resize
from lrfr_tf.networks.exported_classifier import ExportedClassifier, load_exported_classifier
from lrfr_tf.networks.saved_model import find_version
from lrfr_tf.networks.synthetic_faces import synthetic_faces
from lrfr_tf.recognition.calibration import DecisionRule, Threshold
from lrfr_tf.recognition.classifier_threshold import threshold_of_classifier
from lrfr_tf.recognition.face_crops import BUCKETS, FaceCutter, FoundFace, in_buckets
from lrfr_tf.recognition.match import Candidate, Match


@dataclasses.dataclass(frozen=True)
class IdentifiedFace:
    """One face and its match."""

    face: FoundFace
    match: Match


class FaceFinder(Protocol):
    """Photos -> faces, as `FaceCutter` and `Recognizer` find them; a gallery needs those of a recognizer."""

    def find(self, images: Sequence[np.ndarray]) -> Sequence[Sequence[Any]]: ...

    def take(self, faces: Sequence[np.ndarray]) -> Sequence[Any]: ...


class FaceMatcher(Protocol):
    """Faces -> matches: a `Gallery`, or `ClassifierMatcher`."""

    @property
    def threshold(self) -> Threshold: ...

    def identify_all(self, faces: Sequence[Any]) -> list[Match]: ...


class ClassifierMatcher:
    """Names out of an exported classifier, faces in batches of fixed numbers.

    Args:
        threshold: from which score on a name is given.
    """

    def __init__(self, classifier: ExportedClassifier, threshold: Threshold) -> None:
        self.classifier = classifier
        self.threshold = threshold

    def identify_all(self, faces: Sequence[FoundFace]) -> list[Match]:
        """Whose each face is."""
        return in_buckets(self._identify_batch, [face.pixels for face in faces])

    def _identify_batch(self, faces: np.ndarray) -> list[Match]:
        answers = zip(*(array.tolist() for array in self.classifier.identify(faces)), strict=True)
        return [
            Match(tuple(Candidate(name, score) for name, score in zip(*answer, strict=True)), self.threshold)
            for answer in answers
        ]


class Identifier:
    """Says who is in photos.

    Args:
        finder: finds the faces and cuts them out as `names` wants them.
        names: matches them with people.

    It holds no state between calls, so threads may share it. A forked child hangs with it: load it after the fork.
    """

    def __init__(self, finder: FaceFinder, names: FaceMatcher) -> None:
        self.finder = finder
        self.names = names

    @property
    def threshold(self) -> Threshold:
        """From which score on a name is given."""
        return self.names.threshold

    def identify(self, images: Sequence[np.ndarray]) -> list[list[IdentifiedFace]]:
        """Finds and names the faces of each photo.

        Args:
            images: uint8 RGB [H, W, 3] each, of any sizes.

        Returns:
            For each photo its faces, most confidently detected first; none where no face is found.

        Raises:
            ValueError: an image is not uint8 [H, W, 3] or has no pixels.
        """
        found = self.finder.find(images)
        named = iter(self._named([face for faces in found for face in faces]))
        return [[next(named) for _ in faces] for faces in found]

    def identify_crops(self, faces: Sequence[np.ndarray]) -> list[IdentifiedFace]:
        """Names faces that are cut out already, as they were when the network was trained; no detector runs.

        Args:
            faces: uint8 RGB [H, W, 3] each, of any sizes.

        Raises:
            ValueError: a face is not uint8 [H, W, 3] or has no pixels.
        """
        return self._named(self.finder.take(faces))

    def _named(self, faces: Sequence[Any]) -> list[IdentifiedFace]:
        return [IdentifiedFace(*pair) for pair in zip(faces, self.names.identify_all(faces), strict=True)]


def warm_up(identifier: Identifier, cutter: FaceCutter) -> None:
    """Calls every stage with every number of faces that it can be given, so that no later call has to wait."""
    side = cutter.size
    photo = np.full((2 * side, 2 * side, 3), 127, np.uint8)
    face = synthetic_faces(1, side)[0]
    photo[side // 2 : side // 2 + side, side // 2 : side // 2 + side] = face
    identifier.identify([photo])
    for bucket in BUCKETS:
        identifier.identify_crops([face] * bucket)
        if cutter.super_resolver is not None:
            identifier.identify_crops([resize(face, 16, 16)] * bucket)


def identifier_of_classifier(
    model: str, detector: FaceDetector, rule: DecisionRule | None = None, cut: str | None = None
) -> Identifier:
    """Finds faces and gives them the names of an exported classifier.

    One that compares with templates takes its threshold from the calibration beside it. One that gives probabilities
    cannot tell strangers: it names nobody, unless it was exported as a closed set.

    Args:
        model: the export (`saved_models/people/1`, or `saved_models/people` for its newest version).
        rule: what a name must keep; None: an FPIR of 1 %.
        cut: how faces are cut out, one of `face_crops.CROP_KINDS`; None: as the parts of the export were trained.

    Raises:
        UserError: `model` is no such export, a file of it was changed, or a threshold must be given.
    """
    rule = rule or DecisionRule()
    classifier = load_exported_classifier(Path(model))
    version = find_version(Path(model))
    assert version is not None
    threshold = threshold_of_classifier(
        version, classifier.parts, classifier.closed_set, classifier.checksum, rule=rule
    )
    cutter = FaceCutter(detector, cut or classifier.cut, template=classifier.template, size=classifier.aligned_size)
    return Identifier(cutter, ClassifierMatcher(classifier, threshold))
