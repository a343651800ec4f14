"""A person's photos -> the face that is meant in each, with its embedding; by a recognizer, which loads TensorFlow."""

import dataclasses
import hashlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from lrfr_tf.faces.choose import face_at
from lrfr_tf.gallery.face_pictures import FacePicture, cut_picture
from lrfr_tf.names import nfc
from lrfr_tf.sources.image_source import FolderSource, ImageSource
from lrfr_tf.sources.pictures import Picture, in_chunks, read_photos
from lrfr_tf.sources.walk import is_skipped

if TYPE_CHECKING:
    from lrfr_tf.recognition.face_crops import FoundFace
    from lrfr_tf.recognition.recognizer import Recognizer


@dataclasses.dataclass(frozen=True, eq=False)
class EnrollmentFace:
    """What one photo shows.

    Attributes:
        photo: its name in the source.
        error: why it cannot be read, one sentence.
        face: the face that is meant; None: none was found.
        picture: the face with what is around it.
        embedding: float32 [D].
        rival: the height of the largest other face, as a share of this one's; 0: there is none.
        source_sha256: of the file's bytes.
    """

    photo: str
    error: str | None = None
    face: "FoundFace | None" = None
    picture: FacePicture | None = None
    embedding: np.ndarray | None = None
    rival: float = 0.0
    source_sha256: str | None = None


def faces_of(
    source: ImageSource,
    names: Sequence[str],
    recognizer: "Recognizer",
    checksums: bool = True,
    *,
    box: Sequence[float] | None = None,
) -> Iterator[EnrollmentFace]:
    """Reads photos, finds the faces that are meant and embeds them, some at a time.

    Args:
        names: of the photos in the source.
        recognizer: finds and embeds the faces.
        checksums: whether the files' checksums are wanted, for which each is read once more.
        box: (x1, y1, x2, y2) of the face that is meant, in pixels of the one photo; None: the main one.
    """
    for chunk in in_chunks(read_photos(source, names)):
        readable = [picture for picture in chunk if picture.pixels is not None]
        found = iter(recognizer.enroller.find([picture.pixels for picture in readable if picture.pixels is not None]))
        shown = [_shown(picture, [] if picture.pixels is None else next(found), box) for picture in chunk]
        embeddings = iter(recognizer.embed([one.face for one in shown if one.face is not None]))
        for one in shown:
            checksum = None
            if checksums and one.error is None:
                checksum = hashlib.sha256(source.read(one.photo)).hexdigest()
            embedding = None if one.face is None else next(embeddings)
            yield dataclasses.replace(one, embedding=embedding, source_sha256=checksum)


def _shown(picture: Picture, faces: Sequence["FoundFace"], box: Sequence[float] | None) -> EnrollmentFace:
    from lrfr_tf.recognition.face_crops import main_face_among

    if picture.pixels is None:
        return EnrollmentFace(picture.name, picture.error)
    if box is not None:  # then nobody asks which of several is meant
        row = face_at(np.array([face.box for face in faces]), box)
        faces = [] if row is None else [faces[row]]
    meant, _ = main_face_among(faces, picture.pixels)
    if meant is None:
        return EnrollmentFace(picture.name)
    others = [face.height for face in faces if face is not meant]
    rival = max(others, default=0.0) / meant.height
    return EnrollmentFace(
        picture.name, None, meant, cut_picture(picture.pixels, meant.box, meant.landmarks), rival=rival
    )


def empty_folders(source: ImageSource) -> list[str]:
    """Persons' folders without a single photo."""
    if not isinstance(source, FolderSource):
        return []  # a zip holds files only
    used = {nfc(name.partition("/")[0]) for name in source.names()}
    folders = {nfc(path.name) for path in source.root.iterdir() if path.is_dir()}
    return [name for name in folders if name not in used and not is_skipped(name)]
