"""Measures how well people in photos are identified: open-set identification on any folder of people, detection
included.

    lrfr evaluate people --model=saved_models/siamese --people=people --output=people.json

Whole photos are shrunk until the face has each of --heights, and the face is detected, aligned and embedded as
lrfr identify does it. In each of 200 drawings some persons are enrolled with some photos each, as they are, and
every other photo is asked about: those of enrolled persons should get the right name, those of strangers none. Beside
the result lies a picture, result.det.png.
"""

import dataclasses
import time
from pathlib import Path

from tqdm import tqdm

from lrfr_tf.benchmarks.benchmark_result import benchmark_result
from lrfr_tf.benchmarks.people import (
    HEIGHTS,
    Drawing,
    check_sizes,
    draw_people,
    evaluate_people,
    people_lines,
    protocol,
)
from lrfr_tf.benchmarks.people_faces import conditions_of, embed_people
from lrfr_tf.config import option, required
from lrfr_tf.data.held_out import EVERYBODY, HALVES
from lrfr_tf.data.people import find_people
from lrfr_tf.errors import UserError
from lrfr_tf.faces.detect import FaceDetector
from lrfr_tf.files import check_result_file, write_json
from lrfr_tf.images.camera import LEVELS
from lrfr_tf.main import note
from lrfr_tf.networks.embedding import check_embedder, load_embedder
from lrfr_tf.recognition.calibration import FPIR, DecisionRule
from lrfr_tf.recognition.face_crops import CROP_KINDS
from lrfr_tf.recognition.recognizer import Recognizer, calibration_of


@dataclasses.dataclass(frozen=True)
class Config:
    model: str = required("facenet, or the folder of an exported embedder")
    people: tuple[str, ...] = required(
        "folders or zips of <person>/<photo>, or PHOTOS:LIST with a list of '<file> <identity>' lines"
    )
    output: str = required("the result to write (JSON)")
    half: str = option(EVERYBODY, "which half of CelebA's held-out identities to take", HALVES)
    heights: tuple[int, ...] = option(HEIGHTS, "face heights to which photos are shrunk, in pixels")
    camera: tuple[str, ...] = option(("clean",), "how photos are shrunk, see docs/camera.md", tuple(LEVELS))
    gallery_sizes: tuple[int, ...] = option((20, 50), "numbers of persons enrolled in a drawing")
    gallery_photos: int = option(3, "photos of each of them", at_least=1)
    draws: int = option(200, "drawings of each size", at_least=1)
    fpir: float = option(FPIR, "false positive identification rate that the threshold is to keep")
    threshold: float | None = option(None, "the least score for a name; default: by --fpir and the calibration")
    min_face_size: int = option(10, "smallest face to look for in a shrunk photo, in pixels")
    cut: str | None = option(None, "how faces are cut out of photos; default: as the network was trained", CROP_KINDS)
    facenet_weights: str | None = option(None, "FaceNet's weight file; without it, the cache or a download")
    seed: int = option(0, "seed of the drawings", at_least=0)


def check_flags(config: Config) -> None:
    """Refuses a result that cannot be written and an embedder that is not known, before anything is loaded."""
    check_result_file(config.output)
    check_embedder(config.model)


def main(config: Config) -> None:
    started = time.monotonic()
    check_flags(config)
    rule = DecisionRule(config.fpir, None, config.threshold)
    people = find_people(config.people, config.half, note)
    check_sizes([len(photos) for photos in people.values()], config.gallery_sizes, config.gallery_photos)
    embedder = load_embedder(config.model, Path(config.facenet_weights) if config.facenet_weights else None)
    strangers = calibration_of(config.model, embedder) if config.threshold is None else None
    if strangers is None and config.threshold is None:
        raise UserError(f"{config.model} has no calibration; make one with lrfr calibrate, or give --threshold.")
    detector = FaceDetector(min_face_size=config.min_face_size)
    recognizer = Recognizer(embedder, cut=config.cut, detector=detector)
    with tqdm(total=sum(map(len, people.values())), desc="embed", unit="photo") as progress:
        conditions = conditions_of(config.heights, config.camera)
        faces = embed_people(people, conditions, recognizer, note, progress=progress.update)
    drawing = Drawing(config.gallery_photos, config.draws, config.seed)
    thresholds = {size: rule.threshold_for(strangers, size) for size in sorted(set(config.gallery_sizes))}
    measured, curves = evaluate_people(faces, thresholds, drawing, tqdm)
    result = benchmark_result("people", protocol(drawing), embedder, measured, config=config, started=started)
    draw_people(Path(config.output), embedder.name, curves)
    write_json(config.output, result)
    print("\n".join(people_lines(result)))
    print(f"result: {config.output}")
