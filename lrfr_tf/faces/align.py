"""Similarity alignment: five landmarks of a face are laid over a template, so that all faces lie alike.

The templates are those of the deep Siamese network for low-resolution faces (Lai & Lam 2021). Both come from the common
96 x 112 template; "lai" is its published form for squares, which leaves out the 8-pixel shift that would center the
face, so that faces lie left of the middle. Weights trained with one template need that template.
"""

import cv2
import numpy as np

from lrfr_tf.images.resize import resize

ALIGNED_SIZE = 128
TEMPLATES = ("lai", "centred")

# Left eye, right eye, nose, left and right corner of the mouth (as the viewer sees them), in a frame of 96 x 112.
_BASE = np.array([[30.2946, 51.6963], [65.5318, 51.5014], [48.0252, 71.7366], [33.5493, 92.3655], [62.7299, 92.2041]])
_BASE_HEIGHT = 112
_CENTRING = 8.0
_LONGEST_SIDE = 32_000  # OpenCV warps no picture with a side of 32,767 and above


def template_points(template: str = "lai", size: int = ALIGNED_SIZE) -> np.ndarray:
    """Where the five landmarks lie in an aligned face of size x size pixels: float64 [5, 2], (x, y).

    Raises:
        ValueError: the template is not one of `TEMPLATES`.
    """
    if template not in TEMPLATES:
        raise ValueError(f"The template {template!r} is not known; there are {', '.join(TEMPLATES)}.")
    shift = (_CENTRING if template == "centred" else 0.0, 0.0)
    return (_BASE + shift) * (size / _BASE_HEIGHT)


def native_size(landmarks: np.ndarray, template: str, size: int) -> int:
    """The side at which an aligned face has as many pixels as its photo has of it; at most `size`.

    Args:
        landmarks: float [5, 2], (x, y) in pixels of the photo.
    """
    scale = _scale(similarity_transform(landmarks, template_points(template, size)))
    return min(size, max(1, round(size / scale)))


def similarity_transform(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The rotation, scale and shift that bring `source` nearest to `target` by least squares, without reflection.

    It solves x' = a x - b y + c, y' = b x + a y + d, which is linear in (a, b, c, d).

    Args:
        source, target: float [n, 2], n >= 2.

    Returns:
        float64 [2, 3], for homogeneous source points.

    Raises:
        ValueError: all source points are one, or a coordinate is not finite.
    """
    source, target = np.asarray(source, np.float64), np.asarray(target, np.float64)
    if not (np.isfinite(source).all() and np.isfinite(target).all()) or np.ptp(source, axis=0).max() == 0:
        raise ValueError("A similarity transform needs two different points with finite coordinates.")
    x, y = source.T
    one, zero = np.ones_like(x), np.zeros_like(x)
    rows = np.concatenate([np.stack([x, -y, one, zero], axis=1), np.stack([y, x, zero, one], axis=1)])
    (a, b, c, d), *_ = np.linalg.lstsq(rows, target.T.ravel(), rcond=None)
    return np.array([[a, -b, c], [b, a, d]])


def align_face(
    image: np.ndarray,
    landmarks: np.ndarray,
    *,
    template: str = "lai",
    size: int = ALIGNED_SIZE,
    left_margin: int = 0,
    margin: int = 0,
) -> np.ndarray:
    """Cuts out a face so that its landmarks lie on the template; what lies outside of the image is black.

    The image is warped with a bicubic kernel. Where the face is more than twice as large as it will be, the image is
    first shrunk with antialiasing to twice the size, since a warp alone would leave pixels out.

    Args:
        image: uint8 RGB [H, W, 3].
        landmarks: float [5, 2], (x, y) in pixels of the image, in the order of `template_points`.
        left_margin: that many more columns to the left, so that a training graph can shift the frame.
        margin: that many more rows and columns on every side, so that it can turn, scale and shift it.

    Returns:
        uint8 RGB [size + 2 * margin, size + left_margin + 2 * margin, 3].

    Raises:
        ValueError: the image is not uint8 [H, W, 3] or has no pixels, or the landmarks are not five different points.
    """
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.shape[2:] != (3,) or image.size == 0:
        what = f"{image.dtype} {list(image.shape)}" if isinstance(image, np.ndarray) else type(image).__name__
        raise ValueError(f"A face is cut out of uint8 [H, W, 3], not {what}.")
    if np.shape(landmarks) != (5, 2):
        raise ValueError(f"A face has five landmarks (x, y), not an array of {np.shape(landmarks)}.")
    landmarks = np.asarray(landmarks, np.float64)
    target = template_points(template, size) + (left_margin + margin, margin)
    frame = (size + left_margin + 2 * margin, size + 2 * margin)
    scale = _scale(similarity_transform(landmarks, target))
    if scale < 0.5:
        height, width = (max(1, round(2 * scale * side)) for side in image.shape[:2])
        # Pixel centers lie at whole numbers, so the edges of the image lie half a pixel outside.
        landmarks = (landmarks + 0.5) * (width / image.shape[1], height / image.shape[0]) - 0.5
        image = resize(image, height, width)
    if max(image.shape) > _LONGEST_SIDE:
        image, landmarks = _part_around(image, landmarks, target, frame)
    transform = similarity_transform(landmarks, target)
    return cv2.warpAffine(image, transform, frame, flags=cv2.INTER_CUBIC, borderValue=(0, 0, 0))


def _part_around(
    image: np.ndarray, landmarks: np.ndarray, target: np.ndarray, frame: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """The part of an image that a frame (width, height) shows, with some pixels about it, and the landmarks in it."""
    width, height = frame
    back = similarity_transform(target, landmarks)
    corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]]) @ back.T
    limits = np.array(image.shape[1::-1])
    # The kernel reaches two pixels further. Of an image that lies outside of the frame a corner is left.
    first = np.clip(np.floor(corners.min(axis=0)) - 4, 0, limits - 1).astype(int)
    last = np.clip(np.ceil(corners.max(axis=0)) + 5, first + 1, limits).astype(int)
    return image[first[1] : last[1], first[0] : last[0]], landmarks - first


def _scale(transform: np.ndarray) -> float:
    return float(np.hypot(transform[0, 0], transform[1, 0]))
