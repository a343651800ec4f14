"""Whole photos are found out before they are sent.

The models that are served take one face that fills the picture; of a whole photo they would make numbers that mean
nothing.
"""

from typing import TYPE_CHECKING

import numpy as np

from lrfr_tf.images.limits import PIXEL_BUDGET_IN_GRAPH
from lrfr_tf.plural import counted
from lrfr_tf.tf_serving.faces import NoCropError

if TYPE_CHECKING:
    from lrfr_tf.faces.detect import FaceDetector

# Of the picture's height or width, the larger. Of 118 faces cut out in each of our ways the least filled 0.78, and 0.70
# in the squares that super-resolution takes; of 120 heads as CelebA delivers them 0.43 to 0.65.
MIN_SHARE = 0.5
USUAL_SHARE = 0.65
NAMED = 3  # pictures in a note


class CropChecker:
    """Refuses pictures in which a face is found that fills less than half of them, in height and in width.

    Args:
        min_face_size: smallest face to look for, in pixels.
    """

    pixel_budget = PIXEL_BUDGET_IN_GRAPH

    def __init__(self, min_face_size: int) -> None:
        self._min_face_size = min_face_size
        self._detector: FaceDetector | None = None
        self._without_face: list[str] = []
        self._loose: list[str] = []

    def __call__(self, image: np.ndarray, name: str) -> np.ndarray:
        """The picture itself, uint8 RGB [H, W, 3].

        Raises:
            NoCropError: it is a whole photo.
        """
        height, width = image.shape[:2]
        if max(height, width) * MIN_SHARE <= self._min_face_size:
            return image  # every face that could be found in it fills half of it
        # Imports TensorFlow, which takes a while, and very small crops need no detector.
        from lrfr_tf.faces.choose import main_face
        from lrfr_tf.faces.detect import FaceDetector

        self._detector = self._detector or FaceDetector(min_face_size=self._min_face_size)
        (found,) = self._detector.detect([image])
        if not found.found:
            self._without_face.append(name)
            return image
        left, top, right, bottom = found.boxes[main_face(found.boxes, found.scores, height, width)]
        share = max((right - left) / width, (bottom - top) / height)
        if share < MIN_SHARE:
            raise NoCropError(
                f"{name} is a whole photo and is not sent: the model takes one face that fills the picture, and of "
                f"these {width} x {height} pixels the face fills {right - left:.0f} x {bottom - top:.0f}."
            )
        if share < USUAL_SHARE:
            self._loose.append(name)
        return image

    def notes(self) -> list[str]:
        """Which of the pictures that were sent may be none that the model is made for."""
        found = []
        for names, what in (
            (self._without_face, "no face was found"),
            (self._loose, "there is much beside the face; crops as the models are trained on hold little else"),
        ):
            if names:
                count = counted(len(names), "picture was", "pictures were")
                named = ", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else "")
                found.append(f"{count} sent ({named}) in which {what}.")
        return found
