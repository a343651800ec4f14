"""QMUL-SurvFace (Cheng, Zhu & Gong 2018) as it is delivered: pairs to verify, and a gallery with open-set probes.

    <root>/Face_Verification_Test_Set/   verification_images/, positive_pairs_names.mat, negative_pairs_names.mat
    <root>/Face_Identification_Test_Set/ gallery/, mated_probe/, unmated_probe/,
                                         gallery_img_ID_pairs.mat, mated_probe_img_ID_pairs.mat

`<root>` may hold all that in one more folder called QMUL-SurvFace, as the archive does. The two lists of the
identification may also lie in Face_Identification_Evaluation/. Letter case does not matter anywhere.
"""

import dataclasses
import itertools
from pathlib import Path

import numpy as np

from lrfr_tf.benchmarks.benchmark_folders import (
    file_key,
    find_below,
    find_entry,
    find_listed,
    list_images,
    require_entry,
)
from lrfr_tf.benchmarks.mat_lists import find_labeled, labels_in, read_cells
from lrfr_tf.errors import UserError

ARCHIVE = "QMUL-SurvFace"
VERIFICATION = "Face_Verification_Test_Set"
IDENTIFICATION = "Face_Identification_Test_Set"
IDENTIFICATION_LISTS = "Face_Identification_Evaluation"


@dataclasses.dataclass(frozen=True)
class VerificationPairs:
    """Pairs as places in one list of images, each image once.

    Attributes:
        images: the files.
        first, second: int64 [n], the places of each pair's images.
        same: bool [n]; matched pairs come first, in the order of the lists.
    """

    images: list[Path]
    first: np.ndarray
    second: np.ndarray
    same: np.ndarray


@dataclasses.dataclass(frozen=True)
class OpenSet:
    """Images of known persons (gallery), other images of them (mated probes), and strangers (unmated probes).

    Attributes:
        gallery, mated, unmated: the files.
        gallery_labels, mated_labels: int64, 0 .. identities - 1; each identity has gallery images.
        identities: how many persons the gallery has.
    """

    gallery: list[Path]
    gallery_labels: np.ndarray
    mated: list[Path]
    mated_labels: np.ndarray
    unmated: list[Path]
    identities: int


def survface_root(folder: Path) -> Path:
    """The folder that holds the test sets: `folder`, or the one of the archive's name in it.

    Raises:
        UserError: `folder` is missing, or holds neither test set.
    """
    if not folder.is_dir():
        raise UserError(f"{folder} is missing; it should be the {ARCHIVE} folder.")
    for root in (folder, find_entry(folder, ARCHIVE)):
        if root is not None and any(find_entry(root, name) for name in (VERIFICATION, IDENTIFICATION)):
            return root
    raise UserError(f"{folder} holds neither {VERIFICATION} nor {IDENTIFICATION}; it should be the {ARCHIVE} folder.")


def find_verification_pairs(folder: Path) -> VerificationPairs:
    """Reads both lists of pairs and finds their images.

    Raises:
        UserError: a folder, a list or an image is missing, or a list cannot be read.
    """
    tests = require_entry(survface_root(folder), VERIFICATION)
    images_folder = require_entry(tests, "verification_images")
    listed_in = [require_entry(tests, f"{kind}_pairs_names.mat") for kind in ("positive", "negative")]
    rows = [read_cells(path, path.stem.lower(), columns=2) for path in listed_in]
    places: dict[str, int] = {}
    images: list[Path] = []
    for pairs, listed in zip(rows, listed_in, strict=True):
        new = []  # the images that this list is the first to name
        for name in itertools.chain(*pairs):
            if file_key(name) not in places:
                places[file_key(name)] = len(places)
                new.append(name)
        images += find_listed(images_folder, new, listed) if new else []
    first, second = np.array([[places[file_key(name)] for name in pair] for pairs in rows for pair in pairs]).T
    same = np.repeat([True, False], [len(pairs) for pairs in rows])
    return VerificationPairs(images, first, second, same)


def find_open_set(folder: Path) -> OpenSet:
    """Reads the lists of gallery and mated probes, finds their images, and lists the unmated probes.

    Raises:
        UserError: a folder, a list or an image is missing, a list cannot be read, or a mated probe's identity has no
            gallery image.
    """
    root = survface_root(folder)
    tests = require_entry(root, IDENTIFICATION)
    folders = {name: require_entry(tests, name) for name in ("gallery", "mated_probe", "unmated_probe")}
    listed = []
    for kind in ("gallery", "mated_probe"):
        listed_in = find_below(root, (IDENTIFICATION_LISTS, f"{kind}_img_ID_pairs.mat"))
        if find_entry(tests, f"{kind}_img_ID_pairs.mat") is not None or listed_in is None:
            listed_in = require_entry(tests, f"{kind}_img_ID_pairs.mat")
        listed.append(find_labeled(folders[kind], listed_in, kind))
    (gallery, _), (mated, _) = listed
    labels = labels_in(listed[0], listed[1], folders["gallery"], "mated probes")
    unmated = list_images(folders["unmated_probe"])
    return OpenSet(gallery, labels[0], mated, labels[1], unmated, int(labels[0].max()) + 1)
