"""The faces of the report: one example as every method shows it, with the detector's box, as PNG bytes."""

import dataclasses
import io

import numpy as np
from PIL import Image, ImageDraw

from lrfr_tf.study.report.sentences import one_line

SIDE = 128
BOX_COLOR, BOX_SHADOW = (255, 214, 10), (20, 20, 20)
RIGHT, WRONG = "right", "wrong"


@dataclasses.dataclass(frozen=True)
class Example:
    """One test image for the report.

    Attributes:
        path: where the image lies in its split, such as `12/000001.png`.
        identity: who it is.
        faces: "lr", the methods and "hr", in the order in which they are shown -> uint8 [S, S, 3] (S may differ).
        boxes: method -> float [4] (x1, y1, x2, y2) in pixels of that method's image, None where no face was found;
            "lr" has none.
        answers: method -> the identity that the main head, fitted on HR, names; None for a miss; "lr" has none.
        group: "grid", "right" (the last method, as a rule SRGAN, is right where bicubic is wrong) or "wrong" (it is
            wrong).
    """

    path: str
    identity: str
    faces: dict[str, np.ndarray]
    boxes: dict[str, np.ndarray | None]
    answers: dict[str, str | None]
    group: str

    def verdict(self, method: str) -> tuple[str, str]:
        """("right" or "wrong", what to write under the face); ("", "") where the method names nobody, as LR."""
        if method not in self.answers:
            return "", ""
        answer = self.answers[method]
        if answer is None:
            return WRONG, "✗ no face"
        if answer == self.identity:
            return RIGHT, f"✓ {one_line(answer)}"
        return WRONG, f"✗ {one_line(answer)}"


def face_png(face: np.ndarray, box: np.ndarray | None) -> bytes:
    """A face, uint8 [S, S, 3], enlarged by whole pixels to a side of about 128, and the detector's box drawn on it.

    `box` is (x1, y1, x2, y2) in pixels of the face, or None.
    """
    scale = max(1, round(SIDE / face.shape[0]))
    image = Image.fromarray(np.repeat(np.repeat(face, scale, axis=0), scale, axis=1))
    if box is not None:
        # A dark line on both sides of the bright one, so that it is seen on any face.
        draw = ImageDraw.Draw(image)
        for inset, color in ((0, BOX_SHADOW), (1, BOX_COLOR), (2, BOX_COLOR), (3, BOX_SHADOW)):
            left, top, right, bottom = _corners(box, scale, image.size, inset)
            if left < right and top < bottom:
                draw.rectangle((left, top, right, bottom), outline=color)
    stream = io.BytesIO()
    image.save(stream, format="PNG")
    return stream.getvalue()


def _corners(box: np.ndarray, scale: int, size: tuple[int, int], inset: int) -> tuple[int, int, int, int]:
    x1, y1, x2, y2 = (round(float(value) * scale) for value in box)
    return (
        max(x1, 0) + inset,
        max(y1, 0) + inset,
        min(x2, size[0]) - 1 - inset,
        min(y2, size[1]) - 1 - inset,
    )
