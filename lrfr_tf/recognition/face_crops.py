"""Photos -> the pixels of each face that a network is to see: detect, cut out, super-resolve what is very small."""

import copy
import dataclasses
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Self, TypeVar

import numpy as np

from lrfr_tf.errors import UserError
from lrfr_tf.faces.align import ALIGNED_SIZE, TEMPLATES, native_size
from lrfr_tf.faces.choose import is_ambiguous, main_face
from lrfr_tf.faces.detect import FaceDetector
from lrfr_tf.faces.frame import cut_face, frame_face
from lrfr_tf.images.by_shape import places_by_shape
from lrfr_tf.images.resize import resize
from lrfr_tf.networks.super_resolution import SuperResolutionNetwork

BUCKETS = (1, 2, 4, 8, 16, 32)
LARGEST_PADDING = 1 / 8  # of a bucket
SQUARE_SCALE, SQUARE_SIZE = 1.3, 64  # as the trees are prepared that super-resolution learns from
# How a network wants its faces: on the template of `lrfr_tf.faces.align`, cut out at the detector's box, or as the
# square around it.
CROP_KINDS = ("aligned", "box", "square")

Row = TypeVar("Row")


@dataclasses.dataclass(frozen=True)
class FoundFace:
    """One face of a photo.

    Attributes:
        box: (x1, y1, x2, y2) in pixels of the photo.
        landmarks: float32 [5, 2], (x, y), as in `lrfr_tf.faces.detect.Detection`; None if no detector ran.
        detection_score: 0 to 1, or None.
        pixels: uint8 [h, w, 3], what the network is to see.
    """

    box: tuple[float, float, float, float]
    landmarks: np.ndarray | None
    detection_score: float | None
    pixels: np.ndarray

    @property
    def height(self) -> float:
        """Pixels of the photo that the face fills from top to bottom; an aligned crop covers as many."""
        return self.box[3] - self.box[1]


