"""Photos -> faces with embeddings: detect, align or cut out, super-resolve what is very small, embed.

Every stage is compiled once for all sizes and sees batches of a few fixed numbers only (see `face_crops`), so after
the first calls nothing is traced or set up again.
"""

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lrfr_tf.errors import UserError
from lrfr_tf.faces.detect import FaceDetector
from lrfr_tf.faces.second_look import SecondLookDetector
from lrfr_tf.images.resize import resize
from lrfr_tf.networks.embedding import Embedder, crop_kind_for, load_embedder
from lrfr_tf.networks.saved_model import find_version
from lrfr_tf.networks.super_resolution import SuperResolutionNetwork
from lrfr_tf.recognition.calibration import DecisionRule, Strangers, read_calibration
from lrfr_tf.recognition.face_crops import FaceCutter, FoundFace, in_buckets, main_face_among
from lrfr_tf.sources.photo import Photo, to_pixels

# Photos of a gallery show their person, so a face may be less certain there.
GALLERY_THRESHOLDS = (0.6, 0.7, 0.8)


@dataclasses.dataclass(frozen=True, eq=False)
class Face(FoundFace):
    """One face of a photo, and what a network makes of it.

    Attributes:
        embedding: float32 [D], of unit length.
        embedder: the name of the network; embeddings of two networks cannot be compared.
    """

    embedding: np.ndarray
    embedder: str


class Recognizer:
    """Finds the faces of photos and embeds them.

    >>> recognizer = Recognizer("siamese")
    >>> faces = recognizer.analyze(portrait)
    >>> len(faces), faces[0].embedding.dtype.name, round(float(faces[0].embedding @ faces[0].embedding), 4)
    (1, 'float32', 1.0)

    Args:
        model: a shipped network by its name (`list_models`), a published one ("facenet"), the folder of an export, a
            file of weights, or an embedder that is loaded already.
        cut: how faces are cut out, one of `face_crops.CROP_KINDS`; None: aligned, but FaceNet's at their box.
        super_resolver: enlarges very small faces before they are embedded (see FaceCutter).
        detector: finds the faces; None: MTCNN, faces from 20 pixels on.
        strangers: the calibration of the embedder; None: the one beside the export, if there is one.

    Raises:
        UserError: the network is not known or damaged, or nobody can tell how to align faces for it.

    Attributes:
        model: as it was given; empty for an embedder that was loaded already.

    It holds no state between calls, so threads may share it. Processes may not: TensorFlow's threads do not outlive a
    fork, and a child that was forked after something was computed hangs at its first call. Load it after the fork.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | Embedder = "siamese",
        *,
        cut: str | None = None,
        super_resolver: SuperResolutionNetwork | None = None,
        detector: FaceDetector | None = None,
        strangers: Strangers | None = None,
    ) -> None:
        self.model = os.fspath(model) if isinstance(model, (str, os.PathLike)) else ""
        if isinstance(model, (str, os.PathLike)):
            self.embedder = load_embedder(os.fspath(model))
            strangers = strangers or calibration_of(os.fspath(model), self.embedder)
        else:
            self.embedder = model
        self.strangers = strangers
        cut = cut or crop_kind_for(self.embedder)
        self.cutter = FaceCutter(
            detector or FaceDetector(),
            cut,
            super_resolver=super_resolver,
            template=self.embedder.template,
            size=self.embedder.aligned_size,
        )
        self.enroller = self.cutter.with_detector(SecondLookDetector(GALLERY_THRESHOLDS))

    def analyze(self, photo: Photo) -> list[Face]:
        """The faces of one photo, most confidently detected first; none where no face is found.

        Args:
            photo: the path of a file, a PIL image, or uint8 RGB [H, W, 3].

        Raises:
            UserError: the file cannot be read.
            ValueError: the array is not uint8 [H, W, 3] or has no pixels.
        """
        return self.find([to_pixels(photo)])[0]

    def find(self, images: Sequence[np.ndarray]) -> list[list[Face]]:
        """The faces of each photo, uint8 RGB [H, W, 3] of any sizes; see `analyze`.

        Raises:
            ValueError: an image is not uint8 [H, W, 3] or has no pixels.
        """
        found = self.cutter.find(images)
        faces = iter(self._with_embeddings([face for faces in found for face in faces]))
        return [[next(faces) for _ in faces_of_one] for faces_of_one in found]

    def take(self, faces: Sequence[np.ndarray]) -> list[Face]:
        """Faces that are cut out already, as they were when the network was trained; no detector runs.

        Args:
            faces: uint8 RGB [H, W, 3] each, of any sizes.

        Raises:
            ValueError: a face is not uint8 [H, W, 3] or has no pixels.
        """
        return self._with_embeddings(self.cutter.take(faces))

    def compare(self, photo: Photo, other: Photo) -> float:
        """How alike the faces of two photos are: the cosine of their embeddings, in [-1, 1].

        Of several faces the main one is taken (see `lrfr_tf.faces.choose`).

        Raises:
            UserError: a file cannot be read, or a photo shows no face.
        """
        meant = []
        for name, one in (("first", photo), ("second", other)):
            pixels = to_pixels(one)
            face, _ = main_face_among(self.enroller.find([pixels])[0], pixels)
            if face is None:
                which = one if isinstance(one, (str, os.PathLike)) else f"The {name} photo"
                raise UserError(f"{which} shows no face.")
            meant.append(face)
        first, second = self.embed(meant)
        return float(np.clip(first @ second, -1.0, 1.0))

    def embed(self, faces: Sequence[FoundFace]) -> np.ndarray:
        """The embeddings of faces that were cut out, float32 [N, D] of unit length."""
        return embed_faces(self.embedder, [face.pixels for face in faces])

    def check_rule(self, rule: DecisionRule) -> None:
        """Says whether a threshold can be had for a rule, before the work of a gallery begins.

        Raises:
            UserError: a threshold must be given, as there is no calibration.
        """
        if rule.threshold is not None:
            return
        if self.cutter.super_resolver is not None:
            raise UserError(
                f"Nobody has calibrated {self.embedder.name} behind {self.cutter.super_resolver.name}, so `threshold` "
                "must be given (a cosine between -1 and 1)."
            )
        if self.strangers is None:
            raise UserError(
                f"{self.embedder.name} has no calibration: make one with lrfr calibrate, which takes an export "
                "and people of your own, or give `threshold` (a cosine between -1 and 1)."
            )

    def _with_embeddings(self, faces: Sequence[FoundFace]) -> list[Face]:
        name = self.embedder.name
        return [
            Face(face.box, face.landmarks, face.detection_score, face.pixels, embedding, name)
            for face, embedding in zip(faces, self.embed(faces), strict=True)
        ]


def embed_faces(embedder: Embedder, faces: Sequence[np.ndarray]) -> np.ndarray:
    """Embeds faces, uint8 [h, w, 3] of any sizes, in batches of fixed numbers: float32 [N, D]."""
    side = embedder.input_size
    if side is not None:  # resized before, so that all can be computed together
        faces = [face if face.shape == (side, side, 3) else resize(face, side, side) for face in faces]
    rows = in_buckets(embedder.embed, faces)
    return np.stack(rows) if rows else np.zeros((0, embedder.dimensions), np.float32)


def calibration_of(model: str, embedder: Embedder) -> Strangers | None:
    """The calibration beside the export that an embedder was loaded from; None where there is none.

    Raises:
        UserError: see `read_calibration`.
    """
    version = find_version(Path(model)) if embedder.record else None
    return None if version is None else read_calibration(version, embedder.checksum)
