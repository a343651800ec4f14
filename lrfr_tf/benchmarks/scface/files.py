"""SCface (Grgic et al. 2011): mugshots, surveillance images from five cameras at three distances, and their landmarks.

    SCface_database/
      mugshot_frontal_original_all/001_frontal.jpg   (or mugshot_frontal_cropped_all)
      surveillance_cameras_all/001_cam1_1.jpg        person, camera 1 to 5, distance 1 (4.20 m), 2 (2.60 m), 3 (1.00 m)

Capitals do not count, copies of the data set differ in them. Infrared images (cameras 6 to 8) are left aside. Landmarks
are tables of the 11-column form, `scface_mugshot.csv` and `scface_distance1.csv` to `scface_distance3.csv`.
"""

import dataclasses
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from lrfr_tf.benchmarks.photo_landmarks import THRESHOLDS, landmarks_by_detector
from lrfr_tf.data.landmarks import read_landmarks, write_landmarks
from lrfr_tf.data.name_list import SHOWN, read_name_list
from lrfr_tf.data.paired_photos import fallback_landmarks
from lrfr_tf.errors import UserError
from lrfr_tf.faces.align import align_face
from lrfr_tf.faces.detect import FaceDetector
from lrfr_tf.images.decode import decode_image
from lrfr_tf.plural import any_of, counted
from lrfr_tf.printable import name_bytes
from lrfr_tf.sources.image_source import ImageSource

PROBE_FOLDER = "surveillance_cameras_all"
MUGSHOT_FOLDERS = ("mugshot_frontal_original_all", "mugshot_frontal_cropped_all")
CAMERAS = (1, 2, 3, 4, 5)
DISTANCES = (1, 2, 3)
MUGSHOT_TABLE = "scface_mugshot.csv"
SMALLEST_FACE = 12  # at distance 1 a face is about 25 px high

_PROBE_NAME = re.compile(r"(\d{3})_cam([1-5])_([1-3])\.[a-z]+", re.IGNORECASE)
_MUGSHOT_NAME = re.compile(r"(\d{3})_frontal\.[a-z]+", re.IGNORECASE)

Key = tuple[str, str]


@dataclasses.dataclass(frozen=True)
class Probe:
    """One surveillance image: its name in the source, and who, from which camera, at which distance."""

    name: str
    subject: int
    camera: int
    distance: int


@dataclasses.dataclass(frozen=True)
class SCface:
    """The images of the benchmark: subject -> mugshot, and the probes sorted by distance, subject and camera."""

    mugshots: dict[int, str]
    probes: list[Probe]

    @property
    def distances(self) -> list[int]:
        """The distances there are."""
        return sorted({probe.distance for probe in self.probes})

    def of_subjects(self, subjects: Sequence[int]) -> "SCface":
        """Gallery and probes of some subjects only."""
        return SCface(
            {subject: self.mugshots[subject] for subject in sorted(subjects)},
            [probe for probe in self.probes if probe.subject in set(subjects)],
        )


def table_name(distance: int) -> str:
    """The file name of the landmark table of a distance."""
    return f"scface_distance{distance}.csv"


def image_key(name: str) -> Key:
    """What two spellings of one image share: its folder and its name without suffix, in small letters."""
    folder, _, file = name.lower().rpartition("/")
    return folder.rpartition("/")[2], file.rpartition(".")[0]


