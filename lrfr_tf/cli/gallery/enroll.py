"""Takes in photos: a whole folder of people, or some photos of one person. In each the face that is meant is taken.

    lrfr gallery enroll --gallery=people.db --folder=people
    lrfr gallery enroll --gallery=people.db --person=anna --image=a.jpg,b.jpg

Every photo is answered by itself: accepted, accepted_with_warning or rejected, and why. What was accepted is kept
even if the command is stopped; started again, it takes no photo twice, but with --quality=off. Small faces are
welcome, but two or three sharp ones a person are better.
"""

import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from lrfr_tf.cli.gallery.flags import FORMATS, GALLERY
from lrfr_tf.config import option, required
from lrfr_tf.errors import UserError
from lrfr_tf.gallery.quality import ACCEPTED, LEVELS, REJECTED, summary
from lrfr_tf.main import note, run
from lrfr_tf.plural import counted
from lrfr_tf.printable import printable
from lrfr_tf.sources.image_source import open_source

if TYPE_CHECKING:  # loads TensorFlow
    from lrfr_tf.gallery.enroll import Answer

DUPLICATE = "duplicate"  # a rejection that leaves nothing to do


@dataclasses.dataclass(frozen=True)
class Config:
    gallery: str = required(GALLERY)
    folder: str | None = option(None, "a folder or zip of <person>/<photo>")
    person: str | None = option(None, "whose photos --image names")
    image: tuple[str, ...] = option((), "photos of --person, separated by commas")
    quality: str = option("standard", "what to make of poor photos: take all, warn, or reject", LEVELS)
    format: str = option("table", "how the answers are printed", FORMATS)


def check_flags(config: Config) -> None:
    """Refuses settings that do not go together."""
    if (config.folder is None) == (config.person is None) or (config.person is None) != (not config.image):
        raise UserError("Give --folder, or --person with --image.")


def main(config: Config) -> None:
    from lrfr_tf.gallery.enroll import enroll_people, enroll_photos
    from lrfr_tf.gallery.gallery import Gallery

    with Gallery.open(config.gallery) as gallery:
        if config.folder is not None:
            total, answers = enroll_people(gallery, open_source(Path(config.folder)), config.quality, note)
        else:
            photos = [Path(image) for image in config.image]
            total, answers = len(photos), enroll_photos(gallery, str(config.person), photos, config.quality)
        done = _print(answers, total, config.format)
        aside = sum(person.references - person.active for person in gallery.persons())
    for line in summary((answer.verdict, answer.codes) for answer in done):
        note(line) if config.format == "json" else print(line)
    if aside:
        note(f"Of all references {counted(aside, 'is', 'are')} not in force; lrfr gallery check says which, and why.")
    if all(answer.verdict == REJECTED and DUPLICATE not in answer.codes for answer in done):
        raise UserError("No photo was accepted.")


def _print(answers: "Iterable[Answer]", total: int, format: str) -> "list[Answer]":
    done = []
    with tqdm(total=total, desc="enroll", unit="photo") as progress:
        for answer in answers:
            done.append(answer)
            if format == "json":
                tqdm.write(json.dumps(answer.as_json()))
            elif answer.verdict != ACCEPTED or answer.set_aside is not None:
                tqdm.write(printable(_in_words(answer)))
            progress.update()
    return done


def _in_words(answer: "Answer") -> str:
    photo = answer.photo if "/" in answer.photo else f"{answer.person}, {answer.photo}"
    why = f" ({answer.codes[0]}). {answer.sentence}" if answer.codes else "."
    return f"{photo}: {answer.verdict}{why}" + (f" It is set aside. {answer.set_aside}" if answer.set_aside else "")


if __name__ == "__main__":
    run(main, Config)
