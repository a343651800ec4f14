"""LFW, or any other photos of persons with a list of pairs: the photos of the pairs, aligned to squares.

LFW itself is `lfw/<Name>/<Name>_0001.jpg` and so on with its own `pairs.txt`; any tree of `<person>/<photo>`, or a zip
of one, serves with a list that `python -m lrfr_tf.cli.make_pairs` wrote.
"""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
from tqdm import tqdm

from lrfr_tf.data.pairs import Pair, PairedImages, find_paired_images, image_key
from lrfr_tf.errors import UserError
from lrfr_tf.faces.align import ALIGNED_SIZE, align_face, template_points
from lrfr_tf.images.decode import decode_image
from lrfr_tf.plural import any_of
from lrfr_tf.sources.image_source import ImageSource

# A photo without landmarks is cut out as if a face of LFW's usual size stood in its middle: in LFW the square that the
# template shows is about half as wide as the photo.
FALLBACK_SHARE = 0.5


def find_paired_photos(source: ImageSource, folds: Sequence[Sequence[Pair]]) -> PairedImages[str]:
    """Finds the photos of the pairs in `<person>/<photo>`; each image is the name that the source has for it.

    The list says who is a person, so the first folder on the way to a photo that it names is the photo's: LFW unpacked
    is found from its own folder as from the one above it.

    Raises:
        UserError: see `find_paired_images`; photos may also be alike but for folders above the person's.
    """
    persons = {image_key(*image)[0] for pairs in folds for pair in pairs for image in (pair.first, pair.second)}
    there = []
    for name in source.names():
        *folders, file_name = name.split("/")
        named = (folder for folder in folders if image_key(folder, file_name)[0] in persons)
        there += [(person, file_name, name) for person in itertools.islice(named, 1)]
    return find_paired_images(folds, there, source.label(""))


def align_photos(
    source: ImageSource,
    names: Sequence[str],
    landmarks: Sequence[np.ndarray | None],
    template: str,
    *,
    size: int = ALIGNED_SIZE,
    margin: int = 0,
) -> np.ndarray:
    """Reads photos and aligns them: uint8 [n, size + 2 * margin, size + 2 * margin, 3].

    Args:
        landmarks: [5, 2] for each photo, or None: see `fallback_landmarks`.
        template: one of `faces.align.TEMPLATES`.

    Raises:
        UserError: a photo cannot be read, or its landmarks are one point.
    """
    side = size + 2 * margin
    aligned = np.empty((len(names), side, side, 3), np.uint8)
    for place, name in enumerate(tqdm(names, desc="align", unit="image")):
        photo = decode_image(source.read(name), source.label(name))
        points = landmarks[place]
        if points is None:
            points = fallback_landmarks(photo.shape[0], photo.shape[1])
        try:
            aligned[place] = align_face(photo, points, template=template, size=size, margin=margin)
        except ValueError:
            raise UserError(f"The five landmarks of {source.label(name)} are no face: {points.tolist()}.") from None
    return aligned


def fallback_landmarks(height: int, width: int) -> np.ndarray:
    """Landmarks for a photo whose face was not found: float64 [5, 2], those of the centred template, laid over the
    square in the middle of the photo whose side is `FALLBACK_SHARE` of the photo's shorter side."""
    side = FALLBACK_SHARE * min(height, width)
    corner = np.array([width - side, height - side]) / 2
    return template_points("centred", ALIGNED_SIZE) * (side / ALIGNED_SIZE) + corner


def landmarks_for(
    keys: Sequence[tuple[str, str]], landmarks: Mapping[tuple[str, str], np.ndarray], where: str
) -> list[np.ndarray | None]:
    """The landmarks of each photo, None where there are none.

    Raises:
        UserError: there are none at all: the table is of other photos.
    """
    found = [landmarks.get(key) for key in keys]
    if all(points is None for points in found):
        raise UserError(f"{where} holds no landmarks of {any_of(len(keys), 'photo')}, such as {'/'.join(keys[0])}.")
    return found
