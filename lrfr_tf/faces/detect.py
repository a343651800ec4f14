"""Faces in images, with MTCNN (Zhang et al. 2016, "Joint Face Detection and Alignment using Multitask Cascaded CNNs").

The three nets, their weights and the box arithmetic come from the package mtcnn 1.0.0. The image pyramid is ours: the
package counts its levels from the image size alone, so that with any other `min_face_size` than 20 it raises an error
on small images (too large a value) or overlooks large faces (too small a value). At 20 both pyramids are the same.
"""

import contextlib
import dataclasses
import importlib.resources
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from mtcnn.stages import StageONet, StagePNet, StageRNet
from mtcnn.utils.bboxes import generate_bounding_box, resize_to_square, smart_nms_from_bboxes, upscale_bboxes

from lrfr_tf.errors import UserError
from lrfr_tf.files import sha256
from lrfr_tf.images.resize import resize

# The weights are joblib files, that is, pickles: they are opened only if they are the files of the published wheel.
WEIGHTS_SHA256 = {
    "pnet.lz4": "ea6b0c3e685ebee3165326ad6484acc95f2ef78f1c94fbf40a55704fa989f7b5",
    "rnet.lz4": "cb00e6460f3c98b0bfafaba3c0a0ded4bdf6e62cee7174d969e8670d7e757fee",
    "onet.lz4": "94f6ea2f4cf985275ee958cdd762d17b6009348a4fb9d8c6be39ba73ffd22ca3",
}

CELL_SIZE = 12  # The proposal net looks at cells of 12 x 12 pixels.
PYRAMID_FACTOR = 0.709  # Each level has about half the area of the one before.
SMALLEST_FACE = 5  # Below this the first level would enlarge the image more than 2.4 times.
OVERLAP_IN_LEVEL, OVERLAP_IN_IMAGE = 0.5, 0.7

