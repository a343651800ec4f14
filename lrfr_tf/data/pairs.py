"""Lists of face pairs to verify, in the form of LFW's `pairs.txt` (Huang et al. 2007).

Fields are separated by tabs. The first line is "<folds> <pairs>", or of one fold "<pairs>", as in LFW's development
sets; then, for each fold, come so many matched lines and as many mismatched ones:

    10      300
    04930   184494.png      185453.png                  two images of one person
    04930   184494.png      05005   196018.png          one image of each of two persons

An image is named by its file, or, as in LFW itself, by a number alone: number 7 of Abel_Pacheco is the file
`Abel_Pacheco_0007.jpg`. A name with a suffix is a file name, a bare number is LFW's. Only the name before the suffix
says which image is meant, so that a list made from photos (.jpg) also serves the faces prepared from them (.png).
"""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Generic, TypeVar

import numpy as np

from lrfr_tf.data.name_list import lines_of
from lrfr_tf.errors import UserError
from lrfr_tf.files import atomic_file
from lrfr_tf.names import nfc
from lrfr_tf.plural import counted
from lrfr_tf.printable import in_table

ImageT = TypeVar("ImageT")
LFW_FOLDS, LFW_PAIRS = 10, 300


@dataclasses.dataclass(frozen=True)
class Pair:
    """Two images, each as (person, file name)."""

    first: tuple[str, str]
    second: tuple[str, str]

    @property
    def same(self) -> bool:
        """True for two images of one person."""
        return self.first[0] == self.second[0]


@dataclasses.dataclass(frozen=True)
class PairedImages(Generic[ImageT]):
    """The pairs of a list as places in one list of images, each image once.

    Attributes:
        images: the images, in whatever form they were found.
        keys: `image_key` of each.
        first, second: int [n], the places of each pair's images.
        same: bool [n].
        folds: int [n], from 0 on.
        persons: int [n, 2], a number for each person.
    """

    images: list[ImageT]
    keys: list[tuple[str, str]]
    first: np.ndarray
    second: np.ndarray
    same: np.ndarray
    folds: np.ndarray
    persons: np.ndarray

    def counts(self) -> dict[str, int]:
        """How many pairs, folds, persons and images there are, and how many persons are in more than one fold."""
        in_folds = {(person, fold) for person, fold in zip(self.persons.ravel(), self.folds.repeat(2), strict=True)}
        times = Counter(person for person, _ in in_folds)
        return {
            "pairs": len(self.same),
            "matched": int(self.same.sum()),
            "folds": len(np.unique(self.folds)),
            "persons": len(times),
            "persons_in_several_folds": sum(count > 1 for count in times.values()),
            "images": len(self.images),
        }


def image_key(person: str, file_name: str) -> tuple[str, str]:
    """What two names of one image share: the person, and the file's name without its suffix, normalized to NFC.

    Bytes that are no UTF-8 are written as in a list, so that the image is found by what stands there.
    """
    return in_table(nfc(person)), in_table(nfc(PurePosixPath(file_name).stem))


def make_pairs(
    images: Mapping[str, Sequence[str]], folds: int = LFW_FOLDS, pairs: int = LFW_PAIRS, seed: int = 0
) -> list[list[Pair]]:
    """Draws matched and mismatched pairs as LFW did: no pair twice, and nobody in two folds.

    A matched pair is a person drawn evenly among those with two images or more, then two of the images; a mismatched
    pair is two persons drawn evenly, then an image of each. Persons are dealt to the folds by their number of images,
    so that the folds can hold about as many pairs each.

    Args:
        images: person -> file names, all different.
        folds: number of folds.
        pairs: number of matched pairs in a fold, and of mismatched pairs.
        seed: the same seed and images give the same pairs, in whatever order the images come.

    Returns:
        For each fold `pairs` matched pairs, then `pairs` mismatched ones.

    Raises:
        UserError: there are too few persons or images.
    """
    random = np.random.default_rng(seed)
    found = []
    for fold, members in enumerate(_dealt(images, folds, random)):
        files = {person: sorted(images[person]) for person in members}
        _check_enough([len(names) for names in files.values()], pairs, f"Fold {fold + 1} of {folds}")
        found.append(_draw(files, pairs, True, random) + _draw(files, pairs, False, random))
    return found


