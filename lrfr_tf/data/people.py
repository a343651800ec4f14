"""Folders and zips of people, <person>/<photo>, or of photos with a list that says whom each shows."""

from collections.abc import Callable, Sequence
from pathlib import Path

from lrfr_tf.data.celeba import match_images, read_identities
from lrfr_tf.data.folders import sorted_names
from lrfr_tf.data.held_out import EVERYBODY, in_half
from lrfr_tf.errors import UserError
from lrfr_tf.sources.image_source import ImageSource, images_by_identity, open_source

People = dict[str, list[tuple[ImageSource, str]]]


def find_people(places: Sequence[str], half: str = EVERYBODY, note: Callable[[str], None] | None = None) -> People:
    """Lists the photos of people; who is in several places is one person.

    Args:
        places: folders or zips of <person>/<photo>; or PHOTOS:LIST, photos and a list of "<file> <identity>" lines, as
            CelebA has it.
        half: one of `held_out.HALVES`: whom to take.
        note: told about files that are passed over, in one sentence for each place.

    Returns:
        person -> (source, name in it) of each photo, sorted.

    Raises:
        UserError: a place cannot be read, or nobody is left.
    """
    found: People = {}
    for place in places:
        photos, _, identities = place.partition(":")
        source = open_source(Path(photos))
        if identities:
            images, _ = match_images(source, read_identities(Path(identities)), note)
        else:
            images = images_by_identity(source, note)
        for person, names in images.items():
            if in_half(person, half):
                found.setdefault(person, []).extend((source, name) for name in sorted(names))
    if not found:
        whom = "" if half == EVERYBODY else f" in the half {half!r}"
        raise UserError(f"{', '.join(places)} shows nobody{whom}.")
    return {person: found[person] for person in sorted_names(found)}
