"""CelebA as its authors deliver it: `img_align_celeba` (folder or zip) and `identity_CelebA.txt`.

Liu et al., "Deep Learning Face Attributes in the Wild", ICCV 2015. Non-commercial research only.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from lrfr_tf.data.name_list import read_table, some_of
from lrfr_tf.data.splits import Split
from lrfr_tf.errors import UserError
from lrfr_tf.names import nfc
from lrfr_tf.plural import counted
from lrfr_tf.sources.image_source import ImageSource, skipped_note

FULL_IMAGES = 202_599
FULL_IDENTITIES = 10_177
# Identities with at least three images in the full set.
FULL_CLASSES = 9_809
HEADER_LINES = 2


def read_identities(path: Path) -> dict[str, str]:
    """Reads `identity_CelebA.txt`: one "<file> <identity>" a line, separated by blanks, a tab or a comma.

    A header such as "image_id identity", and the number of images before it, as CelebA's other lists have it, are
    accepted; so are further columns behind tabs or commas.

    Returns:
        File name -> identity number, as text.

    Raises:
        UserError: the file is missing, is not such a list, or names a file twice; the message names the line.
    """
    identities: dict[str, str] = {}
    for number, words in read_table(path, "identity_CelebA.txt"):
        if not identities and number <= HEADER_LINES and _is_header(words):
            continue
        if len(words) < 2 or not words[1].isdecimal() or "." not in words[0]:
            line = " ".join(words)
            raise UserError(f"{path}, line {number}: {line[:60]!r} is not '<image file> <identity number>'.")
        if words[0] in identities:
            raise UserError(f"{path}, line {number}: {words[0]} is named twice.")
        identities[words[0]] = str(int(words[1]))
    if not identities:
        raise UserError(f"{path} names no image; it should be identity_CelebA.txt.")
    return identities


def _is_header(words: list[str]) -> bool:
    """True for names of columns, and for the number of images by itself."""
    if len(words) == 1:
        return words[0].isdecimal()
    return all(word.replace(" ", "_").isidentifier() for word in words)


def match_images(
    source: ImageSource, identities: Mapping[str, str], note: Callable[[str], None] | None = None
) -> tuple[dict[str, list[str]], list[str]]:
    """Joins the list of identities with the images that are there.

    Args:
        note: told how many files were passed over, and which listed ones are missing.

    Returns:
        (identity -> source names of its images, listed files that are missing).

    Raises:
        UserError: none of the listed images is there.
    """
    listing = source.listing()
    by_file = {nfc(name.rsplit("/", 1)[-1]): name for name in listing.images}
    images: dict[str, list[str]] = {}
    missing: list[str] = []
    for file, identity in identities.items():
        if file in by_file:
            images.setdefault(identity, []).append(by_file[file])
        else:
            missing.append(file)
    if not images:
        raise UserError(
            f"Of {counted(len(identities), 'image')} of the identity list (the first is {missing[0]}) none is in "
            f"{source.label('').rstrip('/')}."
        )
    unlisted = sum(nfc(name.rsplit("/", 1)[-1]) not in identities for name in listing.images)
    sentence = skipped_note(listing, {"that the list does not name": unlisted})
    if missing:
        lost = (
            f"Missing: {len(missing)} of {counted(len(identities), 'image')} that the list names ({some_of(missing)})."
        )
        sentence = f"{sentence} {lost}" if sentence else lost
    if sentence and note is not None:
        note(sentence)
    return images, missing


def check_full_set(identities: Mapping[str, str], split: Split) -> None:
    """Asserts what the published experiment found: the full list gives 9,809 identities with three images or more.

    Raises:
        UserError: all 202,599 lines are there and the count differs, so the list is not CelebA's.
    """
    if len(identities) == FULL_IMAGES and len(split.classes) != FULL_CLASSES:
        raise UserError(
            f"The identity list has all {FULL_IMAGES:,} lines but gives "
            f"{counted(len(split.classes), 'identity', 'identities')} with three images or more instead of "
            f"{FULL_CLASSES:,}: it is not CelebA's."
        )