def find_scface(source: ImageSource, mugshot_folder: str | None = None) -> SCface:
    """Finds the images below a folder or in a zip.

    Args:
        mugshot_folder: the one of `MUGSHOT_FOLDERS` to take; without it the first that is there.

    Raises:
        UserError: a folder is missing, or a person lacks the mugshot, or a probe at a distance that others have.
    """
    mugshots: dict[str, dict[int, str]] = {folder: {} for folder in MUGSHOT_FOLDERS}
    probes: dict[tuple[int, int, int], Probe] = {}
    for name in source.names():
        folder, file = image_key(name)[0], name.rpartition("/")[2]
        if folder == PROBE_FOLDER and (match := _PROBE_NAME.fullmatch(file)):
            subject, camera, distance = map(int, match.groups())
            _check_new((distance, subject, camera) in probes, source, name)
            probes[distance, subject, camera] = Probe(name, subject, camera, distance)
        elif folder in mugshots and (match := _MUGSHOT_NAME.fullmatch(file)):
            _check_new(int(match[1]) in mugshots[folder], source, name)
            mugshots[folder][int(match[1])] = name
    if not probes:
        raise UserError(f"{source.label('')} holds no {PROBE_FOLDER}/001_cam1_1.jpg and so on, so it is not SCface.")
    wanted = [mugshot_folder] if mugshot_folder else [folder for folder in MUGSHOT_FOLDERS if mugshots[folder]]
    if not wanted or not mugshots[wanted[0]]:
        folders = mugshot_folder or " or ".join(MUGSHOT_FOLDERS)
        raise UserError(f"{source.label('')} holds no mugshots {folders}/001_frontal.jpg and so on.")
    found = SCface(dict(sorted(mugshots[wanted[0]].items())), [probes[key] for key in sorted(probes)])
    _check_complete(found, source.label(wanted[0]))
    return found


def read_scface_landmarks(folder: Path, distances: Sequence[int]) -> tuple[dict[Key, np.ndarray], str | None]:
    """Reads the landmark tables of the mugshots and of these distances.

    Returns:
        (`image_key` -> [5, 2], the folder of mugshots that their table is of: the delivered and the cropped mugshots
        have different pixels; None where the table names another folder).

    Raises:
        UserError: a table is missing or cannot be read.
    """
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder; it should hold {MUGSHOT_TABLE} and {table_name(1)} and so on.")
    there = {path.name.lower(): path for path in sorted(folder.iterdir())}
    found: dict[Key, np.ndarray] = {}
    mugshot_folder = None
    for table in (MUGSHOT_TABLE, *map(table_name, distances)):
        if table not in there:
            raise UserError(f"{folder / table} is missing; evaluate_scface writes all with `save_landmarks`.")
        rows = {image_key(name): points for name, points in read_landmarks(there[table]).items()}
        if table == MUGSHOT_TABLE:
            named = next(iter(rows))[0]
            mugshot_folder = named if named in MUGSHOT_FOLDERS else None
        found |= rows
    return found, mugshot_folder


def detect_scface_landmarks(
    source: ImageSource, images: SCface, folder: str | None, note: Callable[[str], None]
) -> dict[Key, np.ndarray]:
    """The landmarks that MTCNN finds, written as the four tables into `folder` if it is given.

    `note` is told which images show another face about as large.

    Raises:
        UserError: an image cannot be read, or no mugshot shows a face.
    """
    mugshots = landmarks_by_detector(source, list(images.mugshots.values()), FaceDetector(THRESHOLDS), note)
    if not mugshots:
        raise UserError(f"No face was found in {any_of(len(images.mugshots), 'mugshot')} of {source.label('')}.")
    probes = landmarks_by_detector(
        source, [probe.name for probe in images.probes], FaceDetector(THRESHOLDS, SMALLEST_FACE), note
    )
    if folder is not None:
        write_landmarks(Path(folder) / MUGSHOT_TABLE, mugshots)
        for distance in images.distances:
            names = [probe.name for probe in images.probes if probe.distance == distance and probe.name in probes]
            write_landmarks(Path(folder) / table_name(distance), {name: probes[name] for name in names})
    return {image_key(name): points for name, points in (mugshots | probes).items()}


def check_landmarks(images: SCface, landmarks: Mapping[Key, np.ndarray], folder: Path) -> None:
    """Refuses tables that are of other images.

    Raises:
        UserError: there are landmarks of none of the mugshots, or of none of the probes of a distance.
    """
    kinds = {MUGSHOT_TABLE: list(images.mugshots.values())}
    for distance in images.distances:
        kinds[table_name(distance)] = [probe.name for probe in images.probes if probe.distance == distance]
    for table, names in kinds.items():
        if not any(image_key(name) in landmarks for name in names):
            raise UserError(
                f"{folder / table} holds no landmarks of {any_of(len(names), 'image')}, such as {names[0]}."
            )


