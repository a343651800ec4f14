"""Turns a folder of photos, <person>/<photo>, into trees of 64 x 64 and 16 x 16 faces; it finds the faces itself.

Of several faces in a photo it takes the largest, weighted towards the middle; photos with another of about the same
size are named on stderr and in the manifest. Of each person the first photo by name is kept for the test and the
second for validation, unless --test_images gives other test photos; persons with fewer than three photos are dropped.
Photos that come later are added to a finished tree by the same command; of known persons they are photos to train on.

lrfr prepare folder --images=photos --output=datasets/photos
lrfr prepare folder --images=photos/train --test_images=photos/val --output=datasets/photos
lrfr prepare folder --images=strangers --unnamed --output=datasets/strangers
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from lrfr_tf.config import option, required
from lrfr_tf.data.ambiguous_photos import AmbiguousPhotos
from lrfr_tf.data.bad_images import NAMED, OWN_PHOTOS, bad_image_notes
from lrfr_tf.data.folders import SPLITS, list_faces
from lrfr_tf.data.name_list import some_of
from lrfr_tf.data.prepare import Sizes, earlier_files, prepare_tree
from lrfr_tf.data.splits import MINIMUM_IMAGES, Split, split_by_name, split_unnamed, split_with_given_test
from lrfr_tf.errors import UserError
from lrfr_tf.faces.choose import RULE, ambiguity_notes, only_main_face
from lrfr_tf.faces.detect import FaceDetector
from lrfr_tf.faces.frame import frame_face, frame_portrait
from lrfr_tf.files import sha256
from lrfr_tf.main import note
from lrfr_tf.plural import counted
from lrfr_tf.sources.image_source import ImageSource, images_by_identity, open_source


@dataclasses.dataclass(frozen=True)
class Config:
    images: str = required("a folder, or a zip, of <person>/<photo>")
    output: str = required("folder for the prepared tree")
    test_images: str | None = option(
        None,
        "a second such folder or zip of test photos; without it the first photo of each person is a test photo",
    )
    unnamed: bool = option(
        False, "the photos have no names: all of them, in folders or not, go to the split 'extra', to train networks on"
    )
    framing: str = option(
        "face",
        "face: a square around the face; portrait: what an aligned CelebA image would show of it, to learn from with "
        "--framing=random",
        ("face", "portrait"),
    )
    mirror_edges: bool = option(
        False, "what a portrait shows outside of the photo is its mirror image, not its edge pixels repeated"
    )
    scale: float = option(
        1.3, "side of the square around a face, in units of the longer side of the detected box", above=0
    )
    high_size: int = option(64, "side of the HR faces in pixels; the height of portraits", at_least=1)
    low_size: int = option(16, "side of the LR faces in pixels", at_least=1)
    thresholds: tuple[float, ...] = option((0.6, 0.7, 0.8), "MTCNN's three thresholds; every photo shows its person")
    min_face_size: int = option(20, "smallest face to look for, in pixels of the photo")


def main(config: Config) -> None:
    sizes = Sizes(config.high_size, config.low_size)
    paths = [Path(path) for path in (config.images, config.test_images) if path]
    sources = [open_source(path) for path in paths]
    source: ImageSource | dict[str, ImageSource]
    if config.unnamed and config.test_images:
        raise UserError("--test_images needs the names of persons, and --unnamed photos have none.")
    trees = [] if config.unnamed else [images_by_identity(source, note) for source in sources]
    if config.unnamed:
        split = split_unnamed(list_images(sources[0]))
        source = sources[0]
    elif config.test_images:
        split = split_with_given_test(trees[0], trees[1], earlier_files(Path(config.output), two_sources=True))
        source = {"train": sources[0], "val": sources[0], "test": sources[1]}
    else:
        split = split_by_name(trees[0], earlier=earlier_files(Path(config.output)))
        source = sources[0]
    detector = FaceDetector(config.thresholds, config.min_face_size)
    rivaled = AmbiguousPhotos(Path(config.output))

    def frame(photo: np.ndarray, box: np.ndarray) -> np.ndarray:
        if config.framing == "portrait":
            return frame_portrait(photo, box, config.high_size, config.mirror_edges)
        return frame_face(photo, box, config.scale, config.high_size)

    def frame_faces(names: Sequence[str], photos: Sequence[np.ndarray]) -> list[np.ndarray | None]:
        meant = [only_main_face(*found) for found in zip(detector.detect(photos), photos, strict=True)]
        rivaled.add([name for name, (_, is_ambiguous) in zip(names, meant, strict=True) if is_ambiguous])
        return [
            frame(photo, face.boxes[0]) if face.found else None for photo, (face, _) in zip(photos, meant, strict=True)
        ]

    settings = {
        "data_set": "folder of photos",
        "framing": {
            "face": f"square of {config.scale} times the longer side of the face",
            "portrait": "portrait as in aligned CelebA, around the face",
        }[config.framing],
        **({"outside_of_the_photo": "mirrored"} if config.mirror_edges else {}),
        "face": RULE,
        "detector": {"thresholds": list(config.thresholds), "min_face_size": config.min_face_size},
        "images_sha256": [sha256(path) if path.is_file() else "folder" for path in paths],
    }
    for sentence in _dropped(split, trees):
        note(sentence)
    manifest = prepare_tree(
        source,
        split,
        frame_faces,
        Path(config.output),
        sizes=sizes,
        settings=settings,
        missing=(),
        rivaled=rivaled,
        tolerance=OWN_PHOTOS,
        note=note,
    )
    bad, rivals = bad_image_notes(manifest["bad_images"]), ambiguity_notes(manifest["images_with_rival"])
    for sentence in [*bad, *rivals, *_without_a_face(Path(config.output), split.classes)]:
        note(sentence)
    print(f"{config.output}: {counted(manifest['identities'], 'identity', 'identities')}, images {manifest['images']}")
    print(
        f"dropped {counted(len(split.dropped), 'identity', 'identities')} with too few images; no face in "
        f"{counted(len(manifest['images_without_face']), 'photo')}; {counted(len(manifest['bad_images']), 'bad image')}"
    )


def _dropped(split: Split, trees: Sequence[Mapping[str, Sequence[str]]]) -> list[str]:
    """Who is not in the tree, with the number of photos, and how many are needed."""
    if not split.dropped:
        return []
    photos, *tests = trees
    counts = [
        f"{person} ({' + '.join(str(len(tree.get(person, ()))) for tree in (photos, *tests))})"
        for person in split.dropped
    ]
    needed = (
        f"{MINIMUM_IMAGES} photos, to test, to validate and to train"
        if not tests
        else f"{MINIMUM_IMAGES - 1} photos and 1 test photo"
    )
    return [f"Each person needs {needed}; these have fewer and are dropped: {some_of(counts, NAMED)}."]


def _without_a_face(output: Path, classes: Sequence[str]) -> list[str]:
    """Who is in the class map and lacks a face in a split, because none was found or the photo cannot be read."""
    sentences = []
    for split in SPLITS if classes else ():
        there = {face.identity for face in list_faces(output / "hr", split)}
        lost = [person for person in classes if person not in there]
        if lost:
            sentences.append(
                f"{len(lost)} of {counted(len(classes), 'person')} without a face in {split}: {some_of(lost)}."
            )
    return sentences


def list_images(source: ImageSource) -> list[str]:
    """All images of a source, in folders or not.

    Raises:
        UserError: there is none.
    """
    names = source.names()
    if not names:
        raise UserError(f"{source.label('')} holds no image.")
    return names
