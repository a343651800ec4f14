"""Makes a list of face pairs to verify, in LFW's form, of persons who are not in training.

    python -m lrfr_tf.cli.make_pairs --data=people --output=pairs.txt
    python -m lrfr_tf.cli.make_pairs --data=datasets/celeba_people.zip --half=calibration \\
        --output=datasets/pairs_calibration.txt

--data takes folders or zips of <person>/<image>, or prepared trees (all of their splits count). Persons with names are
all taken; of persons who are numbers, as CelebA's, those who are held out of training.
"""

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from lrfr_tf.config import option, required
from lrfr_tf.data.held_out import (
    EVERY_SPLIT,
    EVERYBODY,
    HALVES,
    HELD_OUT_DIVISOR,
    held_out_or_everybody,
    in_half,
    list_held_out,
)
from lrfr_tf.data.pairs import LFW_FOLDS, LFW_PAIRS, image_key, make_pairs, most_folds_and_pairs, write_pairs
from lrfr_tf.errors import UserError
from lrfr_tf.main import note, start
from lrfr_tf.plural import counted
from lrfr_tf.sources.image_source import images_by_identity, open_source


@dataclasses.dataclass(frozen=True)
class Config:
    data: tuple[str, ...] = required("prepared trees, or folders or zips of <person>/<image>")
    output: str = required("the list to write (text)")
    held_out_divisor: int | None = option(
        None,
        f"only persons whose number is divisible by this; 0: everybody; default: {HELD_OUT_DIVISOR}, but everybody "
        "where nobody is a number",
        at_least=0,
    )
    half: str = option(EVERYBODY, "which half of CelebA's held-out identities to take", HALVES)
    folds: int | None = option(
        None,
        f"number of folds; nobody is in two of them; default: as there are persons for, up to {LFW_FOLDS}",
        at_least=1,
    )
    pairs_per_fold: int | None = option(
        None,
        "number of matched pairs in a fold, and of mismatched pairs; default: as there are images for, up to "
        f"{LFW_PAIRS}",
        at_least=1,
    )
    seed: int = option(0, "seed of the drawing", at_least=0)


def main(config: Config) -> None:
    images: dict[str, list[str]] = {}
    for data in config.data:
        for person, names in read_images(Path(data)).items():
            images.setdefault(person, []).extend(names)
    chosen = held_out_or_everybody(images, config.held_out_divisor, note)
    images = {person: images[person] for person in chosen if in_half(person, config.half)}
    if not images:
        raise UserError(f"{', '.join(config.data)} hold nobody of --half={config.half}.")
    images = _told_apart(images, config.data)
    folds, pairs = most_folds_and_pairs(images, config.folds, config.pairs_per_fold, config.seed)
    drawn = make_pairs(images, folds, pairs, config.seed)
    if (folds, pairs) != (config.folds or LFW_FOLDS, config.pairs_per_fold or LFW_PAIRS):
        number = counted(len(images), "person")
        note(f"{number}: folds {folds}, matched pairs in each {pairs}, and as many mismatched ones.")
    if len(drawn) == 1:
        note(
            "A threshold is chosen on other folds than it is measured on, so evaluate_lfw needs two; one fold is here."
        )
    write_pairs(Path(config.output), drawn)
    used = {end for fold in drawn for pair in fold for end in (pair.first, pair.second)}
    print(
        f"{config.output}: {counted(sum(map(len, drawn)), 'pair')} in {counted(len(drawn), 'fold')}; "
        f"{counted(len(used), 'image')} of {counted(len({person for person, _ in used}), 'person')}."
    )


def read_images(data: Path) -> dict[str, list[str]]:
    """person -> file names."""
    images: dict[str, list[str]] = {}
    if (data / "hr").is_dir():
        for face in list_held_out(data, EVERY_SPLIT, 0):
            images.setdefault(face.identity, []).append(face.path.split("/")[-1])
        return images
    found = images_by_identity(open_source(data), note)
    return {person: [name.split("/")[-1] for name in names] for person, names in found.items()}


def _told_apart(images: Mapping[str, list[str]], data: Sequence[str]) -> dict[str, list[str]]:
    """The images without those that a list cannot tell apart: a person's 1.jpg and 1.png, or two albums' 1.jpg.

    Raises:
        UserError: there is no other.
    """
    times = Counter(image_key(person, name) for person, names in images.items() for name in names)
    twice = [key for key, count in times.items() if count > 1]
    kept = {p: [name for name in names if times[image_key(p, name)] == 1] for p, names in images.items()}
    kept = {person: names for person, names in kept.items() if names}
    if twice:
        shown = "/".join(twice[0])
        if not kept:
            raise UserError(f"{', '.join(data)} hold the image {shown} twice, under one name, and so all others.")
        note(
            f"{counted(sum(times[key] for key in twice), 'image is', 'images are')} left out, such as "
            f"{shown}: the same person has another of "
            "that name, in another folder or with another ending."
        )
    return kept


if __name__ == "__main__":
    start("lrfr_tf.cli.make_pairs")
