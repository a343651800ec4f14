"""Photos -> the landmarks of one face in each."""

from collections.abc import Iterator, Sequence

import numpy as np
from tqdm import tqdm

from lrfr_tf.data.image_source import ImageSource
from lrfr_tf.faces.detect import Detection, FaceDetector
from lrfr_tf.images.decode import decode_image
from lrfr_tf.images.resize import resize

CHOICES = ("confident", "central")
DETECT_AT_ONCE = 64
BYTES_AT_ONCE = 200_000_000  # ten mugshots of SCface


def detect_landmarks(
    source: ImageSource, names: Sequence[str], detector: FaceDetector, choice: str = "confident", enlargement: int = 1
) -> dict[str, np.ndarray]:
    """Detects the landmarks of one face in each photo; a photo without a face is left out.

    Args:
        names: photos of the source.
        choice: which of several faces: "confident" is the one the detector is surest of, "central" the one whose box
            lies nearest to the middle of the photo (in LFW the person who is named is the one in the middle).
        enlargement: photos are enlarged so many times, by bicubic, before they are searched.

    Returns:
        name -> float32 [5, 2], (x, y) in pixels of the photo as it is, in the order of `names`.

    Raises:
        UserError: a photo cannot be read.
    """
    if choice not in CHOICES:
        raise ValueError(f"The face is chosen as {' or '.join(CHOICES)}, not {choice!r}.")
    found: dict[str, np.ndarray] = {}
    with tqdm(total=len(names), desc="detect landmarks", unit="image") as bar:
        for photos in _in_chunks(source, names):
            searched = [_enlarged(photo, enlargement) for photo in photos.values()]
            for name, photo, detection in zip(photos, searched, detector.detect(searched), strict=True):
                if detection.found:
                    found[name] = detection.landmarks[_chosen(detection, photo, choice)] / enlargement
            bar.update(len(photos))
    return found


def _in_chunks(source: ImageSource, names: Sequence[str]) -> Iterator[dict[str, np.ndarray]]:
    """name -> photo, some at a time: few of large photos, so that memory stays bounded."""
    photos: dict[str, np.ndarray] = {}
    for name in names:
        photos[name] = decode_image(source.read(name), source.label(name))
        if len(photos) == DETECT_AT_ONCE or sum(photo.size for photo in photos.values()) >= BYTES_AT_ONCE:
            yield photos
            photos = {}
    if photos:
        yield photos


def _enlarged(photo: np.ndarray, enlargement: int) -> np.ndarray:
    if enlargement == 1:
        return photo
    return resize(photo, photo.shape[0] * enlargement, photo.shape[1] * enlargement)


def _chosen(detection: Detection, photo: np.ndarray, choice: str) -> int:
    if choice == "confident":
        return 0  # they come most confident first
    middle = np.array([photo.shape[1], photo.shape[0]]) / 2
    centres = (detection.boxes[:, :2] + detection.boxes[:, 2:]) / 2
    return int(np.argmin(np.linalg.norm(centres - middle, axis=1)))
