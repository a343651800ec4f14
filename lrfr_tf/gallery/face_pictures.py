"""The pixels of a face as a gallery keeps them, so that a better network needs no photo again."""

import dataclasses
import io
import math

import numpy as np
from PIL import Image

from lrfr_tf.images.decode import decode_image

MARGIN = 0.5  # of the face's box, on each side
LOSSLESS_BELOW = 64  # pixels of the face's height
JPEG_QUALITY = 95


@dataclasses.dataclass(frozen=True, eq=False)
class FacePicture:
    """A face with what is around it, and where it is.

    Attributes:
        pixels: uint8 [H, W, 3].
        box: (x1, y1, x2, y2) in pixels of it.
        landmarks: float32 [5, 2] in pixels of it, or None.
    """

    pixels: np.ndarray
    box: tuple[float, float, float, float]
    landmarks: np.ndarray | None

    def encoded(self) -> bytes:
        """PNG for small faces, JPEG (quality 95, 4:4:4) for others."""
        stream = io.BytesIO()
        image = Image.fromarray(self.pixels)
        if self.box[3] - self.box[1] < LOSSLESS_BELOW:
            image.save(stream, "PNG")
        else:
            image.save(stream, "JPEG", quality=JPEG_QUALITY, subsampling=0)
        return stream.getvalue()


def cut_picture(photo: np.ndarray, box: tuple[float, float, float, float], landmarks: np.ndarray | None) -> FacePicture:
    """Cuts a face out of its photo with half of its box on each side, as far as the photo goes.

    Args:
        photo: uint8 [H, W, 3].
        box: (x1, y1, x2, y2) in pixels.
        landmarks: float [5, 2] in pixels, or None.
    """
    x1, y1, x2, y2 = box
    wide, high = MARGIN * (x2 - x1), MARGIN * (y2 - y1)
    left, top = max(0, math.floor(x1 - wide)), max(0, math.floor(y1 - high))
    right, bottom = min(photo.shape[1], math.ceil(x2 + wide)), min(photo.shape[0], math.ceil(y2 + high))
    pixels = np.ascontiguousarray(photo[top:bottom, left:right])
    corners = np.array(box, np.float64) - (left, top, left, top)
    points = None if landmarks is None else np.asarray(landmarks, np.float64) - (left, top)
    limits = np.tile([pixels.shape[1], pixels.shape[0]], 2)  # against rounding
    a, b, c, d = np.clip(corners, 0, limits).tolist()
    return FacePicture(pixels, (a, b, c, d), None if points is None else points.astype(np.float32))


def decode_picture(data: bytes) -> np.ndarray:
    """uint8 [H, W, 3] of a stored picture.

    Raises:
        UserError: it is damaged.
    """
    return decode_image(data, "A picture of the gallery")