def most_folds_and_pairs(
    images: Mapping[str, Sequence[str]], folds: int | None = None, pairs: int | None = None, seed: int = 0
) -> tuple[int, int]:
    """How many folds and pairs these images give `make_pairs`, up to LFW's 10 folds of 300.

    Two folds or more are better than one, then more pairs in all, then more folds.

    Args:
        folds, pairs: those that are given; None for those to find.
        seed: as for `make_pairs`.

    Returns:
        (folds, pairs); what was given, however few images there are, so that `make_pairs` says what is wanting.
    """
    choices = []
    for tried in [folds] if folds else range(1, min(LFW_FOLDS, len(images) // 2) + 1):
        if len(images) < 2 * tried:
            continue
        dealt = _dealt(images, tried, np.random.default_rng(seed))
        possible = min(min(_possible([len(images[person]) for person in members])) for members in dealt)
        fitting = min(pairs or LFW_PAIRS, possible)
        if fitting >= (pairs or 1):
            choices.append((tried > 1, tried * fitting, tried, fitting))
    return max(choices)[2:] if choices else (folds or 1, pairs or 1)


def write_pairs(path: Path, folds: Sequence[Sequence[Pair]]) -> None:
    """Writes folds as `make_pairs` returns them; images are named by their files.

    Raises:
        UserError: a name holds a tab or a line break, or is a bare number, which the format cannot hold.
    """
    lines = [f"{len(folds)}\t{len(folds[0]) // 2}"]
    for pair in (pair for fold in folds for pair in fold):
        for person, file_name in (pair.first, pair.second):
            if file_name.isdecimal() or any(mark in name for name in (person, file_name) for mark in "\t\r\n"):
                raise UserError(f"A list of pairs cannot hold the name {person}/{file_name!r}.")
        fields = [*pair.first, pair.second[1]] if pair.same else [*pair.first, *pair.second]
        lines.append("\t".join(map(in_table, fields)))
    with atomic_file(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


def read_pairs(path: Path) -> list[list[Pair]]:
    """Reads a list that `write_pairs` wrote, or LFW's own.

    Returns:
        For each fold its matched pairs, then its mismatched ones.

    Raises:
        UserError: the file is missing or is not such a list; the message names the line.
    """
    if not path.exists():
        raise UserError(f"{path} is missing; python -m lrfr_tf.cli.make_pairs makes a list of pairs.")
    lines = list(lines_of(path, "a list of pairs"))
    header = lines[0][1].split() if lines else []
    if len(header) not in (1, 2) or not all(field.isdecimal() and int(field) > 0 for field in header):
        raise UserError(f"{path} is no list of pairs: its first line should be the number of folds and of pairs.")
    folds, pairs = map(int, header if len(header) == 2 else ["1", *header])
    if len(lines) - 1 != 2 * folds * pairs:
        what = f"{counted(folds, 'fold')} of twice {counted(pairs, 'pair')}"
        raise UserError(f"{path} announces {what}: {2 * folds * pairs} lines after the first, not {len(lines) - 1}.")
    found: list[list[Pair]] = [[] for _ in range(folds)]
    for place, (number, line) in enumerate(lines[1:]):
        fold, matched = place // (2 * pairs), place % (2 * pairs) < pairs
        found[fold].append(_read_line(line, matched, f"Line {number} of {path}"))
    return found


def find_paired_images(
    folds: Sequence[Sequence[Pair]], there: Iterable[tuple[str, str, ImageT]], where: str
) -> PairedImages[ImageT]:
    """Finds the images of the pairs among those there are; the suffix of an image does not count.

    Args:
        folds: as `read_pairs` returns them.
        there: (person, file name, image) of each image there is.
        where: what holds the images, for messages.

    Raises:
        UserError: an image of the list is missing, or two of those there are may be meant.
    """
    found: dict[tuple[str, str], ImageT] = {}
    named = {image_key(*end) for pairs in folds for pair in pairs for end in (pair.first, pair.second)}
    for person, file_name, image in there:
        key = image_key(person, file_name)
        if key in found and key in named:
            raise UserError(f"{where} holds {'/'.join(key)} twice: {found[key]} and {image}.")
        found[key] = image
    places: dict[tuple[str, str], int] = {}
    persons: dict[str, int] = {}
    rows = []
    for fold, pairs in enumerate(folds):
        for pair in pairs:
            keys = [image_key(*pair.first), image_key(*pair.second)]
            numbers = [persons.setdefault(key[0], len(persons)) for key in keys]
            rows.append([*(places.setdefault(key, len(places)) for key in keys), pair.same, fold, *numbers])
    missing = [key for key in places if key not in found]
    if missing:
        raise UserError(
            f"{where} lacks {len(missing)} of {counted(len(places), 'image')} that the list of pairs names, such as "
            f"{'/'.join(missing[0])}."
        )
    first, second, same, fold_of, *both = np.array(rows).T
    images = [found[key] for key in places]
    return PairedImages(images, list(places), first, second, same.astype(bool), fold_of, np.stack(both, axis=1))


def _read_line(line: str, matched: bool, where: str) -> Pair:
    # An editor may have made blanks of the tabs; that does no harm where names hold none.
    fields = [field.strip() for field in line.split("\t")] if "\t" in line else line.split()
    if len(fields) != (3 if matched else 4) or not all(fields):
        wanted = "a person and two of the images" if matched else "a person, an image, a person and an image"
        raise UserError(f"{where} is {line!r}; it should be {wanted}, separated by tabs.")
    # A matched line names its person once.
    first, one, second, other = [*fields[:2], fields[0], fields[2]] if matched else fields
    pair = Pair((first, _file_name(first, one)), (second, _file_name(second, other)))
    if pair.same != matched:
        raise UserError(f"{where} is {line!r}: a mismatched pair needs two different persons.")
    if image_key(*pair.first) == image_key(*pair.second):
        raise UserError(f"{where} is {line!r}: it compares an image with itself.")
    return pair


def _file_name(person: str, image: str) -> str:
    """LFW names an image by its number; other lists by its file."""
    return f"{person}_{int(image):04d}.jpg" if image.isdecimal() else image


def _dealt(images: Mapping[str, Sequence[str]], folds: int, random: np.random.Generator) -> list[list[str]]:
    """The persons of each fold."""
    if len(images) < 2 * folds:
        raise UserError(
            f"{counted(len(images), 'person is', 'persons are')} too few for {counted(folds, 'fold')} of different "
            "persons: a mismatched pair needs two in each fold."
        )
    persons = sorted(images)
    order = random.permutation(len(persons))
    # A stable sort: persons with equally many images stay shuffled.
    dealt = sorted((persons[index] for index in order), key=lambda person: -len(images[person]))
    # Dealt forwards and backwards in turn, so that no fold always gets the persons with more images.
    return [[person for place, person in enumerate(dealt) if fold == _fold_of(place, folds)] for fold in range(folds)]


def _fold_of(place: int, folds: int) -> int:
    turn, position = divmod(place, folds)
    return position if turn % 2 == 0 else folds - 1 - position


def _possible(counts: Sequence[int]) -> tuple[int, int]:
    """How many matched and mismatched pairs persons with so many images each make."""
    squares = sum(count**2 for count in counts)
    return (squares - sum(counts)) // 2, (sum(counts) ** 2 - squares) // 2


def _check_enough(counts: Sequence[int], pairs: int, fold: str) -> None:
    for kind, possible in zip(("matched", "mismatched"), _possible(counts), strict=True):
        if possible < pairs:
            raise UserError(
                f"{fold} has {counted(len(counts), 'person')} with {counted(sum(counts), 'image')}, enough for "
                f"{possible} of {counted(pairs, f'{kind} pair')}; lower `pairs_per_fold` or `folds`, or add images."
            )


def _draw(files: Mapping[str, list[str]], pairs: int, matched: bool, random: np.random.Generator) -> list[Pair]:
    """`pairs` different pairs among these persons; there are at least so many."""
    persons = [person for person in files if len(files[person]) >= (2 if matched else 1)]
    drawn: dict[Pair, None] = {}  # a set that keeps the order in which the pairs were drawn
    while len(drawn) < pairs:
        if matched:
            person = persons[random.integers(len(persons))]
            chosen = random.choice(len(files[person]), 2, replace=False)
            ends = [(person, files[person][index]) for index in chosen]
        else:
            chosen = random.choice(len(persons), 2, replace=False)
            both = [persons[index] for index in chosen]
            ends = [(person, files[person][random.integers(len(files[person]))]) for person in both]
        first, second = sorted(ends)  # a pair is the same pair the other way round
        drawn[Pair(first, second)] = None
    return list(drawn)
