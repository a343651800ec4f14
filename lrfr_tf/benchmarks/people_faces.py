"""Photos of people -> one embedding for each photo in each condition, as a recognizer would make it of such photos.

A face of S pixels is made by shrinking the whole photo, cleanly or as a camera does it, and then it is looked for: what
the detector misses, and the landmarks that it misplaces in small faces, are part of what is measured.
"""

import dataclasses
import itertools
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from lrfr_tf.errors import UserError
from lrfr_tf.faces.detect import FaceDetector
from lrfr_tf.images.camera_numpy import photograph_scene
from lrfr_tf.printable import name_bytes
from lrfr_tf.recognition.face_crops import FaceCutter, FoundFace, main_face_among
from lrfr_tf.recognition.recognizer import GALLERY_THRESHOLDS, Recognizer
from lrfr_tf.sources.image_source import ImageSource
from lrfr_tf.sources.pictures import Picture, in_chunks, read_photos

Note = Callable[[str], None]


class Condition(NamedTuple):
    """How photos are shrunk before a face is looked for.

    Attributes:
        height: of the detected face, in pixels; 0 leaves the photo as it is.
        camera: one of `lrfr_tf.images.camera.LEVELS`.
    """

    height: int
    camera: str = "clean"

    @property
    def name(self) -> str:
        """As tables call it."""
        if self.height == 0:
            return "as it is"
        return f"{self.height} px" if self.camera == "clean" else f"{self.camera} {self.height} px"


NATIVE = Condition(0)


def conditions_of(heights: Sequence[int], cameras: Sequence[str]) -> list[Condition]:
    """Every height by every camera, each once, in the order of the cameras."""
    return [Condition(height, camera) for camera in dict.fromkeys(cameras) for height in sorted(set(heights))]


@dataclasses.dataclass(frozen=True)
class PeopleFaces:
    """Embeddings of photos of people.

    Attributes:
        names: the persons.
        persons: int64 [photos], whom each photo shows: a place in `names`.
        conditions: how they were shrunk; the first is `NATIVE`.
        embeddings: float32 [conditions, photos, D], of unit length where a face was found.
        found: bool [conditions, photos].
        possible: bool [conditions, photos]: False where the face of the photo is smaller than that height.
    """

    names: tuple[str, ...]
    persons: np.ndarray
    conditions: tuple[Condition, ...]
    embeddings: np.ndarray
    found: np.ndarray
    possible: np.ndarray


def embed_people(
    photos: Mapping[str, Sequence[tuple[ImageSource, str]]],
    conditions: Sequence[Condition],
    recognizer: Recognizer,
    note: Note,
    *,
    progress: Callable[[int], object] = lambda count: None,
) -> PeopleFaces:
    """Embeds the main face in each photo, at its own size and in each condition.

    A face smaller than a height is not enlarged to it.

    Args:
        photos: person -> where each photo is.
        conditions: to shrink the photos in; random parts of a camera depend on the photo's name alone.
        note: told, in one sentence each, about photos that cannot be read or show no face; they are left out.
        progress: told about numbers of finished photos.

    Raises:
        UserError: no photo shows a face.
    """
    names, persons, rows = tuple(photos), [], []
    for person, name in enumerate(names):
        for source, found in _by_source(photos[name]):
            for chunk in in_chunks(read_photos(source, found)):
                made = _embed_chunk(source, chunk, conditions, recognizer, note=note)
                persons += [person] * len(made)
                rows += made
                progress(len(chunk))
    if not rows:
        raise UserError("No photo of these people shows a face.")
    embeddings, found_faces, possible = (np.stack(parts, axis=1) for parts in zip(*rows, strict=True))
    return PeopleFaces(names, np.array(persons, np.int64), (NATIVE, *conditions), embeddings, found_faces, possible)


Row = tuple[np.ndarray, np.ndarray, np.ndarray]  # of one photo: embeddings [conditions, D], found and possible


def _by_source(photos: Sequence[tuple[ImageSource, str]]) -> Iterator[tuple[ImageSource, list[str]]]:
    for source, group in itertools.groupby(photos, key=lambda photo: photo[0]):
        yield source, [name for _, name in group]


def _embed_chunk(
    source: ImageSource,
    pictures: Sequence[Picture],
    conditions: Sequence[Condition],
    recognizer: Recognizer,
    *,
    note: Note,
) -> list[Row]:
    """The rows of those photos that show a face; all their faces are embedded together."""
    for picture in pictures:
        if picture.error is not None:
            note(picture.error)
    photos = [(picture.name, picture.pixels) for picture in pictures if picture.pixels is not None]
    # Nobody looks twice here, unlike at enrolling: the published figures and calibrations are of these faces.
    native_cutter = recognizer.cutter.with_detector(FaceDetector(GALLERY_THRESHOLDS))
    natives = native_cutter.find([pixels for _, pixels in photos])
    faces: list[list[FoundFace | None]] = []
    possible = []
    for (name, pixels), found in zip(photos, natives, strict=True):
        native, _ = main_face_among(found, pixels)
        if native is None:
            note(f"{source.label(name)} shows no face, and is left out.")
            continue
        possible.append(np.array([True, *(condition.height <= native.height for condition in conditions)]))
        smaller = zip(conditions, possible[-1][1:], strict=True)
        shrunk = (
            _find_in_shrunk(pixels, native, how, name, cutter=recognizer.cutter) if fits else None
            for how, fits in smaller
        )
        faces.append([native, *shrunk])
    embeddings = iter(recognizer.embed([face for row in faces for face in row if face is not None]))
    nothing = np.zeros(recognizer.embedder.dimensions, np.float32)
    return [
        (
            np.stack([nothing if face is None else next(embeddings) for face in row]),
            np.array([face is not None for face in row]),
            fits,
        )
        for row, fits in zip(faces, possible, strict=True)
    ]


def shrink_photo(
    photo: np.ndarray, native: FoundFace, condition: Condition, name: str
) -> tuple[np.ndarray, tuple[float, float, float, float]]:
    """A photo as a condition shrinks it, and where its face lies in it.

    Args:
        native: the face in the photo as it is.
        name: of the photo; random parts of a camera depend on it alone.

    Returns:
        uint8 [h, w, 3], and the box (x1, y1, x2, y2) of the face in pixels of that.
    """
    factor = condition.height / native.height
    rows, columns = (max(1, round(factor * side)) for side in photo.shape[:2])
    small = photograph_scene(photo, rows, columns, level=condition.camera, seed=zlib.crc32(name_bytes(name)))
    across, along = columns / photo.shape[1], rows / photo.shape[0]
    x1, y1, x2, y2 = native.box
    return small, (x1 * across, y1 * along, x2 * across, y2 * along)


def is_inside(face: Sequence[float], box: Sequence[float]) -> bool:
    """Whether the middle of a face's box lies in another box; both (x1, y1, x2, y2)."""
    x, y = (face[0] + face[2]) / 2, (face[1] + face[3]) / 2
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]


def _find_in_shrunk(
    photo: np.ndarray, native: FoundFace, condition: Condition, name: str, *, cutter: FaceCutter
) -> FoundFace | None:
    """The face of the shrunk photo; None where no face or that of somebody else is found."""
    small, box = shrink_photo(photo, native, condition, name)
    face, _ = main_face_among(cutter.find([small])[0], small)
    return face if face is not None and is_inside(face.box, box) else None
