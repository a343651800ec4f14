"""Shows one person's references: their ids, how high the faces are, which are in force and why not.

    lrfr gallery show --gallery=people.db --person=anna --output=anna.png

`move`, `split`, `set_aside` and `restore` take the ids. Faces under 32 pixels say little: replace them if you can.
"""

import dataclasses
import json
from pathlib import Path
from typing import Any

from lrfr_tf.cli.gallery.flags import FORMATS, GALLERY, OVERWRITE, check_new_file, open_people, say, say_what_is_written
from lrfr_tf.config import option, required
from lrfr_tf.errors import UserError
from lrfr_tf.gallery.last_day import PASSED
from lrfr_tf.gallery.people import People
from lrfr_tf.gallery.references import ACTIVE, Reference
from lrfr_tf.gallery.small_references import small_references_in_words
from lrfr_tf.main import note, run
from lrfr_tf.plural import counted

ROW = "{:<16} {:>6} {:>6} {:<10} {:<10} {:<28} {}"


@dataclasses.dataclass(frozen=True)
class Config:
    gallery: str = required(GALLERY)
    person: str = required("whose references")
    output: str | None = option(None, "a PNG file to write, with every stored face")
    overwrite: bool = option(False, OVERWRITE)
    format: str = option("table", "how the answer is printed", FORMATS)


def check_flags(config: Config) -> None:
    """Refuses a file that is there, or of another kind."""
    check_new_file(config.output, config.overwrite, ".png")


def main(config: Config) -> None:
    people = open_people(config.gallery)
    references = people.references(config.person)
    if config.format == "json":
        print(json.dumps([_summary(one) for one in references]))
    else:
        print(ROW.format("reference", "pixels", "score", "state", "last day", "photo", "why").rstrip())
        for one in references:
            say(_reference_row(one))
        cost = small_references_in_words(references)
        if cost is not None:
            print(cost)
    if config.output is not None:
        _write_sheet(people, references, Path(config.output), config.overwrite)
        say_what_is_written(config.output, config.format)


def _summary(reference: Reference) -> dict[str, Any]:
    """What is shown of a reference."""
    fields = ("id", "height", "detection_score", "pose", "blur", "state", "reason", "codes", "source_name", "enrolled")
    return {name: getattr(reference, name) for name in (*fields, "expires", "by_hand", "in_force")}


def _reference_row(one: Reference) -> str:
    score = "" if one.detection_score is None else f"{one.detection_score:.2f}"
    has_passed = one.state == ACTIVE and not one.in_force
    state = "passed" if has_passed else one.state
    why = PASSED if has_passed else one.reason or ", ".join(one.codes)
    photo = one.source_name or ""
    photo = photo if len(photo) <= 28 else "…" + photo[-27:]
    return ROW.format(one.id, f"{one.height:.0f}", score, state, one.expires or "", photo, why).rstrip()


def _write_sheet(people: People, references: list[Reference], path: Path, overwrite: bool) -> None:
    from lrfr_tf.gallery.person_sheet import in_cell, person_sheet
    from lrfr_tf.images.decode import write_png

    shown: list[tuple[Any, str, str]] = []
    for one in references:
        picture = people.picture(one.id)
        if picture is not None:
            text = f"{one.height:.0f} px {'' if one.in_force else 'not in force'}"
            shown.append((in_cell(picture), text, one.id))  # a picture may be as large as its photo
    if not shown:
        raise UserError("No picture of these references is stored, so there is none to write.")
    if len(shown) < len(references):
        note(f"Of {counted(len(references), 'reference')} {len(shown)} with a stored picture are on it.")
    write_png(path, person_sheet(shown), private=True, replaces=overwrite)


if __name__ == "__main__":
    run(main, Config)
