"""Turns CelebA into trees of 64 x 64 and 16 x 16 faces, split by the rule of the experiment.

    lrfr prepare celeba --images=img_align_celeba.zip --identities=identity_CelebA.txt \\
        --framing=face --output=datasets/celeba_face
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lrfr_tf.config import option, required
from lrfr_tf.data.bad_images import bad_image_notes
from lrfr_tf.data.celeba import check_full_set, match_images, read_identities
from lrfr_tf.data.prepare import Sizes, prepare_tree
from lrfr_tf.data.splits import split_by_name
from lrfr_tf.faces.frame import celeba_face_box, crop, portrait_width
from lrfr_tf.files import sha256
from lrfr_tf.images.resize import resize
from lrfr_tf.main import note
from lrfr_tf.plural import counted
from lrfr_tf.sources.image_source import open_source


@dataclasses.dataclass(frozen=True)
class Config:
    images: str = required("the img_align_celeba folder, or a zip of it")
    identities: str = required("identity_CelebA.txt")
    output: str = required("folder for the prepared tree")
    framing: str = option(
        "face",
        "squash: the whole aligned image squeezed to a square, as the original experiment does; face: a tight square "
        "around the face; portrait: the whole image, to learn from with --framing=random",
        ("squash", "face", "portrait"),
    )
    keep_dropped: bool = option(
        False, "also write the images of identities with fewer than 3, as the split 'extra', to train networks on"
    )
    high_size: int = option(64, "side of the HR faces in pixels; the height of portraits", at_least=1)
    low_size: int = option(16, "side of the LR faces in pixels", at_least=1)


def main(config: Config) -> None:
    sizes = Sizes(config.high_size, config.low_size)
    images, identity_list = Path(config.images), Path(config.identities)
    identities = read_identities(identity_list)
    source = open_source(images)
    by_identity, missing = match_images(source, identities, note)
    split = split_by_name(by_identity, config.keep_dropped)
    check_full_set(identities, split)

    def frame_faces(names: Sequence[str], photos: Sequence[np.ndarray]) -> list[np.ndarray | None]:
        return [frame(photo, config.framing, config.high_size) for photo in photos]

    settings = {
        "data_set": "CelebA, aligned",
        "framing": config.framing,
        "images_sha256": sha256(images) if images.is_file() else "folder",
        "identities_sha256": sha256(identity_list),
    }
    manifest = prepare_tree(
        source, split, frame_faces, Path(config.output), sizes=sizes, settings=settings, missing=missing, note=note
    )
    for sentence in bad_image_notes(manifest["bad_images"]):
        note(sentence)
    number = counted(manifest["identities"], "identity", "identities")
    print(f"{config.output}: {number}, images {manifest['images']}")
    dropped = counted(len(split.dropped), "identity", "identities")
    print(f"dropped {dropped} with fewer than 3 images; {counted(len(manifest['bad_images']), 'bad image')}")


def frame(photo: np.ndarray, framing: str, size: int) -> np.ndarray:
    """One aligned photo as an HR face, uint8 [size, size, 3], or as a portrait of that height."""
    if framing == "portrait":
        return resize(photo, size, portrait_width(size))
    if framing == "face":
        photo = crop(photo, celeba_face_box(*photo.shape[:2]))
    return resize(photo, size, size)
