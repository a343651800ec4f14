"""LFW, or any other photos of persons with a list of pairs: the photos of the pairs, aligned to squares.

LFW itself is `lfw/<Name>/<Name>_0001.jpg` and so on with its own `pairs.txt`; any tree of `<person>/<photo>`, or a zip
of one, serves with a list that tools/make_pairs.py wrote.
"""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from tqdm import tqdm

from lrfr_tf.data.image_source import ImageSource, images_by_identity
from lrfr_tf.data.pairs import Pair, image_key
from lrfr_tf.errors import UserError
from lrfr_tf.faces.align import ALIGNED_SIZE, align_face, template_points
from lrfr_tf.images.decode import decode_image

# A photo without landmarks is cut out as if a face of LFW's usual size stood in its middle: in LFW the square that the
# template shows is about half as wide as the photo.
FALLBACK_SHARE = 0.5


@dataclasses.dataclass(frozen=True)
class PairedPhotos:
    """The pairs of a list as places in one list of photos, each photo once.

    Attributes:
        names: the photos, as the source names them.
        keys: (person, file name without suffix) of each photo.
        first, second: int [n], the places of each pair's photos.
        same: bool [n].
        folds: int [n], from 0 on.
        persons: int [n, 2], a number for each person.
    """

    names: list[str]
    keys: list[tuple[str, str]]
    first: np.ndarray
    second: np.ndarray
    same: np.ndarray
    folds: np.ndarray
    persons: np.ndarray

    def counts(self) -> dict[str, int]:
        """How many pairs, folds, persons and photos there are."""
        return {
            "pairs": len(self.same),
            "matched": int(self.same.sum()),
            "folds": len(np.unique(self.folds)),
            "persons": len(np.unique(self.persons)),
            "images": len(self.names),
        }


def find_paired_photos(source: ImageSource, folds: Sequence[Sequence[Pair]]) -> PairedPhotos:
    """Finds the photos of the pairs in `<person>/<photo>`; the suffix of a photo does not count.

    Raises:
        UserError: a photo is missing, or two photos differ in their suffix or in folders above the person's only.
    """
    there: dict[tuple[str, str], str] = {}
    for person, names in images_by_identity(source).items():
        for name in names:
            key = image_key(person, name.split("/")[-1])
            if key in there:
                raise UserError(f"{source.label('')} holds {'/'.join(key)} twice: {there[key]} and {name}.")
            there[key] = name
    places: dict[tuple[str, str], int] = {}
    persons: dict[str, int] = {}
    rows = []
    for fold, pairs in enumerate(folds):
        for pair in pairs:
            keys = [image_key(*pair.first), image_key(*pair.second)]
            numbers = [persons.setdefault(key[0], len(persons)) for key in keys]
            rows.append([*(places.setdefault(key, len(places)) for key in keys), pair.same, fold, *numbers])
    missing = [key for key in places if key not in there]
    if missing:
        raise UserError(
            f"{source.label('')} lacks {len(missing)} of the {len(places)} photos that the list of pairs names, such "
            f"as {'/'.join(missing[0])}.jpg."
        )
    table = np.array(rows)
    return PairedPhotos(
        [there[key] for key in places], list(places), table[:, 0], table[:, 1], table[:, 2].astype(bool), table[:, 3],
        table[:, 4:],
    )  # fmt: skip


def align_photos(
    source: ImageSource,
    names: Sequence[str],
    landmarks: Sequence[np.ndarray | None],
    template: str,
    size: int = ALIGNED_SIZE,
) -> np.ndarray:
    """Reads photos and aligns them: uint8 [n, size, size, 3].

    Args:
        landmarks: [5, 2] for each photo, or None: see `fallback_landmarks`.
        template: one of `faces.align.TEMPLATES`.

    Raises:
        UserError: a photo cannot be read, or its landmarks are one point.
    """
    aligned = np.empty((len(names), size, size, 3), np.uint8)
    for place, name in enumerate(tqdm(names, desc="align", unit="image")):
        photo = decode_image(source.read(name), source.label(name))
        points = landmarks[place]
        if points is None:
            points = fallback_landmarks(photo.shape[0], photo.shape[1])
        try:
            aligned[place] = align_face(photo, points, template, size)
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
        raise UserError(f"{where} holds landmarks of none of the {len(keys)} photos, such as {'/'.join(keys[0])}.")
    return found
