"""Makes a list of face pairs to verify, in LFW's form, of the held-out persons of a data set.

    python tools/make_pairs.py --data=datasets/celeba_people --output=datasets/celeba_people/pairs.txt
    python tools/make_pairs.py --data=datasets/celeba_people.zip --half=calibration \\
        --output=datasets/pairs_calibration.txt

--data takes prepared trees (all of their splits count), or folders or zips of <person>/<image>.
"""

import dataclasses
from pathlib import Path

from lrfr_tf.config import option, required
from lrfr_tf.data.folders import is_held_out
from lrfr_tf.data.held_out import EVERY_SPLIT, EVERYBODY, HALVES, in_half, list_held_out
from lrfr_tf.data.pairs import image_key, make_pairs, write_pairs
from lrfr_tf.errors import UserError
from lrfr_tf.main import note
from lrfr_tf.sources.image_source import images_by_identity, open_source


@dataclasses.dataclass(frozen=True)
class Config:
    data: tuple[str, ...] = required("prepared trees, or folders or zips of <person>/<image>")
    output: str = required("the list to write (text)")
    held_out_divisor: int = option(
        5, "only persons whose number is divisible by this; 0: everybody, for names that are no numbers", at_least=0
    )
    half: str = option(EVERYBODY, "which half of CelebA's held-out identities to take", HALVES)
    folds: int = option(10, "number of folds; nobody is in two of them", at_least=1)
    pairs_per_fold: int = option(300, "number of matched pairs in a fold, and of mismatched pairs", at_least=1)
    seed: int = option(0, "seed of the drawing", at_least=0)


def main(config: Config) -> None:
    images: dict[str, list[str]] = {}
    for data in config.data:
        for person, names in read_images(Path(data), config.held_out_divisor, config.half).items():
            images.setdefault(person, []).extend(names)
    for person, names in images.items():
        keys = [image_key(person, name) for name in names]
        if len(set(keys)) < len(keys):
            twice = next(key for key in keys if keys.count(key) > 1)
            raise UserError(f"{', '.join(config.data)} hold the image {'/'.join(twice)} twice, under one name.")
    folds = make_pairs(images, config.folds, config.pairs_per_fold, config.seed)
    write_pairs(Path(config.output), folds)
    used = {end for fold in folds for pair in fold for end in (pair.first, pair.second)}
    print(
        f"{config.output}: {sum(map(len, folds))} pairs in {len(folds)} folds; {len(used)} images of "
        f"{len({person for person, _ in used})} persons."
    )


def read_images(data: Path, held_out_divisor: int, half: str) -> dict[str, list[str]]:
    """person -> file names of the held-out persons of a half.

    Raises:
        UserError: there is nobody.
    """
    images: dict[str, list[str]] = {}
    if (data / "hr").is_dir():
        for face in list_held_out(data, EVERY_SPLIT, held_out_divisor):
            images.setdefault(face.identity, []).append(face.path.split("/")[-1])
    else:
        for person, names in images_by_identity(open_source(data), note).items():
            if held_out_divisor == 0 or is_held_out(person, held_out_divisor):
                images[person] = [name.split("/")[-1] for name in names]
    if not images:
        raise UserError(f"{data} holds nobody whose number is divisible by --held_out_divisor={held_out_divisor}.")
    images = {person: names for person, names in images.items() if in_half(person, half)}
    if not images:
        raise UserError(f"{data} holds nobody of --half={half}.")
    return images
