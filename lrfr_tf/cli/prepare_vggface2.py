"""Turns VGGFace2 into a tree of aligned faces, its train and test persons together.

lrfr prepare vggface2 --images=VGGFace2 --output=datasets/vggface2 \\
    --landmarks=loose_landmark_train.csv,loose_landmark_test.csv --exclude_names=lfw_names.txt \\
    --identity_meta=identity_meta.csv --allow_unmatched_exclusions     # most of LFW's persons are not in VGGFace2
lrfr prepare vggface2 --images=faces_112x112 --aligned --output=datasets/vggface2
"""

import dataclasses
from pathlib import Path
from typing import Any

from lrfr_tf.config import option, required
from lrfr_tf.data.aligned_source import FindLandmarks, LandmarkTable, Selection
from lrfr_tf.data.bad_images import bad_image_notes
from lrfr_tf.data.landmarks import read_vggface2_landmarks
from lrfr_tf.data.name_list import read_exclusions
from lrfr_tf.data.prepare_aligned import Framing, describe, prepare_aligned_tree, source_fingerprint
from lrfr_tf.data.vggface2 import identities_named, read_identity_names
from lrfr_tf.errors import UserError
from lrfr_tf.faces.align import TEMPLATES
from lrfr_tf.files import sha256
from lrfr_tf.main import note
from lrfr_tf.sources.image_source import images_by_innermost_folder, open_source


@dataclasses.dataclass(frozen=True)
class Config:
    images: str = required("the folder, or a zip, that holds VGGFace2's train/ and test/, or one of them")
    output: str = required("folder for the tree of aligned faces")
    landmarks: tuple[str, ...] = option(
        (), "loose_landmark_train.csv,loose_landmark_test.csv, or one list of both with train/ and test/ before names"
    )
    aligned: bool = option(False, "the photos are aligned faces of any size, and are only resized to 128 x 128")
    exclude: str | None = option(None, "a list of identities to leave out (n000002), one a line")
    exclude_names: str | None = option(
        None, "a list of persons to leave out by name, one a line, for example those of LFW; needs --identity_meta"
    )
    allow_unmatched_exclusions: bool = option(
        False, "--exclude is of more data than is here: entries that match nobody are counted, not refused"
    )
    identity_meta: str | None = option(None, "VGGFace2's identity_meta.csv, which names its identities")
    template: str = option("lai", "where the landmarks come to lie: as published, or centred", TEMPLATES)
    left_margin: int = option(
        0, "further columns left of the 128, by which training shifts half of the faces; the paper has none", at_least=0
    )
    workers: int | None = option(None, "number of threads; without it one for each core", at_least=1)


def main(config: Config) -> None:
    if config.aligned == bool(config.landmarks):
        raise UserError("VGGFace2 needs either --landmarks, to be aligned by, or --aligned, if that is done already.")
    if (config.exclude_names is None) != (config.identity_meta is None):
        raise UserError(
            "--exclude_names and --identity_meta belong together: one lists names, the other says whose they are."
        )
    images = Path(config.images)
    source = open_source(images)
    by_identity = images_by_innermost_folder(source, note)
    allowed = config.allow_unmatched_exclusions
    excluded = read_exclusions(config.exclude, by_identity, allowed, note)
    if config.exclude_names and config.identity_meta:
        names = read_identity_names(Path(config.identity_meta))
        excluded |= identities_named(names, Path(config.exclude_names), by_identity, allowed, note=note)
    selection = Selection(by_identity).without(excluded)
    find_landmarks: FindLandmarks | None = None
    if config.landmarks:
        lists = [read_vggface2_landmarks(Path(path)) for path in config.landmarks]
        table = LandmarkTable({name: points for rows in lists for name, points in rows.items()})
        selection = selection.with_landmarks(table)
        find_landmarks = table.find
    settings: dict[str, Any] = {
        "data_set": "VGGFace2",
        "images_fingerprint": source_fingerprint(images),
        "landmarks": [{"sha256": sha256(path)} for path in config.landmarks] or "aligned already",
    }
    framing = Framing(config.template, config.left_margin)
    manifest = prepare_aligned_tree(
        source,
        selection,
        find_landmarks,
        Path(config.output),
        framing=framing,
        settings=settings,
        workers=config.workers,
        note=note,
    )
    for sentence in bad_image_notes(manifest["bad_images"]):
        note(sentence)
    print(describe(config.output, manifest))
