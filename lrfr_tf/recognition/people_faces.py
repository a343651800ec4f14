"""Photos of people -> one embedding for each photo at each face height, as a recogniser would make it of such photos.

A face of S pixels is made by shrinking the whole photo, and then it is looked for: what the detector misses, and the
landmarks that it misplaces in small faces, are part of what is measured.
"""

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from lrfr_tf.data.image_source import ImageSource
from lrfr_tf.errors import UserError
from lrfr_tf.faces.choose import meant_face
from lrfr_tf.images.resize import resize
from lrfr_tf.recognition.embedding import Embedder
from lrfr_tf.recognition.face_crops import FaceCutter, FoundFace
from lrfr_tf.recognition.gallery import embed_faces
from lrfr_tf.recognition.pictures import Picture, in_chunks, read_photos

NATIVE = 0  # stands for the photo as it is

Note = Callable[[str], None]


@dataclasses.dataclass(frozen=True)
class PeopleFaces:
    """Embeddings of photos of people.

    Attributes:
        names: the persons.
        persons: int64 [photos], whom each photo shows: a place in `names`.
        heights: the face heights in pixels; the first is `NATIVE`.
        embeddings: float32 [heights, photos, D], of unit length where a face was found.
        found: bool [heights, photos].
        possible: bool [heights, photos]: False where the face of the photo is smaller than that height.
    """

    names: tuple[str, ...]
    persons: np.ndarray
    heights: tuple[int, ...]
    embeddings: np.ndarray
    found: np.ndarray
    possible: np.ndarray


class Measure:
    """How faces are found and embedded for a measurement.

    Args:
        embedder: makes the embeddings.
        input_size: as for `gallery.PeopleGallery`.
        gallery_cutter: finds the faces of photos as they are.
        cutter: finds the faces of photos that were shrunk.
    """

    def __init__(
        self, embedder: Embedder, input_size: int | None, gallery_cutter: FaceCutter, cutter: FaceCutter
    ) -> None:
        self.embedder = embedder
        self.input_size = input_size
        self.gallery_cutter = gallery_cutter
        self.cutter = cutter

    def embed(self, faces: Sequence[FoundFace]) -> np.ndarray:
        """float32 [N, D] of unit length."""
        return embed_faces(self.embedder, self.input_size, [face.pixels for face in faces])


def embed_people(
    photos: Mapping[str, Sequence[tuple[ImageSource, str]]],
    heights: Sequence[int],
    measure: Measure,
    note: Note,
    progress: Callable[[int], object] = lambda count: None,
) -> PeopleFaces:
    """Embeds the face that is meant in each photo, at its own size and shrunk to each height.

    A face smaller than a height is not enlarged to it.

    Args:
        photos: person -> where each photo is.
        heights: of the detected face, in pixels.
        note: told, in one sentence each, about photos that cannot be read or show no face; they are left out.
        progress: told about numbers of finished photos.

    Raises:
        UserError: no photo shows a face.
    """
    names, persons, rows = tuple(photos), [], []
    for person, name in enumerate(names):
        for source, found in _by_source(photos[name]):
            for chunk in in_chunks(read_photos(source, found)):
                made = _embed_chunk(source, chunk, heights, measure, note)
                persons += [person] * len(made)
                rows += made
                progress(len(chunk))
    if not rows:
        raise UserError("No photo of these people shows a face.")
    embeddings, found_faces, possible = (np.stack(parts, axis=1) for parts in zip(*rows, strict=True))
    return PeopleFaces(names, np.array(persons, np.int64), (NATIVE, *heights), embeddings, found_faces, possible)


Row = tuple[np.ndarray, np.ndarray, np.ndarray]  # of one photo: embeddings [heights, D], found and possible [heights]


def _by_source(photos: Sequence[tuple[ImageSource, str]]) -> Iterator[tuple[ImageSource, list[str]]]:
    for source, group in itertools.groupby(photos, key=lambda photo: photo[0]):
        yield source, [name for _, name in group]


def _embed_chunk(
    source: ImageSource, pictures: Sequence[Picture], heights: Sequence[int], measure: Measure, note: Note
) -> list[Row]:
    """The rows of those photos that show a face; all their faces are embedded together."""
    for picture in pictures:
        if picture.error is not None:
            note(picture.error)
    photos = [(picture.name, picture.pixels) for picture in pictures if picture.pixels is not None]
    natives = measure.gallery_cutter.find([pixels for _, pixels in photos])
    faces: list[list[FoundFace | None]] = []
    possible = []
    for (name, pixels), found in zip(photos, natives, strict=True):
        native = _meant(found, pixels)
        if native is None:
            note(f"{source.label(name)} shows no face, and is left out.")
            continue
        possible.append(np.array([True, *(height <= native.height for height in heights)]))
        smaller = zip(heights, possible[-1][1:], strict=True)
        faces.append([native, *(_shrunk(pixels, native, height, measure.cutter) if fits else None
                                for height, fits in smaller)])  # fmt: skip
    embeddings = iter(measure.embed([face for row in faces for face in row if face is not None]))
    nothing = np.zeros(measure.embedder.dimensions, np.float32)
    return [
        (
            np.stack([nothing if face is None else next(embeddings) for face in row]),
            np.array([face is not None for face in row]),
            fits,
        )
        for row, fits in zip(faces, possible, strict=True)
    ]


def _shrunk(photo: np.ndarray, native: FoundFace, height: int, cutter: FaceCutter) -> FoundFace | None:
    """The face of the shrunk photo; None where no face or that of somebody else is found."""
    factor = height / native.height
    rows, columns = (max(1, round(factor * side)) for side in photo.shape[:2])
    small = resize(photo, rows, columns)
    face = _meant(cutter.find([small])[0], small)
    if face is None:
        return None
    stretch = np.array([columns / photo.shape[1], rows / photo.shape[0]] * 2)
    x1, y1, x2, y2 = np.array(native.box) * stretch
    x, y = (face.box[0] + face.box[2]) / 2, (face.box[1] + face.box[3]) / 2
    return face if x1 <= x <= x2 and y1 <= y <= y2 else None


def _meant(faces: Sequence[FoundFace], photo: np.ndarray) -> FoundFace | None:
    if not faces:
        return None
    boxes = np.array([face.box for face in faces])
    scores = np.array([face.detection_score for face in faces])
    return faces[meant_face(boxes, scores, *photo.shape[:2])]
