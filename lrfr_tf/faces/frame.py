"""From a face box to the pixels that the recognizer sees: cutting out, and framing as a square."""

import math
from collections.abc import Sequence

import numpy as np

from lrfr_tf.faces.align import ALIGNED_SIZE, align_face, similarity_transform, template_points
from lrfr_tf.images.resize import resize

# In the aligned CelebA images the face is always at the same place; on a frame of 89 x 109 pixels (width x height),
# half the original's, this square holds it from the eyebrows to the chin.
CELEBA_WIDTH, CELEBA_HEIGHT = 89, 109
CELEBA_FACE = (12, 27, 77, 92)

# Eyes, nose and corners of the mouth there: medians over 7,968 aligned images, and their mirror images, as MTCNN sees
# them (standard deviations of 1 to 1.6 pixels, of the nose 2 to 3).
_CELEBA_POINTS = ((34.8, 55.75), (54.2, 55.75), (44.5, 67.76), (36.0, 76.1), (53.0, 76.1))

# Where MTCNN sees that face on the same frame: its box is 56.4 pixels high and centered on row 62.0 and on the middle
# column (medians over 200 aligned images). A portrait puts a detected box there.
_DETECTED_HEIGHT, _DETECTED_ROW = 56.4, 62.0

# And where it sees the face that `frame_face` cut out at its box: x1, y1, x2, y2 of 64 pixels (medians over 1,021
# photos of celeba_people; standard deviations of 1 pixel; super-resolved from 16 pixels the same within 1 pixel).
_DETECTED_IN_SQUARE = (13.5, 7.4, 49.8, 56.6)

Box = np.ndarray | Sequence[float]


def frame_face(image: np.ndarray, box: Box, scale: float = 1.3, size: int = 64) -> np.ndarray:
    """Cuts out the square centered on a face box and resizes it.

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
    x1, y1, x2, y2 = _corners_around_area(box)
    if scale <= 0 or size < 1:
        raise ValueError(f"A face cannot be framed at scale {scale} and size {size}.")
    side = max(1, math.floor(scale * max(x2 - x1, y2 - y1) + 0.5))
    left = math.floor((x1 + x2 - side) / 2 + 0.5)
    top = math.floor((y1 + y2 - side) / 2 + 0.5)
    return resize(_cut(image, left=left, top=top, width=side, height=side), size, size)


def box_in_square(size: int) -> tuple[int, int, int, int]:
    """Where a detector would see the face in a square of `frame_face` at its default scale, without a detector.

    Args:
        size: side of the square in pixels.

    Returns:
        (x1, y1, x2, y2), whole pixels, rounded outward as `crop` does.
    """
    x1, y1, x2, y2 = (edge * size / 64 for edge in _DETECTED_IN_SQUARE)
    return math.floor(x1), math.floor(y1), math.ceil(x2), math.ceil(y2)


def frame_portrait(image: np.ndarray, box: Box, height: int = CELEBA_HEIGHT, mirror_edges: bool = False) -> np.ndarray:
    """Cuts out what an aligned CelebA image would show of a face, and resizes it; nothing is rotated.

    Args:
        image: uint8 [H, W, 3].
        box: (x1, y1, x2, y2) in pixels, as MTCNN gives it. Where the portrait leaves the image, the image's edge
            pixels are repeated.
        height: of the result in pixels.
        mirror_edges: outside of the image there is its mirror image instead, which looks more like a photo.

    Returns:
        uint8 [height, portrait_width(height), 3].

    Raises:
        ValueError: the box is not finite or has no area.
    """
    x1, y1, x2, y2 = _corners_around_area(box)
    unit = (y2 - y1) / _DETECTED_HEIGHT
    left = math.floor((x1 + x2) / 2 - CELEBA_WIDTH / 2 * unit + 0.5)
    top = math.floor((y1 + y2) / 2 - _DETECTED_ROW * unit + 0.5)
    cut_width = max(1, math.floor(CELEBA_WIDTH * unit + 0.5))
    cut_height = max(1, math.floor(CELEBA_HEIGHT * unit + 0.5))
    cut = _cut(image, left=left, top=top, width=cut_width, height=cut_height, mirrored=mirror_edges)
    return resize(cut, height, portrait_width(height))


def portrait_width(height: int) -> int:
    """The width in pixels of a portrait with CelebA's proportions."""
    return max(1, math.floor(height * CELEBA_WIDTH / CELEBA_HEIGHT + 0.5))


def celeba_face_box(height: int, width: int) -> tuple[float, float, float, float]:
    """The face in an aligned CelebA image, without detection: (x1, y1, x2, y2).

    It is the square (12, 27, 77, 92) of a frame 89 pixels wide and 109 high, scaled to `width` and `height`; so
    (24, 54, 154, 184) in the original 178 x 218.
    """
    x_scale, y_scale = width / CELEBA_WIDTH, height / CELEBA_HEIGHT
    x1, y1, x2, y2 = CELEBA_FACE
    return x1 * x_scale, y1 * y_scale, x2 * x_scale, y2 * y_scale


def celeba_template_box(template: str, height: int, width: int) -> tuple[float, float, float, float]:
    """What an aligned CelebA image shows on a template of `faces.align`, without detection: (x1, y1, x2, y2).

    On the frame of 89 x 109 pixels it is (15.3, 28.4, 73.6, 87.5) for "centred". It may lie outside of the image.

    Args:
        template: one of `faces.align.TEMPLATES`.
        height, width: of the image.
    """
    points = np.array(_CELEBA_POINTS)
    corners = np.array([[0.0, 0.0, 1.0], [1.0, 1.0, 1.0]])
    # Both faces stand upright, but for a fifth of a degree.
    transform = similarity_transform(template_points(template, 1), points)
    transform = np.array([[transform[0, 0], 0, transform[0, 2]], [0, transform[0, 0], transform[1, 2]]])
    (x1, y1), (x2, y2) = corners @ transform.T * (width / CELEBA_WIDTH, height / CELEBA_HEIGHT)
    return x1, y1, x2, y2


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


def cut_face(image: np.ndarray, place: np.ndarray, template: str | None, size: int = ALIGNED_SIZE) -> np.ndarray:
    """A face as an embedder is given it: cut out at its box, or aligned by its landmarks.

    Args:
        image: uint8 [S, S, 3].
        place: the box, float [4], or with a template the landmarks, float [5, 2].
        size: side of an aligned face in pixels.

    Returns:
        uint8 [h, w, 3]; with a template [size, size, 3].
    """
    return crop(image, place) if template is None else align_face(image, place, template=template, size=size)


def _cut(image: np.ndarray, *, left: int, top: int, width: int, height: int, mirrored: bool = False) -> np.ndarray:
    """A part of an image; outside of it the edge pixels are repeated, or the image is mirrored."""

    def inside(places: np.ndarray, length: int) -> np.ndarray:
        if not mirrored:
            return np.clip(places, 0, length - 1)
        places = np.mod(places, 2 * length)
        return np.minimum(places, 2 * length - 1 - places)

    rows = inside(np.arange(top, top + height), image.shape[0])
    columns = inside(np.arange(left, left + width), image.shape[1])
    return image[rows][:, columns]


def _corners(box: Box) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = (float(value) for value in box)
    if not all(math.isfinite(value) for value in (x1, y1, x2, y2)):
        raise ValueError(f"The box {tuple(box)} is not finite.")
    return x1, y1, x2, y2


def _corners_around_area(box: Box) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = _corners(box)
    if x2 <= x1 or y2 <= y1:
        raise ValueError(f"The box {tuple(box)} has no area.")
    return x1, y1, x2, y2
