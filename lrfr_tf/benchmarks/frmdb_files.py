"""FRMDB (face recognition from mugshots): one frontal mugshot a person, and photos by real surveillance cameras.

    <root>/<person>/mugshot.jpg, cam1.jpg ... cam5.jpg      head crops; a person may lack a camera
    <root>/points.csv                                       five landmarks a photo; see `data.landmarks`

Most of the cameras' photos are in profile or looking down, dark or blurred; their landmarks are often wrong.
"""

import dataclasses
import re
from pathlib import Path

import numpy as np

from lrfr_tf.data.landmarks import by_image, read_landmarks
from lrfr_tf.data.paired_photos import align_photos
from lrfr_tf.errors import UserError
from lrfr_tf.sources.image_source import FolderSource

POINTS = "points.csv"
CAMERAS = (1, 2, 3, 4, 5)

_PHOTO = re.compile(r"(mugshot|cam([1-5]))\.[a-z]+", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class Frmdb:
    """The benchmark: gallery and probes as names below the root, and their landmarks.

    Attributes:
        persons: names, sorted; labels are places in it.
        mugshots: one name for each of `persons`.
        probes: names, sorted by person and camera.
        labels, cameras: int64 [P], whose and which camera's the probes are.
        landmarks: (folder, file name without suffix) -> float64 [5, 2].
    """

    root: Path
    persons: list[str]
    mugshots: list[str]
    probes: list[str]
    labels: np.ndarray
    cameras: np.ndarray
    landmarks: dict[tuple[str, str], np.ndarray]

    def aligned(self, names: list[str], template: str, size: int) -> np.ndarray:
        """Reads photos and aligns them by their landmarks: uint8 [N, size, size, 3].

        Raises:
            UserError: a photo cannot be read, or its landmarks are one point.
        """
        points = [self.landmarks[_key(name)] for name in names]
        return align_photos(FolderSource(self.root), names, points, template, size)


def find_frmdb(root: Path) -> Frmdb:
    """Finds the photos and reads their landmarks.

    Raises:
        UserError: there are no photos, a person has no mugshot, or a photo has no landmarks.
    """
    photos: dict[str, dict[int, str]] = {}
    for name in FolderSource(root).names() if root.is_dir() else []:
        folder, _, file = name.rpartition("/")
        if (match := _PHOTO.fullmatch(file)) and folder and "/" not in folder:
            photos.setdefault(folder, {})[int(match[2] or 0)] = name
    if not photos:
        raise UserError(f"{root} holds no <person>/mugshot.jpg and <person>/cam1.jpg to cam5.jpg, as FRMDB should.")
    persons = sorted(photos)
    for person in persons:
        if 0 not in photos[person]:
            raise UserError(f"{root / person} has no mugshot.")
    probes = [
        (label, camera, photos[person][camera])
        for label, person in enumerate(persons)
        for camera in CAMERAS
        if camera in photos[person]
    ]
    if not probes:
        raise UserError(f"{root} holds mugshots alone, and no photo by a camera.")
    landmarks = dict(by_image(read_landmarks(root / POINTS)))
    mugshots = [photos[person][0] for person in persons]
    for name in (*mugshots, *(name for _, _, name in probes)):
        if _key(name) not in landmarks:
            raise UserError(f"{root / POINTS} has no landmarks of {name}.")
    labels, cameras = np.array([probe[:2] for probe in probes], np.int64).T
    return Frmdb(root, persons, mugshots, [name for _, _, name in probes], labels, cameras, landmarks)


def _key(name: str) -> tuple[str, str]:
    return Path(name).parent.name, Path(name).stem
