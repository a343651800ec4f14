"""Photos -> who is in them: detect, align or cut out, super-resolve what is very small, embed, decide.

Every stage is compiled once for all sizes and sees batches of a few fixed numbers only (see `face_crops`), so after
the first calls nothing is traced or set up again.
"""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from lrfr_tf.errors import UserError
from lrfr_tf.faces.detect import FaceDetector
from lrfr_tf.images.resize import resize
from lrfr_tf.networks.embedding import EMBEDDERS, Embedder, ExportedEmbedder
from lrfr_tf.networks.exported_classifier import ExportedClassifier, load_exported_classifier
from lrfr_tf.networks.made_up_faces import made_up_faces
from lrfr_tf.networks.saved_model import find_version
from lrfr_tf.networks.super_resolution import SuperResolver
from lrfr_tf.recognition.calibration import DecisionRule, Strangers, Threshold, read_calibration
from lrfr_tf.recognition.face_crops import BUCKETS, FaceCutter, FoundFace, in_buckets
from lrfr_tf.recognition.gallery import Match, enroll
from lrfr_tf.sources.image_source import open_source

KNOWN, UNKNOWN = "known", "unknown"
# A head that gives probabilities knows nobody but its own classes. Half says that one name is likelier than all the
# others together; it does not say how often a stranger reaches it.
LEAST_PROBABILITY = 0.5
# Photos of a gallery show their person, so a face may be less certain there.
GALLERY_THRESHOLDS = (0.6, 0.7, 0.8)


@dataclasses.dataclass(frozen=True)
class Face:
    """One face and whose it is.

    Attributes:
        box: (x1, y1, x2, y2) in pixels of the photo.
        landmarks: (x, y) of the left eye, right eye, nose, left and right corner of the mouth; None if no detector ran.
        detection_score: 0 to 1; None if no detector ran.
        names: the best names with their scores, best first.
        threshold: the score from which on the best one is given, and what that promises.
    """

    box: tuple[float, float, float, float]
    landmarks: tuple[tuple[float, float], ...] | None
    detection_score: float | None
    names: tuple[Match, ...]
    threshold: Threshold

    @property
    def decision(self) -> str:
        """ "known" or "unknown"."""
        return KNOWN if self.threshold.reached_by(self.score) else UNKNOWN

    @property
    def name(self) -> str | None:
        """The best name; None unless the face is known."""
        return self.names[0].name if self.decision == KNOWN else None

    @property
    def score(self) -> float:
        """Of the best name, given or not: the cosine in [-1, 1] with a gallery, or a head's probability."""
        return self.names[0].score


class Matcher(Protocol):
    """Faces as they were cut out -> names with scores, best first: a `PeopleGallery` or `ClassifierNames`."""

    def match(self, faces: Sequence[np.ndarray]) -> list[list[Match]]: ...


class ClassifierNames:
    """Names out of an exported classifier, faces in batches of fixed numbers."""

    def __init__(self, classifier: ExportedClassifier) -> None:
        self.classifier = classifier

    def match(self, faces: Sequence[np.ndarray]) -> list[list[Match]]:
        """The best names of each face, uint8 [h, w, 3], best first."""
        return in_buckets(self._match_batch, faces)

    def _match_batch(self, faces: np.ndarray) -> list[list[Match]]:
        answers = zip(*(array.tolist() for array in self.classifier.identify(faces)), strict=True)
        return [[Match(name, score) for name, score in zip(*answer, strict=True)] for answer in answers]


