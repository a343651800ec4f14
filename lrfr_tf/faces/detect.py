"""Faces in images, with MTCNN (Zhang et al. 2016, "Joint Face Detection and Alignment using Multitask Cascaded CNNs").

The search itself is `lrfr_tf.faces.cascade`, or, as the reference for it, `lrfr_tf.faces.package_cascade`. Here is what
lies about it: images of mixed sizes and very large ones, and faces as results.
"""

import dataclasses
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from lrfr_tf.errors import UserError
from lrfr_tf.faces.cascade import compiled_cascade
from lrfr_tf.faces.pyramid import pyramid_scales
from lrfr_tf.images.by_shape import batches_by_shape
from lrfr_tf.images.resize import resize
from lrfr_tf.models.mtcnn import CELL_SIZE

SMALLEST_FACE = 5  # Below this the first level would enlarge the image more than 2.4 times.

# A bound on memory, far above what ordinary photos reach: the first layers of the proposal net hold 10 numbers for each
# pixel of the batch.
PIXELS_PER_CALL = 64 * 128 * 128

ENGINES = ("compiled", "package")


class Cascade(Protocol):
    """What searches images of one size: one of the engines."""

    def search(self, images: np.ndarray, scales: Sequence[float], thresholds: Sequence[float]) -> np.ndarray: ...


@dataclasses.dataclass(frozen=True)
class Detection:
    """The faces of one image, most confident first; n may be 0.

    Attributes:
        boxes: float32 [n, 4], (x1, y1, x2, y2) in pixels, inside the image: 0 <= x1 < x2 <= width, the same for y.
        scores: float32 [n], 0 to 1.
        landmarks: float32 [n, 5, 2], (x, y) of the left eye, right eye, nose, left and right corner of the mouth, left
            and right as the viewer sees them. They are not clipped: those of a face at the edge may lie outside.
    """

    boxes: np.ndarray
    scores: np.ndarray
    landmarks: np.ndarray

    @property
    def found(self) -> bool:
        return len(self.boxes) > 0


class FaceDetector:
    """Finds faces in images of any size.

    Args:
        thresholds: the least scores that the proposal, refinement and output net must give (0 to 1). The original
            system used 0.9 for the last; the package's own default is 0.8.
        min_face_size: faces whose longest side is shorter, in pixels, are not returned. At least 5.
        batch_size: how many images of one size go through the nets together; large images go in smaller batches.
        max_side: images with a longer side are shrunk to it first, and the boxes scaled back. Time and memory stay
            bounded, but in such an image the smallest face found is min_face_size * longest side / max_side.
        engine: "compiled" (our own graphs) or "package" (the package mtcnn, several times slower); both find the same.

    The nets run on the CPU: they are small, and what lies between them is NumPy. Threads may share a detector. A forked
    child hangs with it: load it after the fork.

    Raises:
        UserError: an option out of range, or weight files that are not those of mtcnn 1.0.0.
    """

    def __init__(
        self,
        thresholds: tuple[float, ...] = (0.6, 0.7, 0.9),
        min_face_size: int = 20,
        batch_size: int = 64,
        max_side: int = 1280,
        *,
        engine: str = "compiled",
    ) -> None:
        if len(thresholds) != 3 or not all(0.0 <= threshold <= 1.0 for threshold in thresholds):
            raise UserError(f"The face detector takes three thresholds between 0 and 1, not {thresholds}.")
        if min_face_size < SMALLEST_FACE:
            raise UserError(f"The smallest face to detect is {min_face_size} px; it must be at least {SMALLEST_FACE}.")
        if batch_size < 1:
            raise UserError(f"The detector's batch size is {batch_size}; it must be at least 1.")
        if max_side < CELL_SIZE:
            raise UserError(f"The detector's longest side is {max_side} px; it must be at least {CELL_SIZE}.")
        if engine not in ENGINES:
            raise UserError(f"The detector's engine is {engine!r}; it must be one of {', '.join(ENGINES)}.")
        self.thresholds = tuple(thresholds)
        self.min_face_size = min_face_size
        self.batch_size = batch_size
        self.max_side = max_side
        self._cascade = _cascade(engine)

    def detect(self, images: Sequence[np.ndarray]) -> list[Detection]:
        """Detects the faces of each image.

        Args:
            images: uint8 [H, W, 3] each, RGB, of any sizes; those of equal size are computed together.

        Returns:
            One Detection for each image, in the order given. An image too small for a face has none.

        Raises:
            ValueError: an image is not uint8 [H, W, 3] or has no pixels.
        """
        for position, image in enumerate(images):
            _check_image(image, position)
        found: dict[int, Detection] = {}
        for batch, stacked in batches_by_shape(images, lambda shape: self._images_per_call(*shape[:2])):
            found.update(zip(batch, self._detect_equal_sizes(stacked), strict=True))
        return [found[position] for position in range(len(images))]

    def _images_per_call(self, height: int, width: int) -> int:
        height, width = _size_to_search(height, width, self.max_side)
        enlargement = max(1.0, CELL_SIZE / self.min_face_size)
        pixels = height * width * enlargement**2
        return max(1, min(self.batch_size, int(PIXELS_PER_CALL / pixels)))

    def _detect_equal_sizes(self, images: np.ndarray) -> list[Detection]:
        height, width = images.shape[1:3]
        small_height, small_width = _size_to_search(height, width, self.max_side)
        if (small_height, small_width) != (height, width):
            images = resize(images, small_height, small_width)
        scales = pyramid_scales(small_height, small_width, self.min_face_size)
        rows = self._cascade.search(images, scales, self.thresholds)
        return [
            _detection(rows[rows[:, 0] == image], (height, width), (small_height, small_width), self.min_face_size)
            for image in range(len(images))
        ]


def _cascade(engine: str) -> Cascade:
    if engine == "compiled":
        return compiled_cascade()
    from lrfr_tf.faces.package_cascade import PackageCascade  # imports the package, which only the reference needs

    return PackageCascade()


def _check_image(image: np.ndarray, position: int) -> None:
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8:
        kind = image.dtype if isinstance(image, np.ndarray) else type(image).__name__
        raise ValueError(f"Image {position} is {kind}; the face detector takes uint8 arrays.")
    if image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise ValueError(f"Image {position} has the shape {image.shape}; the face detector takes [H, W, 3].")


def _size_to_search(height: int, width: int, max_side: int) -> tuple[int, int]:
    factor = min(1.0, max_side / max(height, width))
    return max(1, round(height * factor)), max(1, round(width * factor))


def _detection(
    rows: np.ndarray, size: tuple[int, int], searched_size: tuple[int, int], min_face_size: int
) -> Detection:
    height, width = size
    stretch = np.array([width / searched_size[1], height / searched_size[0]])
    rows = rows[np.argsort(-rows[:, 5], kind="stable")]
    corners = rows[:, 1:5].reshape(-1, 2, 2) * stretch
    boxes = np.clip(corners, 0, (width, height)).reshape(-1, 4).astype(np.float32)
    landmarks = np.stack([rows[:, 6:11], rows[:, 11:16]], axis=-1) * stretch
    sides = boxes[:, 2:] - boxes[:, :2]
    kept = (sides.min(axis=1) > 0) & (sides.max(axis=1) >= min_face_size) & np.isfinite(rows).all(axis=1)
    return Detection(boxes[kept], rows[kept, 5].astype(np.float32), landmarks[kept].astype(np.float32))
