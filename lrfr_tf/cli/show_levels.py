"""Shows faces at several camera levels side by side: what the camera leaves, super-resolved, and the name given.

    python -m lrfr_tf.cli.show_levels --photos=photos/val --gallery=photos/train --embedder=saved_models/siamese \\
        --super_resolver=saved_models/srgan --output=runs/levels.png

The whole photo is shrunk until the face has --height pixels, as the camera model of docs/camera.md does it; then the
recognizer looks for the face and names it out of the gallery. Prints the names by level.
"""

import dataclasses
from pathlib import Path

import numpy as np
from tqdm import tqdm

from lrfr_tf.benchmarks.camera_levels import RIGHT, ShownPhoto, show_photos, table_lines
from lrfr_tf.benchmarks.level_sheet import Tile, level_sheet
from lrfr_tf.benchmarks.people_faces import conditions_of
from lrfr_tf.config import option, required
from lrfr_tf.errors import UserError
from lrfr_tf.faces.detect import FaceDetector
from lrfr_tf.gallery.gallery import Gallery
from lrfr_tf.images.camera import LEVELS
from lrfr_tf.images.decode import write_png
from lrfr_tf.main import note, start
from lrfr_tf.networks.embedding import check_embedder, load_embedder
from lrfr_tf.networks.super_resolution import load_super_resolver
from lrfr_tf.recognition.calibration import DecisionRule
from lrfr_tf.recognition.face_crops import FaceCutter
from lrfr_tf.recognition.identifier import Identifier
from lrfr_tf.recognition.recognizer import GALLERY_THRESHOLDS, Recognizer, calibration_of
from lrfr_tf.sources.image_source import images_by_identity, open_source

LEAST_COSINE = -1.0


@dataclasses.dataclass(frozen=True)
class Config:
    photos: str = required("a folder or zip of <person>/<photo>, the faces to show")
    gallery: str = required("a folder or zip of <person>/<photo>, who is known")
    embedder: str = required("the folder of an exported embedder")
    super_resolver: str = required("a super-resolution network, a model folder of a run or an export")
    output: str = required("the picture to write (PNG)")
    camera: tuple[str, ...] = option(tuple(LEVELS), "camera levels, see docs/camera.md", tuple(LEVELS))
    height: int = option(24, "pixels of the detected face in the shrunk photo, from top to bottom", at_least=8)
    threshold: float | None = option(None, "least score for a name; default: that of the embedder's calibration")
    min_face_size: int = option(10, "smallest face to look for in a photo, in pixels")
    shown: int = option(10, "number of photos on the picture, evenly spread over all", at_least=1)


def check_flags(config: Config) -> None:
    """Refuses a gallery or an embedder that is not there, before any network is loaded."""
    check_embedder(config.embedder)
    if not Path(config.gallery).exists():
        raise UserError(f"--gallery={config.gallery} does not exist.")


def main(config: Config) -> None:
    check_flags(config)
    source = open_source(Path(config.photos))
    photos = images_by_identity(source, note)
    resolver = load_super_resolver(Path(config.super_resolver))
    embedder = load_embedder(config.embedder)
    strangers, threshold = None, config.threshold
    if threshold is None:
        strangers = calibration_of(config.embedder, embedder)
        if strangers is None:
            note(f"{embedder.name} has no calibration: the most similar person is named, however low the score is.")
            threshold = LEAST_COSINE
    detector = FaceDetector(min_face_size=config.min_face_size)
    recognizer = Recognizer(embedder, detector=detector, strangers=strangers)
    gallery = Gallery.from_folder(
        config.gallery, recognizer, rule=DecisionRule(threshold=threshold), note=note,
        progress=lambda persons: tqdm(persons, desc="embed the gallery", unit="person"),
    )  # fmt: skip
    conditions = conditions_of([config.height], config.camera)
    finder = FaceCutter(FaceDetector(GALLERY_THRESHOLDS), "box")
    made = show_photos(
        photos, source, conditions, finder, identifier=Identifier(recognizer, gallery), resolver=resolver, note=note
    )
    if not made:
        raise UserError(f"No photo in {config.photos} shows a face of {config.height} pixels or more.")
    places = np.unique(np.linspace(0, len(made) - 1, min(config.shown, len(made))).astype(int))
    headings = ["as it is"]
    headings += [f"{condition.camera}: {condition.height} px | {resolver.name}" for condition in conditions]
    write_png(config.output, level_sheet(headings, [tiles(made[place]) for place in places]))
    print("\n".join(table_lines(made)))
    least = gallery.threshold.score
    print(f"A name needs a cosine of {least:.2f}.\npicture: {config.output}")


def tiles(photo: ShownPhoto) -> list[Tile]:
    """The row of a photo."""
    row = []
    for condition, shown in photo.shown.items():
        pictures = (shown.face,) if shown.enlarged is None else (shown.face, shown.enlarged)
        score = "" if shown.score is None else f" {shown.score:.2f}"
        row.append(Tile(pictures, f"{shown.answer}{score}", photo.outcome(condition) == RIGHT))
    return row


if __name__ == "__main__":
    start("lrfr_tf.cli.show_levels")
