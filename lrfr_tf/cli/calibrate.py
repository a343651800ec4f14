"""Measures how similar strangers look to an embedder: what the thresholds of lrfr identify are made of.

    lrfr calibrate --model=saved_models/siamese --people=people

--people holds one folder of photos for each person: at least 30 persons, better several hundred, like those whom the
network will meet; not those who are enrolled later. The result, calibration.json beside the export, belongs to that one
export and serves galleries of every size.
"""

import dataclasses
import datetime
import time
from pathlib import Path

from tqdm import tqdm

from lrfr_tf.benchmarks.calibrate import HEIGHTS, calibrate
from lrfr_tf.benchmarks.people_faces import conditions_of, embed_people
from lrfr_tf.config import option, required, versions
from lrfr_tf.data.held_out import EVERYBODY, HALVES
from lrfr_tf.data.people import find_people
from lrfr_tf.errors import UserError
from lrfr_tf.evaluation.stranger_tail import MIN_PERSONS
from lrfr_tf.faces.detect import FaceDetector
from lrfr_tf.images.camera import LEVELS
from lrfr_tf.main import note
from lrfr_tf.networks.embedding import load_embedder
from lrfr_tf.networks.saved_model import find_version
from lrfr_tf.plural import counted
from lrfr_tf.recognition.calibration import DecisionRule, write_calibration
from lrfr_tf.recognition.face_crops import CROP_KINDS
from lrfr_tf.recognition.recognizer import Recognizer

SIZES_SHOWN = (1, 20, 100, 1000, 10_000)


@dataclasses.dataclass(frozen=True)
class Config:
    model: str = required("the folder of an exported embedder")
    people: tuple[str, ...] = required(
        "folders or zips of <person>/<photo>, or PHOTOS:LIST with a list of '<file> <identity>' lines"
    )
    half: str = option(EVERYBODY, "which half of CelebA's held-out identities to take", HALVES)
    heights: tuple[int, ...] = option(HEIGHTS, "face heights to which photos are shrunk, in pixels")
    camera: tuple[str, ...] = option(("clean",), "how photos are shrunk, see docs/camera.md", tuple(LEVELS))
    min_face_size: int = option(10, "smallest face to look for in a shrunk photo, in pixels")
    cut: str | None = option(None, "how faces are cut out of photos; default: as the network was trained", CROP_KINDS)
    seed: int = option(0, "seed of the drawings", at_least=0)


def main(config: Config) -> None:
    started = time.monotonic()
    version = find_version(Path(config.model))
    if version is None:
        raise UserError(f"{config.model} holds no export, and a calibration belongs to one; see export_saved_model.py.")
    people = find_people(config.people, config.half, note)
    if len(people) < MIN_PERSONS:
        raise UserError(f"A calibration needs {MIN_PERSONS} persons at least, not {len(people)}.")
    embedder = load_embedder(str(version))
    detector = FaceDetector(min_face_size=config.min_face_size)
    recognizer = Recognizer(embedder, cut=config.cut, detector=detector)
    with tqdm(total=sum(map(len, people.values())), desc="embed", unit="photo") as progress:
        conditions = conditions_of(config.heights, config.camera)
        faces = embed_people(people, conditions, recognizer, note, progress=progress.update)
    strangers = calibrate(faces, config.seed)
    made_of = {
        "photos": len(faces.persons),
        "faces": int(faces.found.sum()),
        "half": config.half,
        "conditions": [condition.name for condition in faces.conditions[1:]],
        "date": datetime.date.today().isoformat(),
        "seconds": round(time.monotonic() - started, 1),
        "versions": versions(),
    }
    path = write_calibration(version.resolve().parent, embedder.record, strangers, made_of)
    for kind, tail in strangers.items():
        photos = "several photos" if kind == "several" else "one photo"
        print(
            f"{counted(tail.comparisons, 'comparison')} of {counted(tail.persons, 'person')} with templates of {photos}"
        )
    for persons in SIZES_SHOWN:
        print(f"  {DecisionRule().threshold_for(strangers, persons).in_words()}")
    print(path)
