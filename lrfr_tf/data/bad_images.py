"""Photos that cannot be read: how many of them a tree may be made without."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from lrfr_tf.errors import UserError
from lrfr_tf.files import write_json
from lrfr_tf.plural import counted

NAMED = 20  # bad photos are named one by one up to so many

BadImages = list[dict[str, str]]  # {"image": its name, "reason": one sentence} each


@dataclasses.dataclass(frozen=True)
class Tolerance:
    """How many bad images are passed over: both a share of all and a number must be exceeded to stop."""

    share: float
    count: int

    def exceeded_by(self, bad: int, total: int) -> bool:
        """Whether `bad` images of `total` are too many."""
        return bad > self.share * total and bad > self.count

    def in_words(self) -> str:
        """The limit, for messages."""
        return f"more than {self.share:.0%}" + (f" and more than {self.count}" if self.count else "")


# A published data set is whole or damaged. Among somebody's own photos there is always one that cannot be read.
PUBLISHED = Tolerance(0.01, 0)
OWN_PHOTOS = Tolerance(0.05, 3)


def missing_images(names: Sequence[str]) -> BadImages:
    """Images that a list names and nobody has, as bad ones."""
    return [{"image": name, "reason": "it is in the list and not among the images"} for name in names]


def check_bad_images(output: Path | None, bad: BadImages, total: int, tolerance: Tolerance) -> None:
    """Names the bad images in `bad_images.json` of the output, which is not there if there are none.

    Args:
        output: a folder; None where there is none.

    Raises:
        UserError: they are too many.
    """
    if output is not None:
        (output / "bad_images.json").unlink(missing_ok=True)
        if bad:
            write_json(output / "bad_images.json", bad)
    if tolerance.exceeded_by(len(bad), total):
        named = "" if output is None else f"; all are named in {output / 'bad_images.json'}"
        raise UserError(
            f"{len(bad)} of {counted(total, 'image')} cannot be found or read ({tolerance.in_words()}), for example "
            f"{bad[0]['image']}: {bad[0]['reason'].rstrip('.')}{named}."
        )


def bad_image_notes(bad: Sequence[dict[str, str]]) -> list[str]:
    """A sentence for each bad image, and one for those that are too many to be named."""
    notes = [f"{item['image']} is passed over: {item['reason'].rstrip('.')}." for item in bad[:NAMED]]
    if len(bad) > NAMED:
        left = counted(len(bad) - NAMED, "further photo is", "further photos are")
        notes.append(f"{left} passed over, too, as unreadable.")
    return notes
