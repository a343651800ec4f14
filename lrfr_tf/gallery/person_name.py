"""What a person may be called."""

import unicodedata

from lrfr_tf.errors import UserError
from lrfr_tf.printable import in_utf8

LONGEST_NAME = 200


def checked_name(name: str) -> str:
    """A person's name as it is stored: UTF-8 in NFC, without blanks around it.

    Raises:
        UserError: it is empty, too long, or holds control characters.
    """
    name = unicodedata.normalize("NFC", in_utf8(name)).strip()
    if not name or len(name) > LONGEST_NAME or any(unicodedata.category(letter) in ("Cc", "Cs") for letter in name):
        raise UserError(f"{name!r} is no name for a person: 1 to {LONGEST_NAME} printable characters are.")
    return name


def is_name(text: str) -> bool:
    """Whether a text is a name as it is stored."""
    try:
        return checked_name(text) == text
    except UserError:
        return False
