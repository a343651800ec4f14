"""Photos -> the landmarks of one face in each."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from lrfr_tf.errors import UserError
from lrfr_tf.faces.choose import only_main_face
from lrfr_tf.faces.detect import FaceDetector
from lrfr_tf.images.resize import resize
from lrfr_tf.sources.image_source import ImageSource
from lrfr_tf.sources.pictures import Picture, in_chunks, read_photos

DETECT_AT_ONCE = 64
BYTES_AT_ONCE = 200_000_000  # ten mugshots of SCface


class FoundLandmarks(NamedTuple):
    """The landmarks of one face in each photo that shows one.

    Attributes:
        landmarks: name -> float32 [5, 2], (x, y) in pixels of the photo as it is, in the order of the names given.
        with_rival: the photos that show another face about as large (see `lrfr_tf.faces.choose.is_ambiguous`).
    """

    landmarks: dict[str, np.ndarray]
    with_rival: list[str]


def detect_landmarks(
    source: ImageSource,
    names: Sequence[str],
    detector: FaceDetector,
    *,
    enlargement: int = 1,
    pass_over: Callable[[str, UserError], None] | None = None,
) -> FoundLandmarks:
    """Detects the landmarks of the main face in each photo; a photo without a face is left out.

    Args:
        names: photos of the source.
        enlargement: photos are enlarged so many times, by bicubic, before they are searched.
        pass_over: told the names of photos that cannot be read, and why; they are left out then.

    Raises:
        UserError: a photo cannot be read, and nobody is to be told.
    """
    landmarks: dict[str, np.ndarray] = {}
    with_rival = []
    with tqdm(total=len(names), desc="detect landmarks", unit="image") as bar:
        # Few of large photos at a time, so that memory stays bounded.
        for photos in in_chunks(_readable(source, names, pass_over), DETECT_AT_ONCE, BYTES_AT_ONCE):
            searched = [_enlarged(photo.pixels, enlargement) for photo in photos if photo.pixels is not None]
            for photo, pixels, detection in zip(photos, searched, detector.detect(searched), strict=True):
                meant, rivaled = only_main_face(detection, pixels)
                if meant.found:
                    landmarks[photo.name] = meant.landmarks[0] / enlargement
                if rivaled:
                    with_rival.append(photo.name)
            bar.update(len(photos))
    return FoundLandmarks(landmarks, with_rival)


def _readable(
    source: ImageSource, names: Sequence[str], pass_over: Callable[[str, UserError], None] | None
) -> Iterator[Picture]:
    for photo in read_photos(source, names):
        if photo.pixels is not None:
            yield photo
        elif pass_over is None:
            raise UserError(str(photo.error))
        else:
            pass_over(photo.name, UserError(str(photo.error)))


def _enlarged(photo: np.ndarray, enlargement: int) -> np.ndarray:
    if enlargement == 1:
        return photo
    return resize(photo, photo.shape[0] * enlargement, photo.shape[1] * enlargement)
