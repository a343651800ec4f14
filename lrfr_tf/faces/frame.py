"""From a face box to the pixels that the recogniser sees: cutting out, and framing as a square."""

import math
from collections.abc import Sequence

import numpy as np

from lrfr_tf.images.resize import resize

# In the aligned CelebA images the face is always at the same place; on a frame of 89 x 109 pixels (width x height),
# half the original's, this square holds it from the eyebrows to the chin.
CELEBA_WIDTH, CELEBA_HEIGHT = 89, 109
CELEBA_FACE = (12, 27, 77, 92)

Box = np.ndarray | Sequence[float]


def frame_face(image: np.ndarray, box: Box, scale: float = 1.3, size: int = 64) -> np.ndarray:
    """Cuts out the square centred on a face box and resizes it.

    Args:
        image: uint8 [H, W, 3].
        box: (x1, y1, x2, y2) in pixels.
        scale: the square's side is `scale` times the longest side of the box, rounded to whole pixels. Where it leaves
            the image, the image's edge pixels are repeated, so that the face keeps its place and its proportions.
        size: the side of the result.

    Returns:
        uint8 [size, size, 3].

    Raises:
        ValueError: the box is not finite or has no area, or `scale` or `size` is not positive.
    """
    x1, y1, x2, y2 = _corners(box)
    if x2 <= x1 or y2 <= y1:
        raise ValueError(f"The box {tuple(box)} has no area.")
    if scale <= 0 or size < 1:
        raise ValueError(f"A face cannot be framed at scale {scale} and size {size}.")
    side = max(1, math.floor(scale * max(x2 - x1, y2 - y1) + 0.5))
    left = math.floor((x1 + x2 - side) / 2 + 0.5)
    top = math.floor((y1 + y2 - side) / 2 + 0.5)
    rows = np.clip(np.arange(top, top + side), 0, image.shape[0] - 1)
    columns = np.clip(np.arange(left, left + side), 0, image.shape[1] - 1)
    return resize(image[rows][:, columns], size, size)


def celeba_face_box(height: int, width: int) -> tuple[float, float, float, float]:
    """The face in an aligned CelebA image, without detection: (x1, y1, x2, y2).

    It is the square (12, 27, 77, 92) of a frame 89 pixels wide and 109 high, scaled to `width` and `height`; so
    (24, 54, 154, 184) in the original 178 x 218.
    """
    x_scale, y_scale = width / CELEBA_WIDTH, height / CELEBA_HEIGHT
    x1, y1, x2, y2 = CELEBA_FACE
    return x1 * x_scale, y1 * y_scale, x2 * x_scale, y2 * y_scale


def crop(image: np.ndarray, box: Box) -> np.ndarray:
    """Cuts a box out of an image, as it is.

    Args:
        image: uint8 [H, W, 3].
        box: (x1, y1, x2, y2) in pixels. Every pixel that it touches belongs to the crop (corners are rounded outward);
            what lies outside the image is left out.

    Returns:
        uint8 [h, w, 3], never empty: of a box without area, or outside the image, the nearest pixel is left.

    Raises:
        ValueError: the box is not finite.
    """
    x1, y1, x2, y2 = _corners(box)
    height, width = image.shape[:2]
    left = min(max(math.floor(x1), 0), width - 1)
    top = min(max(math.floor(y1), 0), height - 1)
    right = min(max(math.ceil(x2), left + 1), width)
    bottom = min(max(math.ceil(y2), top + 1), height)
    return image[top:bottom, left:right].copy()


def _corners(box: Box) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = (float(value) for value in box)
    if not all(math.isfinite(value) for value in (x1, y1, x2, y2)):
        raise ValueError(f"The box {tuple(box)} is not finite.")
    return x1, y1, x2, y2
