"""Sets the last day on which a person or a reference is in force; alone, it sets aside what has passed its day.

    lrfr gallery expire --gallery=people.db --person=anna --on=2027-01-31
    lrfr gallery expire --gallery=people.db

After its last day nothing is compared any more, whether this was called or not. What was set aside for that is in force
again once its last day is taken back (--person alone) or lies ahead. To delete a person, use `forget`.
"""

import dataclasses

from lrfr_tf.cli.gallery.flags import GALLERY, ID, open_people, say
from lrfr_tf.config import option, required
from lrfr_tf.errors import UserError
from lrfr_tf.main import run
from lrfr_tf.plural import counted


@dataclasses.dataclass(frozen=True)
class Config:
    gallery: str = required(GALLERY)
    person: str | None = option(None, "whose last day is set")
    reference: str | None = option(None, ID)
    on: str | None = option(None, "the last day, as 2027-01-31; left out: no end")


def main(config: Config) -> None:
    people = open_people(config.gallery)
    if config.person is not None or config.reference is not None:
        back = people.set_end(config.on, person=config.person, reference=config.reference)
        came_back = f"; {counted(len(back), 'reference is', 'references are')} in force again" if back else ""
        say(f"{config.person or config.reference}: {f'last day {config.on}' if config.on else 'no end'}{came_back}.")
        return
    if config.on is not None:
        raise UserError("--on is the last day of a --person or of a --reference.")
    passed = people.expire()
    for name, id, day in passed:
        say(f"{name}: {id} is set aside, its last day was {day}.")
    if not passed:
        print("Nothing has passed its last day.")


if __name__ == "__main__":
    run(main, Config)
