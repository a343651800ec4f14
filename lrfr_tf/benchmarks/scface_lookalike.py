"""A look-alike of SCface out of other photos of persons: the same names, folders and landmark tables.

Each person gets one mugshot and five probes; the probes are shrunk until the eyes are as far apart as SCface has them
at its distances (10, 17 and 30 px in the median), so an embedder can be measured as on SCface without SCface.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tqdm import tqdm

from lrfr_tf.benchmarks.scface.files import CAMERAS, MUGSHOT_FOLDERS, MUGSHOT_TABLE, PROBE_FOLDER, table_name
from lrfr_tf.data.landmarks import write_landmarks
from lrfr_tf.errors import UserError
from lrfr_tf.files import atomic_folder, write_json
from lrfr_tf.images.camera_numpy import photograph_scene
from lrfr_tf.images.decode import decode_image
from lrfr_tf.plural import counted
from lrfr_tf.sources.image_source import ImageSource

JPEG_QUALITY = 95
ROOT = "SCface_database"
TABLES = "landmarks"


@dataclasses.dataclass(frozen=True)
class ChosenPerson:
    """A person and the photos that become the mugshot and, in the order of the cameras, the probes."""

    identity: str
    mugshot: str
    probes: tuple[str, ...]


def eye_distance(landmarks: np.ndarray) -> float:
    """The distance of the two eyes in pixels."""
    return float(np.linalg.norm(np.subtract(landmarks[1], landmarks[0])))


def choose_photos(
    photos: Mapping[str, Sequence[str]], landmarks: Mapping[str, np.ndarray], least_eye_distance: float, persons: int
) -> list[ChosenPerson]:
    """Chooses, for the first `persons` with six photos or more, the mugshot and five probes.

    The mugshot has the largest eye distance. The probes are the first by name of the other photos whose eyes are
    `least_eye_distance` apart or more; where they are too few, those with the next largest distances follow.

    Args:
        photos: person -> names, in the order in which persons are taken.
        landmarks: name -> [5, 2]; photos without are not taken.
        persons: the most to take; 0 takes all.

    Raises:
        UserError: nobody has six photos with landmarks.
    """
    chosen = []
    for identity, names in photos.items():
        known = sorted(name for name in names if name in landmarks)
        if len(known) < 1 + len(CAMERAS):
            continue
        distances = {name: eye_distance(landmarks[name]) for name in known}
        mugshot = max(known, key=distances.__getitem__)
        others = [name for name in known if name != mugshot]
        # Far enough apart: by name. Nearer: after all of those, by distance.
        others.sort(key=lambda name: (max(0.0, least_eye_distance - distances[name]), name))
        chosen.append(ChosenPerson(identity, mugshot, tuple(others[: len(CAMERAS)])))
        if len(chosen) == persons:
            break
    if not chosen:
        raise UserError(
            f"Of {counted(len(photos), 'person')} nobody has {1 + len(CAMERAS)} photos with landmarks, which one "
            "mugshot and "
            f"{len(CAMERAS)} probes need."
        )
    return chosen


def write_scface_lookalike(
    output: Path,
    source: ImageSource,
    chosen: Sequence[ChosenPerson],
    landmarks: Mapping[str, np.ndarray],
    *,
    eye_distances: Sequence[float],
    level: str = "clean",
) -> dict[str, Any]:
    """Writes `<output>/SCface_database` and `<output>/landmarks`, both whole or not at all.

    Args:
        output: a folder that is not there yet.
        chosen: the persons; the first gets the number 1.
        landmarks: name -> [5, 2], in pixels of the source.
        eye_distances: in pixels, for distance 1, 2 and so on. A photo whose eyes are closer is not shrunk.
        level: how probes are shrunk, one of `images.camera.LEVELS`; the seed is the probe's number.

    Returns:
        Counts: persons, probes, and probes that were not shrunk since their eyes are closer already.

    Raises:
        UserError: `output` is there already, or a photo cannot be read.
    """
    if output.exists():
        raise UserError(f"{output} is there already and is not replaced; choose another `output`.")
    tables: dict[str, dict[str, np.ndarray]] = {MUGSHOT_TABLE: {}}
    tables |= {table_name(distance + 1): {} for distance in range(len(eye_distances))}
    not_shrunk = probes = 0
    with atomic_folder(output) as temporary:
        for folder in (MUGSHOT_FOLDERS[0], PROBE_FOLDER):
            (temporary / ROOT / folder).mkdir(parents=True)
        for subject, person in enumerate(tqdm(chosen, desc="write", unit="person"), start=1):
            name = f"{MUGSHOT_FOLDERS[0]}/{subject:03d}_frontal.jpg"
            _write_jpeg(temporary / ROOT / name, _read(source, person.mugshot))
            tables[MUGSHOT_TABLE][name] = landmarks[person.mugshot]
            for camera, photo in zip(CAMERAS, person.probes, strict=True):
                image, points = _read(source, photo), landmarks[photo]
                for distance, wanted in enumerate(eye_distances, start=1):
                    small, small_points = shrink(image, points, wanted, level=level, seed=probes)
                    probes += 1
                    not_shrunk += eye_distance(points) < wanted
                    name = f"{PROBE_FOLDER}/{subject:03d}_cam{camera}_{distance}.jpg"
                    _write_jpeg(temporary / ROOT / name, small)
                    tables[table_name(distance)][name] = small_points
        for table, rows in tables.items():
            write_landmarks(temporary / TABLES / table, rows)
        counts = {
            "persons": len(chosen),
            "probes": len(chosen) * len(CAMERAS) * len(eye_distances),
            "probes_not_shrunk": not_shrunk,
        }
        people = {f"{subject:03d}": dataclasses.asdict(person) for subject, person in enumerate(chosen, start=1)}
        write_json(
            temporary / "manifest.json",
            {"schema": 1, "eye_distances": list(eye_distances), "camera": level, "counts": counts, "persons": people},
        )
    return counts


def shrink(
    image: np.ndarray, landmarks: np.ndarray, wanted: float, *, level: str = "clean", seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Shrinks a photo, antialiased or as a camera does it, until the eyes are `wanted` pixels apart, but for rounding.

    Returns:
        (uint8 [h, w, 3], landmarks [5, 2] in its pixels); the photo itself where the eyes are closer already.
    """
    scale = min(1.0, wanted / eye_distance(landmarks))
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    ratio = np.array([width / image.shape[1], height / image.shape[0]])
    # Pixel centers lie at whole numbers, so the edges of the image lie half a pixel outside.
    return photograph_scene(image, height, width, level=level, seed=seed), (
        np.asarray(landmarks, np.float64) + 0.5
    ) * ratio - 0.5


def _read(source: ImageSource, name: str) -> np.ndarray:
    return decode_image(source.read(name), source.label(name))


def _write_jpeg(path: Path, image: np.ndarray) -> None:
    Image.fromarray(image).save(path, format="JPEG", quality=JPEG_QUALITY)
