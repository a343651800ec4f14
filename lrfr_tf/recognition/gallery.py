"""Names out of a gallery: a folder with one folder of photos for each person."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from lrfr_tf.data.folders import sorted_names
from lrfr_tf.errors import UserError
from lrfr_tf.faces.choose import rival_note
from lrfr_tf.images.resize import resize
from lrfr_tf.networks.embedding import Embedder
from lrfr_tf.recognition.face_crops import FaceCutter, in_buckets, meant_among
from lrfr_tf.sources.image_source import FolderSource, ImageSource, images_by_identity, is_passed_over
from lrfr_tf.sources.pictures import in_chunks, read_photos

NAMES_GIVEN = 5


class Match(NamedTuple):
    """A name that a face may have, and how well it fits."""

    name: str
    score: float


class PeopleGallery:
    """Compares faces with the persons of a gallery by the cosine of their embeddings.

    A person is the mean of the embeddings of the photos, made unit length again. So a face is compared once with each
    person, however many photos there are, as the calibrated thresholds assume; the best of n photos would reach a
    threshold by chance up to n times as often.

    Args:
        embedder: faces -> unit-length embeddings.
        input_size: the side to which faces are resized before, in pixels, so that they can be computed together; None
            leaves that to the embedder.
        names: the persons.
        embeddings: float32 [persons, D] of unit length.
    """

    def __init__(
        self, embedder: Embedder, input_size: int | None, names: Sequence[str], embeddings: np.ndarray
    ) -> None:
        self.embedder = embedder
        self.input_size = input_size
        self.names = list(names)
        self.embeddings = embeddings

    def match(self, faces: Sequence[np.ndarray]) -> list[list[Match]]:
        """The best five names of each face, best first; scores are cosines in [-1, 1].

        Args:
            faces: uint8 [h, w, 3] each.
        """
        if not faces:
            return []
        scores = embed_faces(self.embedder, self.input_size, faces) @ self.embeddings.T
        best = np.argsort(-scores, axis=1, kind="stable")[:, :NAMES_GIVEN]
        return [
            [Match(self.names[person], float(scores[row, person])) for person in persons]
            for row, persons in enumerate(best)
        ]


def embed_faces(embedder: Embedder, input_size: int | None, faces: Sequence[np.ndarray]) -> np.ndarray:
    """Embeds faces of any sizes in batches of fixed numbers: float32 [N, D]; `input_size` as for PeopleGallery."""
    if input_size is not None:
        own = (input_size, input_size, 3)
        faces = [face if face.shape == own else resize(face, input_size, input_size) for face in faces]
    rows = in_buckets(embedder.embed, faces)
    return np.stack(rows) if rows else np.zeros((0, embedder.dimensions), np.float32)


def enroll(
    source: ImageSource, embedder: Embedder, input_size: int | None, cutter: FaceCutter, note: Callable[[str], None]
) -> PeopleGallery:
    """Embeds <person>/<photo> once: in each photo the face that is meant (see `lrfr_tf.faces.choose`).

    Args:
        source: the photos; see `images_by_identity`.
        input_size: as for PeopleGallery.
        note: told, in one sentence each, about photos that cannot be read or show no face, and about persons without
            one that does; they are left out. And about photos with another face about as large, which are not.

    Raises:
        UserError: there is no photo, or none shows a face.
    """
    photos = images_by_identity(source, note)
    names, means = [], []
    for person in sorted_names([*photos, *_empty_folders(source)]):
        embeddings = np.concatenate(
            [np.zeros((0, embedder.dimensions), np.float32)]
            + [
                embed_faces(embedder, input_size, faces)
                for faces in _faces(source, photos.get(person, []), cutter, note)
            ]
        )
        mean = embeddings.sum(axis=0)
        length = float(np.linalg.norm(mean))
        if not length > 1e-6:  # NaN neither
            note(f"{person} has no photo in the gallery that shows a face, and is left out.")
            continue
        names.append(person)
        means.append(mean / length)
    if not names:
        raise UserError(f"No face was found in any photo of the gallery {source.label('')}.")
    return PeopleGallery(embedder, input_size, names, np.stack(means).astype(np.float32))


def _empty_folders(source: ImageSource) -> list[str]:
    """Persons without a single photo."""
    if not isinstance(source, FolderSource):
        return []  # a zip holds files only
    used = {name.partition("/")[0] for name in source.names()}
    folders = (path.name for path in source.root.iterdir() if path.is_dir())
    return [name for name in folders if name not in used and not is_passed_over(name)]


def _faces(
    source: ImageSource, names: Sequence[str], cutter: FaceCutter, note: Callable[[str], None]
) -> Iterator[list[np.ndarray]]:
    """The faces of one person's photos, some at a time."""
    for chunk in in_chunks(read_photos(source, names)):
        for picture in chunk:
            if picture.error is not None:
                note(picture.error)
        readable = [picture for picture in chunk if picture.pixels is not None]
        found = cutter.find([picture.pixels for picture in readable if picture.pixels is not None])
        taken = []
        for picture, faces in zip(readable, found, strict=True):
            assert picture.pixels is not None
            meant, rival = meant_among(faces, picture.pixels)
            if meant is None:
                note(f"{source.label(picture.name)} shows no face, and is left out of the gallery.")
                continue
            taken.append(meant.pixels)
            if rival:
                note(rival_note(source.label(picture.name)))
        yield taken
