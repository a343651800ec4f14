"""Real faces for the conversion of a network: those that int8 is calibrated on, and others to measure it on."""

import dataclasses
import logging
from pathlib import Path

import numpy as np

from lrfr_tf.data.folders import is_held_out
from lrfr_tf.data.landmarks import by_image, key_of, read_landmarks
from lrfr_tf.data.paired_photos import align_photos, find_paired_photos, landmarks_for
from lrfr_tf.data.pairs import read_pairs
from lrfr_tf.data.prepare_aligned import DELIVERED
from lrfr_tf.errors import UserError
from lrfr_tf.faces.align import TEMPLATES
from lrfr_tf.files import read_json
from lrfr_tf.images.decode import decode_image
from lrfr_tf.images.resize import resize
from lrfr_tf.sources.image_source import images_by_identity, open_source
from lrfr_tf.sources.pictures import read_photos

_logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class PairedFaces:
    """Aligned faces and pairs of them.

    Attributes:
        faces: uint8 [N, S, S, 3].
        first, second: int [n], places among the faces.
        same: bool [n].
        folds: int [n].
    """

    faces: np.ndarray
    first: np.ndarray
    second: np.ndarray
    same: np.ndarray
    folds: np.ndarray


def sample_faces(
    path: Path, side: int, count: int, held_out_divisor: int, *, held_out: bool, template: str | None = None
) -> np.ndarray:
    """Faces evenly spread over a folder or zip of <person>/<photo>, uint8 [n, side, side, 3], n at most `count`.

    Faces of another size are resized; those that cannot be read are named in the log and left out. From a tree of
    tools/prepare_aligned.py the frame without its margins is cut.

    Args:
        held_out_divisor: persons whose number is divisible by it are held out; 0 takes everybody in either case.
        held_out: take those persons, or all others.
        template: what the network was trained on; None where that does not matter.

    Raises:
        UserError: there is no such face, none can be read, or it is a tree on another template.
    """
    source = open_source(path)
    names = [
        name
        for person, photos in images_by_identity(source).items()
        if held_out_divisor == 0 or is_held_out(person, held_out_divisor) == held_out
        for name in photos
    ]
    if not names:
        wanted = "" if held_out else "not "
        raise UserError(f"{path} holds no person whose number is {wanted}divisible by {held_out_divisor}.")
    left = margin = 0
    if (path / "manifest.json").is_file():
        manifest = read_json(path / "manifest.json")
        left, margin = int(manifest.get("left_margin", 0)), int(manifest.get("margin", 0))
        if template in TEMPLATES and manifest.get("template", template) not in (template, DELIVERED):
            raise UserError(
                f"The faces in {path} lie on the template {manifest['template']!r}, and the model takes {template!r}."
            )
    places = np.unique(np.linspace(0, len(names) - 1, count).astype(int))
    read = list(read_photos(source, [names[place] for place in places]))
    photos = [picture.pixels for picture in read if picture.pixels is not None]
    for picture in read:
        if picture.error is not None:
            if not photos:
                raise UserError(picture.error)
            _logger.warning("%s", picture.error)
    photos = [face[margin : len(face) - margin, margin + left : face.shape[1] - margin] for face in photos]
    return np.stack([resize(photo, side, side) for photo in photos])


def read_paired_faces(
    path: Path, landmarks: Path | None, pairs: Path, pairs_per_fold: int, *, side: int, template: str | None = None
) -> PairedFaces:
    """The faces of the first pairs of every fold of a list, half of them matched, aligned to `side` x `side`.

    Args:
        path: folder or zip of <person>/<photo>.
        landmarks: table of landmarks by which photos are aligned; without one they are taken as aligned already.
        template: what they are aligned on; None is "lai".

    Raises:
        UserError: a file is missing, cannot be read, or the list has one fold only.
    """
    half = max(1, pairs_per_fold // 2)
    folds = []
    for fold in read_pairs(pairs):
        matched, mismatched = ([pair for pair in fold if pair.same == same] for same in (True, False))
        folds.append(matched[:half] + mismatched[:half])
    if len(folds) < 2:
        raise UserError(f"{pairs} has one fold; the threshold of a fold comes from the others, so two are needed.")
    source = open_source(path)
    photos = find_paired_photos(source, folds)
    if landmarks is None:
        faces = np.stack([resize(decode_image(source.read(n), source.label(n)), side, side) for n in photos.images])
    else:
        points = landmarks_for(
            [key_of(name) for name in photos.images], by_image(read_landmarks(landmarks)), str(landmarks)
        )
        faces = align_photos(source, photos.images, points, template or TEMPLATES[0], size=side)
    return PairedFaces(faces, photos.first, photos.second, photos.same, photos.folds)
