"""Photos in which somebody is meant to be seen: those that show no face at first are searched for very small ones."""

from collections.abc import Sequence

import numpy as np

from lrfr_tf.faces.detect import Detection, FaceDetector

# Lower ones find a few more of the faces that cameras make poor, and many more where there are none; docs/enrolling.md.
SMALLEST, THRESHOLDS = 6, (0.5, 0.5, 0.6)
MAX_SIDE = 320  # of what is searched; in a larger photo the smallest face found grows with it


class SecondLookDetector(FaceDetector):
    """Finds faces as `FaceDetector` does, and looks again for smaller ones where there are none.

    Searching every photo for them would take several times as long, and find them beside the person who is meant.
    """

    def __init__(self, thresholds: tuple[float, ...]) -> None:
        super().__init__(thresholds)
        self._second = FaceDetector(THRESHOLDS, SMALLEST, max_side=MAX_SIDE)

    def detect(self, images: Sequence[np.ndarray]) -> list[Detection]:
        """Detects the faces of each image; see `FaceDetector.detect`."""
        found = super().detect(images)
        missed = [number for number, one in enumerate(found) if not one.found]
        for number, again in zip(missed, self._second.detect([images[number] for number in missed]), strict=True):
            found[number] = again
        return found