class FaceCutter:
    """Finds the faces of photos and cuts them out.

    Args:
        detector: finds them.
        cut: one of CROP_KINDS.
        super_resolver: enlarges faces that are nearer to its small side than to its large one; 16 to 64 pixels means
            faces whose square is at most 32 pixels wide. Larger ones hold more than it would leave of them.
        template: what aligned faces lie on, as the export's record says; None is "lai".
        size: side of aligned faces in pixels, as `Embedder.aligned_size` says.

    Raises:
        UserError: faces are to be aligned on a template that is none of `lrfr_tf.faces.align.TEMPLATES`.

    Threads may share it. A forked child hangs with it: load it after the fork.
    """

    def __init__(
        self,
        detector: FaceDetector,
        cut: str,
        *,
        super_resolver: SuperResolutionNetwork | None = None,
        template: str | None = None,
        size: int = ALIGNED_SIZE,
    ) -> None:
        if cut not in CROP_KINDS:
            raise ValueError(f"A face is cut out as {', '.join(CROP_KINDS)}, not {cut!r}.")
        self.template = template or TEMPLATES[0]
        if cut == "aligned" and self.template not in TEMPLATES:
            raise UserError(
                f"The model was trained on faces that were aligned elsewhere (template {template!r}), so nobody can "
                "tell how to align the faces of photos for it."
            )
        self.detector = detector
        self.cut = cut
        self.size = size
        self.super_resolver = super_resolver

    def with_detector(self, detector: FaceDetector) -> Self:
        """A cutter that cuts the same out of what another detector finds."""
        other = copy.copy(self)
        other.detector = detector
        return other

    def find(self, images: Sequence[np.ndarray]) -> list[list[FoundFace]]:
        """The faces of each image, uint8 RGB [H, W, 3] of any sizes; most confident first, none where none is found.

        Raises:
            ValueError: an image is not uint8 [H, W, 3] or has no pixels.
        """
        places = []
        for photo, detection in enumerate(self.detector.detect(images)):
            for box, landmarks, score in zip(detection.boxes, detection.landmarks, detection.scores, strict=True):
                places.append((photo, box, landmarks, float(score)))
        small = [self._is_small(square_around(box)[2]) for _, box, _, _ in places]
        enlarged = iter(
            self._enlarge([(images[photo], box) for (photo, box, _, _), one in zip(places, small, strict=True) if one])
        )
        found: list[list[FoundFace]] = [[] for _ in images]
        for (photo, box, landmarks, score), one in zip(places, small, strict=True):
            if one:
                pixels = self._cut_enlarged(next(enlarged), box, landmarks)
            else:
                pixels = self._cut(images[photo], box, landmarks)
            left, top, right, bottom = (float(value) for value in box)
            found[photo].append(FoundFace((left, top, right, bottom), landmarks, score, pixels))
        return found

    def cut_out(self, image: np.ndarray, box: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        """The pixels that a network is to see of a face whose place is known, uint8 [h, w, 3].

        Args:
            image: uint8 [H, W, 3].
            box: float [4], (x1, y1, x2, y2) in pixels.
            landmarks: float [5, 2] in pixels.
        """
        if self._is_small(square_around(box)[2]):
            return self._cut_enlarged(self._enlarge([(image, box)])[0], box, landmarks)
        return self._cut(image, box, landmarks)

    def native(self, image: np.ndarray, face: FoundFace) -> np.ndarray:
        """What a network sees of a face of a photo, uint8 [h, w, 3], with the pixels that the photo has of it.

        Large faces are those of `face.pixels`; of small ones it is what they were before they were enlarged.

        Args:
            image: the photo, uint8 [H, W, 3].
            face: found in it.
        """
        if face.landmarks is None:
            return face.pixels
        if self.cut == "box":
            return cut_face(image, np.array(face.box), None)
        if self.cut == "square":
            return frame_face(image, face.box, SQUARE_SCALE, min(SQUARE_SIZE, square_around(face.box)[2]))
        side = native_size(face.landmarks, self.template, self.size)
        return face.pixels if side == self.size else cut_face(image, face.landmarks, self.template, side)

    def take(self, faces: Sequence[np.ndarray]) -> list[FoundFace]:
        """Faces that are cut out already, uint8 RGB [H, W, 3] of any sizes; no detector runs.

        Raises:
            ValueError: a face is not uint8 [H, W, 3] or has no pixels.
        """
        for number, face in enumerate(faces):
            if not isinstance(face, np.ndarray) or face.dtype != np.uint8 or face.ndim != 3 or face.shape[2] != 3:
                kind = f"{face.dtype} {list(face.shape)}" if isinstance(face, np.ndarray) else type(face).__name__
                raise ValueError(f"Face {number} is {kind}; faces are uint8 [H, W, 3].")
            if face.size == 0:
                raise ValueError(f"Face {number} has no pixels.")
        pixels = list(faces)
        small = [number for number, face in enumerate(pixels) if self._is_small(max(face.shape[:2]))]
        if small and self.super_resolver is not None:
            side = self.super_resolver.low_size
            low = [resize(pixels[number], side, side) for number in small]
            for number, high in zip(small, in_buckets(self.super_resolver.super_resolve, low), strict=True):
                pixels[number] = high
        return [
            FoundFace((0.0, 0.0, float(face.shape[1]), float(face.shape[0])), None, None, seen)
            for face, seen in zip(faces, pixels, strict=True)
        ]

    def _is_small(self, side: int) -> bool:
        resolver = self.super_resolver
        return resolver is not None and side <= math.sqrt(resolver.low_size * resolver.high_size)

    def _cut(self, image: np.ndarray, box: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        if self.cut == "square":
            return frame_face(image, box, SQUARE_SCALE, SQUARE_SIZE)
        if self.cut == "box":
            return cut_face(image, box, None)
        return cut_face(image, landmarks, self.template, self.size)

    def _enlarge(self, faces: list[tuple[np.ndarray, np.ndarray]]) -> list[np.ndarray]:
        """The squares around the faces of (image, box), super-resolved."""
        if self.super_resolver is None:
            return []
        low = []
        for image, box in faces:
            left, top, side = square_around(box)
            low.append(frame_face(image, (left, top, left + side, top + side), 1.0, self.super_resolver.low_size))
        return in_buckets(self.super_resolver.super_resolve, low)

    def _cut_enlarged(self, square: np.ndarray, box: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        """The face in its super-resolved square, where it lies at the same place."""
        if self.cut == "square":
            return square
        left, top, side = square_around(box)
        stretch = len(square) / side
        if self.cut == "box":
            return cut_face(square, (box - (left, top, left, top)) * stretch, None)
        # Pixel centers lie at whole numbers for landmarks, so the edges of the picture lie half a pixel outside.
        return cut_face(square, (landmarks + 0.5 - (left, top)) * stretch - 0.5, self.template, self.size)


def main_face_among(faces: Sequence[FoundFace], photo: np.ndarray) -> tuple[FoundFace | None, bool]:
    """The main face (see `lrfr_tf.faces.choose`), None where there is none; and whether another face is about as large.

    Args:
        faces: every face that a detector found in the photo.
        photo: uint8 [H, W, 3].
    """
    return main_face_of(faces, photo.shape[1], photo.shape[0])


def main_face_of(faces: Sequence[FoundFace], width: int, height: int) -> tuple[FoundFace | None, bool]:
    """The same of a photo of so many pixels, which need not be there any more."""
    if not faces:
        return None, False
    boxes, scores = np.array([face.box for face in faces]), np.array([face.detection_score for face in faces])
    main = main_face(boxes, scores, height, width)
    return faces[main], is_ambiguous(boxes, main)


def in_buckets(compute: Callable[[np.ndarray], Iterable[Row]], images: Sequence[np.ndarray]) -> list[Row]:
    """Applies `compute` to images in batches of the numbers in BUCKETS only; one row of the answer for each image.

    A number of images that was never there before costs TensorFlow's libraries many milliseconds, even where nothing is
    traced again. Images of equal size are computed together.

    Args:
        compute: takes uint8 [n, H, W, 3], n one of BUCKETS, and gives n rows.
        images: uint8 [H, W, 3] each, of any sizes.
    """
    rows: dict[int, Row] = {}
    for shape, positions in places_by_shape(images).items():
        start = 0
        for bucket in buckets_for(len(positions)):
            part = positions[start : start + bucket]
            batch = np.zeros((bucket, *shape), np.uint8)
            np.stack([images[position] for position in part], out=batch[: len(part)])
            # What was padded is cut off.
            rows.update(zip(part, compute(batch), strict=False))
            start += bucket
    return [rows[position] for position in range(len(images))]


def buckets_for(count: int) -> Iterator[int]:
    """The batches for `count` images: the last one is padded where that adds at most an eighth to it.

    Padding up to the next power of two would make five faces cost as much as eight; 4 + 1 cost five.
    """
    while count > 0:
        padded = (bucket for bucket in BUCKETS if count <= bucket and bucket - count <= LARGEST_PADDING * bucket)
        bucket = next(padded, None) or max(bucket for bucket in BUCKETS if bucket <= count)
        yield bucket
        count -= bucket


def square_around(box: Iterable[float]) -> tuple[int, int, int]:
    """Left, top and side of the square that `frame_face` cuts out, in whole pixels."""
    x1, y1, x2, y2 = (float(value) for value in box)
    side = max(1, math.floor(SQUARE_SCALE * max(x2 - x1, y2 - y1) + 0.5))
    return math.floor((x1 + x2 - side) / 2 + 0.5), math.floor((y1 + y2 - side) / 2 + 0.5), side
