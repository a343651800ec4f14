"""Which image of an identity trains, validates and tests."""

import dataclasses
from collections.abc import Mapping, Sequence

from lrfr_tf.data.folders import sorted_names
from lrfr_tf.errors import UserError
from lrfr_tf.plural import counted

MINIMUM_IMAGES = 3
UNNAMED = "unnamed"  # in the place of an identity; no number, so nobody holds it out


@dataclasses.dataclass(frozen=True)
class SplitFile:
    """One source image and where it goes."""

    source: str
    split: str
    identity: str


@dataclasses.dataclass(frozen=True)
class Split:
    """The outcome of a split rule: the files that stay, the class map, and the identities that were dropped."""

    files: list[SplitFile]
    classes: list[str]
    dropped: list[str]

    def count(self, split: str) -> int:
        """The number of images in one split."""
        return sum(file.split == split for file in self.files)


def split_by_name(
    images: Mapping[str, Sequence[str]], keep_dropped: bool = False, earlier: Sequence[SplitFile] = ()
) -> Split:
    """First image of an identity (sorted by name) tests, the second validates, the rest train.

    Identities with fewer than three images are dropped. With `keep_dropped` their images go to a fourth split,
    "extra", which only super-resolution networks learn from; the class map does not name them.

    Args:
        images: identity -> names of its images.
        earlier: what an earlier split said of some of them. It stays so, that no test image becomes one to train on;
            further images of the same identities train.

    Raises:
        UserError: no identity has three images.
    """
    places = {file.source: file.split for file in earlier}
    files: list[SplitFile] = []
    classes: list[str] = []
    dropped: list[str] = []
    for identity in sorted_names(images):
        names = sorted(images[identity])
        if len(names) < MINIMUM_IMAGES:
            dropped.append(identity)
            if keep_dropped:
                files += [SplitFile(name, "extra", identity) for name in names]
            continue
        classes.append(identity)
        known = any(name in places for name in names)
        for place, name in enumerate(names):
            usual = "train" if known or place > 1 else ("test", "val")[place]
            files.append(SplitFile(name, places.get(name, usual), identity))
    if not classes:
        raise UserError(
            f"No identity has the {MINIMUM_IMAGES} images that a split into test, validation and training needs "
            f"({counted(len(dropped), 'identity was', 'identities were')} found)."
        )
    return Split(files, classes, dropped)


def split_with_given_test(
    images: Mapping[str, Sequence[str]],
    test_images: Mapping[str, Sequence[str]],
    earlier: Sequence[SplitFile] = (),
) -> Split:
    """The test images are given; of the others, the first of an identity validates and the rest train.

    An identity is dropped unless it has a test image and two others.

    Args:
        earlier: see `split_by_name`.

    Raises:
        UserError: no identity is left.
    """
    validated = {(file.identity, file.source) for file in earlier if file.split == "val"}
    files: list[SplitFile] = []
    classes: list[str] = []
    dropped: list[str] = []
    for identity in sorted_names(set(images) | set(test_images)):
        names = sorted(images.get(identity, ()))
        if len(names) < MINIMUM_IMAGES - 1 or not test_images.get(identity):
            dropped.append(identity)
            continue
        classes.append(identity)
        files += [SplitFile(name, "test", identity) for name in sorted(test_images[identity])]
        first = next((name for name in names if (identity, name) in validated), names[0])
        files.append(SplitFile(first, "val", identity))
        files += [SplitFile(name, "train", identity) for name in names if name != first]
    if not classes:
        raise UserError("No identity has a test image and two others to train and validate on.")
    return Split(files, classes, dropped)


def split_unnamed(images: Sequence[str]) -> Split:
    """Photos of whom nobody knows: all go to the split "extra", which only super-resolution networks learn from."""
    return Split([SplitFile(name, "extra", UNNAMED) for name in images], [], [])
