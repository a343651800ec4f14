"""Names of people and files, in the one spelling in which they are compared."""

import unicodedata


def nfc(name: str) -> str:
    """A name in Unicode's composed form.

    An accent may be a part of its letter or a letter of its own, as macOS writes it in file names; both look alike, and
    whoever has both is one person.
    """
    return unicodedata.normalize("NFC", name)
