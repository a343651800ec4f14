"""Turns a folder or zip of photos into a tree of aligned faces, to train and test embedders on.

lrfr prepare aligned --images=photos --output=datasets/photos_aligned
lrfr prepare aligned --images=img_align_celeba.zip --identities=identity_CelebA.txt --landmarks=celeba \\
    --output=datasets/celeba_aligned
"""

import dataclasses
from pathlib import Path
from typing import Any

from lrfr_tf.config import option, required
from lrfr_tf.data.aligned_source import (
    FindLandmarks,
    LandmarkTable,
    Selection,
    detected_by,
    find_celeba_landmarks,
)
from lrfr_tf.data.ambiguous_photos import AmbiguousPhotos
from lrfr_tf.data.bad_images import OWN_PHOTOS, PUBLISHED, bad_image_notes
from lrfr_tf.data.celeba import match_images, read_identities
from lrfr_tf.data.landmarks import read_landmarks
from lrfr_tf.data.name_list import read_exclusions
from lrfr_tf.data.prepare_aligned import Framing, describe, prepare_aligned_tree, source_fingerprint
from lrfr_tf.faces.align import ALIGNED_SIZE, TEMPLATES
from lrfr_tf.faces.choose import RULE, ambiguity_notes
from lrfr_tf.faces.detect import FaceDetector
from lrfr_tf.files import sha256
from lrfr_tf.main import note
from lrfr_tf.sources.image_source import images_by_identity, open_source

HALF_SIZE_CELEBA = (109, 89)  # height, width


@dataclasses.dataclass(frozen=True)
class Config:
    images: str = required("a folder, or a zip, of <person>/<photo>, with further folders below <person> or without")
    output: str = required("folder for the tree of aligned faces")
    identities: str | None = option(
        None, "a list '<image> <identity>', a line for each image, as identity_CelebA.txt; instead of folder names"
    )
    landmarks: str = option(
        "detect",
        f"where the five landmarks come from: detect (MTCNN; of several faces {RULE}), celeba (photos are aligned as "
        "in CelebA, at any size), or a CSV file of 11 columns: photo, then x,y of left eye, right eye, nose, left and "
        "right corner of the mouth",
    )
    unsqueeze: bool = option(
        False, "the photos are whole aligned CelebA images squeezed to a square: they are first resized to 89 x 109"
    )
    template: str = option("lai", "where the landmarks come to lie: as published, or centred", TEMPLATES)
    size: int = option(ALIGNED_SIZE, "side of a face in pixels, without margins", at_least=8)
    left_margin: int = option(10, "further columns left of the face, so that training can shift the frame", at_least=0)
    margin: int = option(
        0, "further rows and columns on every side, so that training can misplace the frame as cameras do", at_least=0
    )
    held_out_divisor: int = option(
        0, "leave out identities whose number is divisible by this; 0 keeps everybody", at_least=0
    )
    exclude: str | None = option(None, "a list of identities to leave out, one a line")
    allow_unmatched_exclusions: bool = option(
        False, "--exclude is of more data than is here: entries that match nobody are counted, not refused"
    )
    without_tests: bool = option(
        False, "leave out each identity's test and validation photo: the first two by name where it has three or more"
    )
    without_tests_of: str | None = option(
        None,
        "a list '<image> <identity>' of another data set that holds some of the same photos, by file name: leave out "
        "its test and validation photos, too",
    )
    thresholds: tuple[float, ...] = option((0.6, 0.7, 0.8), "MTCNN's three thresholds; every photo shows its person")
    min_face_size: int = option(20, "smallest face to look for, in pixels of the photo")
    workers: int | None = option(None, "number of threads; without it one for each core", at_least=1)


def main(config: Config) -> None:
    images = Path(config.images)
    source = open_source(images)
    if config.identities:
        by_identity, missing = match_images(source, read_identities(Path(config.identities)), note)
        selection = Selection(by_identity, missing=tuple(missing))
    else:
        selection = Selection(images_by_identity(source, note))
    excluded = read_exclusions(config.exclude, selection.images, config.allow_unmatched_exclusions, note)
    selection = selection.without(excluded, config.held_out_divisor)
    settings: dict[str, Any] = {
        "data_set": "photos",
        "images_fingerprint": source_fingerprint(images),
        "identities_sha256": sha256(config.identities) if config.identities else None,
        "landmarks": config.landmarks,
        "held_out_divisor": config.held_out_divisor,
    }
    all_images = selection.images
    find_landmarks: FindLandmarks
    rivaled = None
    if config.landmarks == "detect":
        rivaled = AmbiguousPhotos(Path(config.output))
        find_landmarks = detected_by(FaceDetector(config.thresholds, config.min_face_size), rivaled)
        settings["detector"] = {
            "thresholds": list(config.thresholds),
            "min_face_size": config.min_face_size,
            "face": RULE,
        }
    elif config.landmarks == "celeba":
        find_landmarks = find_celeba_landmarks
    else:
        table = LandmarkTable(read_landmarks(Path(config.landmarks)), by_file_name=config.identities is not None)
        selection = selection.with_landmarks(table)
        find_landmarks = table.find
        settings["landmarks"] = {"sha256": sha256(config.landmarks)}
    if config.without_tests:
        selection = selection.without_tests(all_images)
        settings["without_tests"] = True
    if config.without_tests_of:
        others: dict[str, list[str]] = {}
        for image, identity in read_identities(Path(config.without_tests_of)).items():
            others.setdefault(identity, []).append(image)
        selection = selection.without_tests_of(others)
        settings["without_tests_of"] = sha256(config.without_tests_of)
    framing = Framing(
        config.template,
        config.left_margin,
        config.size,
        config.margin,
        photo_size=HALF_SIZE_CELEBA if config.unsqueeze else None,
    )
    manifest = prepare_aligned_tree(
        source,
        selection,
        find_landmarks,
        Path(config.output),
        framing=framing,
        settings=settings,
        workers=config.workers,
        rivaled=rivaled,
        tolerance=PUBLISHED if config.identities else OWN_PHOTOS,
        note=note,
    )
    for sentence in [*bad_image_notes(manifest["bad_images"]), *ambiguity_notes(manifest.get("images_with_rival", []))]:
        note(sentence)
    print(describe(config.output, manifest))
