"""Photos -> the landmarks of one face in each."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from lrfr_tf.errors import UserError
from lrfr_tf.faces.choose import only_main_face
from lrfr_tf.faces.detect import FaceDetector
from lrfr_tf.images.decode import decode_image
from lrfr_tf.images.resize import resize
from lrfr_tf.sources.image_source import ImageSource

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
        for photos in _in_chunks(source, names, pass_over):
            searched = [_enlarged(photo, enlargement) for photo in photos.values()]
            for name, photo, detection in zip(photos, searched, detector.detect(searched), strict=True):
                meant, rivaled = only_main_face(detection, photo)
                if meant.found:
                    landmarks[name] = meant.landmarks[0] / enlargement
                if rivaled:
                    with_rival.append(name)
            bar.update(len(photos))
    return FoundLandmarks(landmarks, with_rival)


def _in_chunks(
    source: ImageSource, names: Sequence[str], pass_over: Callable[[str, UserError], None] | None
) -> Iterator[dict[str, np.ndarray]]:
    """name -> photo, some at a time: few of large photos, so that memory stays bounded."""
    photos: dict[str, np.ndarray] = {}
    for name in names:
        try:
            photos[name] = decode_image(source.read(name), source.label(name))
        except UserError as error:
            if pass_over is None:
                raise
            pass_over(name, error)
            continue
        if len(photos) == DETECT_AT_ONCE or sum(photo.size for photo in photos.values()) >= BYTES_AT_ONCE:
            yield photos
            photos = {}
    if photos:
        yield photos


def _enlarged(photo: np.ndarray, enlargement: int) -> np.ndarray:
    if enlargement == 1:
        return photo
    return resize(photo, photo.shape[0] * enlargement, photo.shape[1] * enlargement)