class Recognizer:
    """Says who is in photos.

    Args:
        cutter: finds the faces and cuts them out as the matcher wants them.
        matcher: names them.
        threshold: from which score on a name is given.

    It holds no state between calls, so threads may share it.
    """

    def __init__(self, cutter: FaceCutter, matcher: Matcher, threshold: Threshold) -> None:
        self.cutter = cutter
        self.matcher = matcher
        self.threshold = threshold

    def identify(self, images: Sequence[np.ndarray]) -> list[list[Face]]:
        """Finds and names the faces of each photo.

        Args:
            images: uint8 RGB [H, W, 3] each, of any sizes.

        Returns:
            For each photo its faces, most confidently detected first; none where no face is found.

        Raises:
            ValueError: an image is not uint8 [H, W, 3] or has no pixels.
        """
        found = self.cutter.find(images)
        named = iter(self._named([face for faces in found for face in faces]))
        return [[next(named) for _ in faces] for faces in found]

    def identify_crops(self, faces: Sequence[np.ndarray]) -> list[Face]:
        """Names faces that are cut out already, as they were when the network was trained; no detector runs.

        Args:
            faces: uint8 RGB [H, W, 3] each, of any sizes.

        Raises:
            ValueError: a face is not uint8 [H, W, 3] or has no pixels.
        """
        return self._named(self.cutter.take(faces))

    def warm_up(self) -> None:
        """Calls every stage with every number of faces that it can be given, so that no later call has to wait."""
        side = self.cutter.size
        photo = np.full((2 * side, 2 * side, 3), 127, np.uint8)
        face = made_up_faces(1, side)[0]
        photo[side // 2 : side // 2 + side, side // 2 : side // 2 + side] = face
        self.identify([photo])
        for bucket in BUCKETS:
            self.identify_crops([face] * bucket)
            if self.cutter.super_resolver is not None:
                self.identify_crops([resize(face, 16, 16)] * bucket)

    def _named(self, faces: Sequence[FoundFace]) -> list[Face]:
        matches = self.matcher.match([face.pixels for face in faces])
        return [
            Face(
                face.box,
                None if face.landmarks is None else tuple((float(x), float(y)) for x, y in face.landmarks),
                face.detection_score,
                tuple(names),
                self.threshold,
            )
            for face, names in zip(faces, matches, strict=True)
        ]


def recognizer_of_classifier(
    model: str, detector: FaceDetector, rule: DecisionRule | None = None, cut: str | None = None
) -> Recognizer:
    """A recognizer with the names of an exported classifier.

    One that compares with templates takes its threshold from the calibration beside it. One that gives probabilities
    cannot tell strangers: it names nobody, unless it was exported as a closed set.

    Args:
        model: the export (`saved_models/people/1`, or `saved_models/people` for its newest version).
        rule: what a name must keep; None: an FPIR of 1 %.
        cut: how faces are cut out, one of `face_crops.CUTS`; None: as the parts of the export were trained.

    Raises:
        UserError: `model` is no such export, a file of it was changed, or a threshold must be given.
    """
    rule = rule or DecisionRule()
    classifier = load_exported_classifier(Path(model))
    if classifier.parts["head"] != "cosine":
        threshold = Threshold(None, "none")
        if classifier.closed_set:
            threshold = Threshold(LEAST_PROBABILITY if rule.threshold is None else rule.threshold, "closed_set")
    else:
        version = find_version(Path(model))
        assert version is not None
        strangers = None if rule.threshold is not None else read_calibration(version, classifier.checksum)
        if strangers is None and rule.threshold is None:
            raise UserError(
                f"{model} compares with templates and has no calibration.json: export it anew with a calibrated "
                "--embedder (tools/calibrate.py), or give --threshold (a cosine)."
            )
        threshold = rule.threshold_for(strangers, classifier.parts["classes"])
    cutter = FaceCutter(detector, cut or classifier.cut, template=classifier.template, size=classifier.aligned_size)
    return Recognizer(cutter, ClassifierNames(classifier), threshold)


def recognizer_of_gallery(
    embedder: Embedder,
    gallery: Path,
    detector: FaceDetector,
    rule: DecisionRule | None = None,
    strangers: Strangers | None = None,
    cut: str | None = None,
    super_resolver: SuperResolver | None = None,
    note: Callable[[str], None] = print,
) -> Recognizer:
    """A recognizer with the names of a folder of photos, <person>/<photo>, whose faces are embedded once.

    Args:
        gallery: the folder, or a zip of it.
        rule: what a name must keep; None: an FPIR of 1 %.
        strangers: the calibration of the embedder, unless the rule names the threshold itself.
        cut: how faces are cut out, one of `face_crops.CUTS`; None: aligned, but FaceNet's at their box.
        super_resolver: enlarges very small faces before they are embedded (see FaceCutter).
        note: see `enroll`.

    Raises:
        UserError: the gallery cannot be used, or a threshold must be given.
    """
    rule = rule or DecisionRule()
    if rule.threshold is None and super_resolver is not None:
        raise UserError(
            f"Nobody has calibrated {embedder.name} behind {super_resolver.name}, so --threshold must be given (a "
            "cosine between -1 and 1)."
        )
    if rule.threshold is None and strangers is None:
        raise UserError(
            f"{embedder.name} has no calibration: make one of your own people with tools/calibrate.py --model=EXPORT "
            "--people=FOLDER (tools/export_saved_model.py makes an export), or give --threshold (a cosine between -1 "
            "and 1)."
        )
    size, own_cut = faces_wanted_by(embedder)
    cut = cut or own_cut
    how = (cut, super_resolver, embedder.template, embedder.aligned_size)
    enroller = FaceCutter(FaceDetector(GALLERY_THRESHOLDS), *how)
    people = enroll(open_source(gallery), embedder, size, enroller, note)
    threshold = rule.threshold_for(strangers, len(people.names))
    return Recognizer(FaceCutter(detector, *how), people, threshold)


def faces_wanted_by(embedder: Embedder) -> tuple[int | None, str]:
    """The side to which faces are resized for an embedder, None where it does that itself, and the cut it wants."""
    if isinstance(embedder, ExportedEmbedder):
        size, aligned = embedder.record.get("input_size"), embedder.record.get("template") is not None
    else:
        size, aligned = int(embedder.network.input_shape[1]), not embedder.name.startswith(EMBEDDERS)
    return size, "aligned" if aligned else "box"


def calibration_of(model: str, embedder: Embedder) -> Strangers | None:
    """The calibration beside the export that an embedder was loaded from; None where there is none.

    Raises:
        UserError: see `read_calibration`.
    """
    version = find_version(Path(model)) if isinstance(embedder, ExportedEmbedder) else None
    return None if version is None else read_calibration(version, embedder.checksum)