def images_checksum(source: ImageSource, images: SCface) -> str:
    """One SHA-256 for all mugshots and probes: their names without folders above SCface's own, and their bytes."""
    digest = hashlib.sha256()
    for name in (*images.mugshots.values(), *(probe.name for probe in images.probes)):
        digest.update(name_bytes("/".join(image_key(name))) + hashlib.sha256(source.read(name)).digest())
    return digest.hexdigest()


def align_probe(image: np.ndarray, landmarks: np.ndarray, template: str) -> np.ndarray:
    """Aligns a surveillance image near its own resolution: uint8 [s, s, 3], s = int(3 * (largest y - least y)).

    So do Lai & Lam; the square is resized to the network's size afterwards.
    """
    height = float(np.ptp(np.asarray(landmarks, np.float64)[:, 1]))
    return align_face(image, landmarks, template=template, size=max(1, int(3 * height)))


def align_probes(
    source: ImageSource, probes: Sequence[Probe], landmarks: Mapping[Key, np.ndarray], template: str
) -> list[np.ndarray]:
    """Reads and aligns probes, each with `align_probe`; one without landmarks gets `fallback_landmarks`.

    Raises:
        UserError: an image cannot be read, or its landmarks are one point.
    """
    aligned = []
    for probe in tqdm(probes, desc="align probes", unit="image"):
        image = decode_image(source.read(probe.name), source.label(probe.name))
        points = landmarks.get(image_key(probe.name))
        if points is None:
            points = fallback_landmarks(image.shape[0], image.shape[1])
        try:
            aligned.append(align_probe(image, points, template))
        except ValueError:
            raise UserError(f"The landmarks of {source.label(probe.name)} are no face: {points.tolist()}.") from None
    return aligned


def draw_test_subjects(subjects: Sequence[int], count: int, seed: int) -> list[int]:
    """Draws the test subjects of the literature's split: 80 of 130, the other 50 being for fine-tuning.

    Raises:
        UserError: there are fewer subjects.
    """
    if len(subjects) < count:
        raise UserError(
            f"{counted(len(subjects), 'person is', 'persons are')} too few to draw {count}; `test_subjects`=FILE names "
            "them singly."
        )
    drawn = np.random.default_rng(seed).choice(sorted(subjects), count, replace=False)
    return sorted(int(subject) for subject in drawn)


def read_test_subjects(path: Path, subjects: Sequence[int]) -> list[int]:
    """Reads a list of subjects, a number a line.

    Raises:
        UserError: it is missing, or names nobody, strangers (they are counted) or somebody twice.
    """
    lines = read_name_list(path, "a list of test subjects")
    strangers = [line for line in lines if not line.isdecimal() or int(line) not in set(subjects)]
    if strangers:
        shown = ", ".join(strangers[:SHOWN])
        raise UserError(
            f"{path} names others ({len(strangers)}) than the {counted(len(subjects), 'person')} there, such as "
            f"{shown}."
        )
    listed = [int(line) for line in lines]
    if len(set(listed)) != len(listed):
        raise UserError(f"{path} names somebody twice.")
    return sorted(listed)


def _check_new(there: bool, source: ImageSource, name: str) -> None:
    if there:
        raise UserError(f"{source.label(name)} is there twice, in folders or spellings that differ.")


def _check_complete(found: SCface, folder: str) -> None:
    there = {(probe.distance, probe.subject, probe.camera) for probe in found.probes}
    strangers = sorted({subject for _, subject, _ in there} - found.mugshots.keys())
    if strangers:
        raise UserError(
            f"{folder} lacks the mugshots of {counted(len(strangers), 'person')}, such as "
            f"{strangers[0]:03d}_frontal.jpg."
        )
    for distance in found.distances:
        wanted = [(distance, subject, camera) for subject in found.mugshots for camera in CAMERAS]
        missing = [key for key in wanted if key not in there]
        if missing:
            _, subject, camera = missing[0]
            raise UserError(
                f"{PROBE_FOLDER} lacks {len(missing)} of {counted(len(wanted), 'image')} of distance {distance}, such "
                "as "
                f"{subject:03d}_cam{camera}_{distance}.jpg."
            )
