"""The face that is meant is cut out of whole photos, as the served model wants it.

Importing this imports TensorFlow.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lrfr_tf.errors import UserError
from lrfr_tf.faces.align import ALIGNED_SIZE
from lrfr_tf.faces.choose import ambiguity_notes
from lrfr_tf.faces.detect import FaceDetector
from lrfr_tf.images.decode import PIXEL_BUDGET
from lrfr_tf.recognition.face_crops import FaceCutter, main_face_among
from lrfr_tf.recognition.recognizer import GALLERY_THRESHOLDS


class FaceCropper:
    """Cuts the face that is meant (see `lrfr_tf.faces.choose`) out of every photo."""

    pixel_budget = PIXEL_BUDGET

    def __init__(self, cutter: FaceCutter) -> None:
        self._cutter = cutter
        self._ambiguous: list[str] = []

    def __call__(self, image: np.ndarray, name: str) -> np.ndarray:
        """The face, uint8 RGB [h, w, 3], as the model wants it.

        Raises:
            UserError: no face is found.
        """
        face, ambiguous = main_face_among(self._cutter.find([image])[0], image)
        if face is None:
            raise UserError(f"{name} shows no face.")
        if ambiguous:
            self._ambiguous.append(name)
        return face.pixels

    def notes(self) -> list[str]:
        """Which photos show another face about as large."""
        return ambiguity_notes(self._ambiguous)


def cutter_for(record: Mapping[str, Any], min_face_size: int, both_meant: bool = False) -> FaceCutter:
    """What cuts faces out as an export wants them.

    Args:
        record: `model.json` of the export.
        min_face_size: smallest face to look for, in pixels.
        both_meant: two photos that each show their person are compared, so a face may be less certain, as in
            `Recognizer.compare`.

    Raises:
        UserError: nobody can tell how to align faces for it.
    """
    detector = FaceDetector(min_face_size=min_face_size)
    if both_meant:
        detector = FaceDetector(GALLERY_THRESHOLDS, min_face_size)
    if record["kind"] == "super_resolution":
        return FaceCutter(detector, "square")
    template = record.get("template")
    if record["kind"] == "classifier":
        return FaceCutter(
            detector,
            record["cut"],
            super_resolver=None,
            template=template,
            size=record.get("aligned_size", ALIGNED_SIZE),
        )
    size = ALIGNED_SIZE if template is None else record.get("input_size", ALIGNED_SIZE)
    return FaceCutter(
        detector, "box" if template is None else "aligned", super_resolver=None, template=template, size=size
    )