# Bounds on memory, both far above what ordinary photos reach. Suppressing overlaps compares every proposal with every
# other; and the first layers of the proposal net hold 10 numbers for each pixel of the batch.
PROPOSALS_PER_LEVEL = 1000
PIXELS_PER_CALL = 64 * 128 * 128


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

    The nets run on the CPU: they are small, and what lies between them is NumPy.

    Raises:
        UserError: an option out of range, or weight files that are not those of mtcnn 1.0.0.
    """

    def __init__(
        self,
        thresholds: tuple[float, ...] = (0.6, 0.7, 0.9),
        min_face_size: int = 20,
        batch_size: int = 64,
        max_side: int = 1280,
    ) -> None:
        if len(thresholds) != 3 or not all(0.0 <= threshold <= 1.0 for threshold in thresholds):
            raise UserError(f"The face detector takes three thresholds between 0 and 1, not {thresholds}.")
        if min_face_size < SMALLEST_FACE:
            raise UserError(f"The smallest face to detect is {min_face_size} px; it must be at least {SMALLEST_FACE}.")
        if batch_size < 1:
            raise UserError(f"The detector's batch size is {batch_size}; it must be at least 1.")
        if max_side < CELL_SIZE:
            raise UserError(f"The detector's longest side is {max_side} px; it must be at least {CELL_SIZE}.")
        self.thresholds = tuple(thresholds)
        self.min_face_size = min_face_size
        self.batch_size = batch_size
        self.max_side = max_side
        with tf.device("CPU:0"), _lz4_silenced():
            self._proposal_net = StagePNet(weights=_checked_weights("pnet.lz4")).model
            self._refine = StageRNet(weights=_checked_weights("rnet.lz4"))
            self._finish = StageONet(weights=_checked_weights("onet.lz4"))

    def detect(self, images: Sequence[np.ndarray]) -> list[Detection]:
        """Detects the faces of each image.

        Args:
            images: uint8 [H, W, 3] each, RGB, of any sizes; those of equal size are computed together.

        Returns:
            One Detection for each image, in the order given. An image too small for a face has none.

        Raises:
            ValueError: an image is not uint8 [H, W, 3] or has no pixels.
        """
        positions_by_size: dict[tuple[int, int], list[int]] = {}
        for position, image in enumerate(images):
            _check_image(image, position)
            positions_by_size.setdefault(image.shape[:2], []).append(position)
        found: dict[int, Detection] = {}
        for (height, width), positions in positions_by_size.items():
            count = self._images_per_call(height, width)
            for start in range(0, len(positions), count):
                batch = positions[start : start + count]
                found.update(zip(batch, self._detect_equal_sizes(np.stack([images[i] for i in batch])), strict=True))
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
        # Boxes between the nets may be empty; what the package divides by zero there is dropped below.
        with tf.device("CPU:0"), np.errstate(divide="ignore", invalid="ignore"):
            rows = self._search((images.astype(np.float32) - 127.5) / 128)
        return [
            _detection(rows[rows[:, 0] == image], (height, width), (small_height, small_width), self.min_face_size)
            for image in range(len(images))
        ]

    def _search(self, images: np.ndarray) -> np.ndarray:
        """float32 [N, H, W, 3] in -1 to 1 -> [n, 16]: image, x1, y1, x2, y2, score, five landmark x, five y."""
        rows = self._propose(images)
        if len(rows) > 0:
            rows = self._refine(images_normalized=images, bboxes_batch=rows, threshold_rnet=self.thresholds[1])
        if len(rows) > 0:
            rows = self._finish(images_normalized=images, bboxes_batch=rows, threshold_onet=self.thresholds[2])
        return rows if len(rows) > 0 else np.empty((0, 16))

    def _propose(self, images: np.ndarray) -> np.ndarray:
        """float32 [N, H, W, 3] in -1 to 1 -> squares that may be faces, [n, 6]: image, x1, y1, x2, y2, score."""
        height, width = images.shape[1:3]
        found = [np.empty((0, 6))]
        for scale in pyramid_scales(height, width, self.min_face_size):
            size = (_scaled(height, scale), _scaled(width, scale))
            level = tf.image.resize(images, size, tf.image.ResizeMethod.AREA)
            offsets, probabilities = self._proposal_net(level)
            rows = _strongest(generate_bounding_box(offsets, probabilities, self.thresholds[0]))
            rows = upscale_bboxes(rows, np.full(len(images), scale))
            found.append(smart_nms_from_bboxes(rows, OVERLAP_IN_LEVEL, method="union", initial_sort=False))
        return resize_to_square(smart_nms_from_bboxes(np.concatenate(found), OVERLAP_IN_IMAGE, method="union"))


def pyramid_scales(height: int, width: int, min_face_size: int) -> list[float]:
    """The scales at which an image is searched: a face of `min_face_size` fills a cell of the first level, and the last
    level is the smallest that still holds a cell. Empty if the image is smaller than a face."""
    scales = []
    scale = CELL_SIZE / min_face_size
    while _scaled(min(height, width), scale) >= CELL_SIZE:
        scales.append(scale)
        scale *= PYRAMID_FACTOR
    return scales


def _scaled(side: int, scale: float) -> int:
    return int(side * scale + 1e-6)  # Rounded down, but 49 * (12 / 49) is 12 in spite of floating point.


def _checked_weights(name: str) -> str:
    """The path of one of the package's weight files, once its sha256 is found right.

    The full path matters: given a bare name, the package would rather unpickle a file of that name in the working
    folder.
    """
    path = Path(str(importlib.resources.files("mtcnn"))) / "assets" / "weights" / name
    if not path.is_file():
        raise UserError(f"{path} is missing; install mtcnn 1.0.0 again.")
    if sha256(path) != WEIGHTS_SHA256[name]:
        raise UserError(f"{path} is not the file of mtcnn 1.0.0 (its sha256 differs), so it is not opened.")
    return str(path)


@contextlib.contextmanager
def _lz4_silenced() -> Iterator[None]:
    """Keeps Python 3.13 from printing "Exception ignored in ..." while weights are read.

    joblib drops lz4's reader after closing the file below it; from 3.13 on the reader's own end complains of that.
    """
    before = sys.unraisablehook
    sys.unraisablehook = lambda unraisable: None
    try:
        yield
    finally:
        sys.unraisablehook = before


def _check_image(image: np.ndarray, position: int) -> None:
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8:
        kind = image.dtype if isinstance(image, np.ndarray) else type(image).__name__
        raise ValueError(f"Image {position} is {kind}; the face detector takes uint8 arrays.")
    if image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise ValueError(f"Image {position} has the shape {image.shape}; the face detector takes [H, W, 3].")


def _size_to_search(height: int, width: int, max_side: int) -> tuple[int, int]:
    factor = min(1.0, max_side / max(height, width))
    return max(1, round(height * factor)), max(1, round(width * factor))


def _strongest(rows: np.ndarray) -> np.ndarray:
    """The PROPOSALS_PER_LEVEL first rows of each image; `rows` comes sorted by score, best first."""
    return np.concatenate(
        [rows[:0]] + [rows[rows[:, 0] == image][:PROPOSALS_PER_LEVEL] for image in np.unique(rows[:, 0])]
    )


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
