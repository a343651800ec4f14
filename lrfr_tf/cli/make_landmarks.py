"""Finds the five landmarks of the face in every image of a folder or a zip, and writes them as a table.

    lrfr detect --images=Datasets/lfw --output=Datasets/lfw/LFW.csv

The table has no header and 11 columns: the path of the image, then x and y of the left eye, right eye, nose, left and
right corner of the mouth. Images without a face are named and left out. Of several faces the largest is taken,
weighted towards the middle; images with another of about the same size are named on stderr. The tables of SCface, one
a distance, are written by lrfr evaluate scface --save_landmarks.
"""

import dataclasses
from pathlib import Path

from lrfr_tf.config import option, required
from lrfr_tf.data.bad_images import OWN_PHOTOS, BadImages, bad_image_notes, check_bad_images
from lrfr_tf.data.detect_landmarks import detect_landmarks
from lrfr_tf.data.landmarks import write_landmarks
from lrfr_tf.errors import UserError
from lrfr_tf.faces.choose import ambiguity_note
from lrfr_tf.faces.detect import FaceDetector
from lrfr_tf.main import note
from lrfr_tf.plural import any_of, counted
from lrfr_tf.sources.image_source import open_source

NAMED = 20  # images without a face are named up to so many


@dataclasses.dataclass(frozen=True)
class Config:
    images: str = required("folder or zip of images, with folders in it or without")
    output: str = required("the table to write (CSV)")
    thresholds: tuple[float, ...] = option((0.6, 0.7, 0.8), "MTCNN's three thresholds")
    min_face_size: int = option(20, "smallest face to look for, in pixels")
    enlarge: int = option(1, "how many times images are enlarged first, to find smaller faces", at_least=1)


def main(config: Config) -> None:
    if Path(config.output).is_dir():
        raise UserError(f"--output={config.output} is a folder; it should be the table to write (CSV).")
    source = open_source(Path(config.images))
    names = source.names()
    if not names:
        raise UserError(f"{config.images} holds no images.")
    detector = FaceDetector(config.thresholds, config.min_face_size)
    bad: BadImages = []

    def pass_over(name: str, error: UserError) -> None:
        bad.append({"image": name, "reason": str(error)})

    found, with_rival = detect_landmarks(source, names, detector, enlargement=config.enlarge, pass_over=pass_over)
    check_bad_images(None, bad, len(names), OWN_PHOTOS)
    for sentence in bad_image_notes(bad):
        note(sentence)
    missed = sorted(set(names) - found.keys() - {item["image"] for item in bad})
    if not found:
        raise UserError(f"No face was found in {any_of(len(names), 'image')} of {config.images}.")
    write_landmarks(Path(config.output), found)
    for name in with_rival:  # nothing else tells which these are
        note(ambiguity_note(name))
    for name in missed[:NAMED]:
        print(f"no face: {name}")
    if len(missed) > NAMED:
        print(f"no face: {len(missed) - NAMED} more")
    unread = f"; {len(bad)} cannot be read" if bad else ""
    print(f"{config.output}: landmarks of {counted(len(found), 'image')}; no face in {len(missed)}{unread}.")
