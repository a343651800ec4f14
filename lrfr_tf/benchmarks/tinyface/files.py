"""TinyFace (Cheng, Zhu & Gong 2018) as it is delivered: probes, their matches in the gallery, and distractors.

    <root>/Testing_Set/  Probe/, Gallery_Match/, Gallery_Distractor/,
                         probe_img_ID_pairs.mat, gallery_match_img_ID_pairs.mat

`<root>` may hold all that in one more folder called tinyface, as the archive does. Letter case does not matter.

Labels: the two lists say which images count and who is on them. Distractors are all images of their folder; they are
nobody's match, whatever their names are. Names of probes and matches begin with the identity ("12_3.jpg" is of person
12); how many do not agree with the lists is counted, not corrected.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from lrfr_tf.benchmarks.benchmark_folders import find_entry, list_images, require_entry
from lrfr_tf.benchmarks.mat_lists import find_labeled, labels_in
from lrfr_tf.data.landmarks import by_image, read_landmarks
from lrfr_tf.data.paired_photos import landmarks_for
from lrfr_tf.data.pairs import image_key
from lrfr_tf.errors import UserError

ARCHIVE = "tinyface"
TESTS = "Testing_Set"

Key = tuple[str, str]


@dataclasses.dataclass(frozen=True)
class TinyFace:
    """The test set.

    Attributes:
        probes, gallery, distractors: the files; `distractors` is empty where they are left out.
        probe_labels, gallery_labels: int64, 0 .. identities - 1; each probe's identity has gallery images.
        identities: how many persons the gallery's matches show.
        names_that_disagree: how many probes and matches have a name that begins with another identity than the list's.
    """

    probes: list[Path]
    probe_labels: np.ndarray
    gallery: list[Path]
    gallery_labels: np.ndarray
    distractors: list[Path]
    identities: int
    names_that_disagree: int

    def counts(self) -> dict[str, int]:
        """How many images of each kind and how many persons there are."""
        return {
            "probes": len(self.probes),
            "gallery": len(self.gallery),
            "distractors": len(self.distractors),
            "identities": self.identities,
            "names_that_disagree": self.names_that_disagree,
        }


def tinyface_tests(folder: Path) -> Path:
    """The folder Testing_Set of `folder`, or of the folder of the archive's name in it, or `folder` itself if it is it.

    Raises:
        UserError: `folder` is missing, or there is no Testing_Set.
    """
    if not folder.is_dir():
        raise UserError(f"{folder} is missing; it should be the {ARCHIVE} folder.")
    if find_entry(folder, "Probe") is not None:
        return folder
    for root in (folder, find_entry(folder, ARCHIVE)):
        tests = find_entry(root, TESTS) if root is not None else None
        if tests is not None:
            return tests
    raise UserError(f"{folder} holds no {TESTS}; it should be the {ARCHIVE} folder.")


def find_tinyface(folder: Path, distractors: bool = True) -> TinyFace:
    """Reads both lists, finds their images, and lists the distractors unless they are not wanted.

    Raises:
        UserError: a folder, a list or an image is missing, a list cannot be read, or a probe's identity has no gallery
            image.
    """
    tests = tinyface_tests(folder)
    folders = {name: require_entry(tests, name) for name in ("Probe", "Gallery_Match")}
    listed = {}
    for name, kind, variable in (("Probe", "probe", "probe"), ("Gallery_Match", "gallery_match", "gallery")):
        listed[variable] = find_labeled(folders[name], require_entry(tests, f"{kind}_img_ID_pairs.mat"), variable)
    disagree = sum(
        path.name.split("_")[0].lstrip("0") != str(identity)
        for paths, identities in listed.values()
        for path, identity in zip(paths, identities, strict=True)
    )
    probes, gallery = listed["probe"], listed["gallery"]
    labels = labels_in(gallery, probes, folders["Gallery_Match"], "probes")
    others = list_images(require_entry(tests, "Gallery_Distractor")) if distractors else []
    return TinyFace(probes[0], labels[1], gallery[0], labels[0], others, int(labels[0].max()) + 1, disagree)


def tinyface_landmarks(table: Path, faces: TinyFace) -> tuple[Mapping[Key, np.ndarray], int]:
    """Reads a table of tools/make_landmarks.py: the landmarks by (folder, name without suffix), and how many lack them.

    Raises:
        UserError: the table cannot be read, or is of other images.
    """
    landmarks = by_image(read_landmarks(table))
    keys = [image_key(path.parent.name, path.name) for path in (*faces.probes, *faces.gallery, *faces.distractors)]
    return landmarks, sum(points is None for points in landmarks_for(keys, landmarks, str(table)))
