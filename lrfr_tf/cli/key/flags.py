"""What the verbs share: words of flags, and how keys are opened."""

from pathlib import Path

from lrfr_tf.errors import UserError
from lrfr_tf.service.keys import Keys, existing_keys, keys_beside

KEYS = "the file of keys; default: the gallery's name with .keys behind it"


def open_keys(gallery: str, keys: str | None, *, makes: bool = False) -> Keys:
    """The keys of a gallery's service.

    Args:
        makes: whether the first key is to be made, so that the file need not be there.

    Raises:
        UserError: there is no such gallery, or the named file holds no keys.
    """
    if not Path(gallery).is_file():
        raise UserError(f"{gallery} is missing; lrfr gallery create makes a gallery.")
    return Keys(keys or keys_beside(gallery)) if makes else existing_keys(gallery, keys)
