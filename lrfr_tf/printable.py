"""Text with names that other people chose, as a terminal, a pipe or a file can hold it.

A name may have letters that an encoding lacks (cp1252, ASCII), bytes that are no UTF-8 (Python keeps them as lone
surrogates), or characters that steer a terminal. All of them are written as escapes: \\xe9, \\u6797, \\x1b.
"""

import codecs
import sys
import unicodedata

ESCAPED = "lrfr_tf.escaped"  # the name of the error handler, for open(..., errors=ESCAPED)
# Control characters, lone surrogates, and ends of lines and paragraphs.
UNPRINTABLE_CATEGORIES = ("Cc", "Cs", "Zl", "Zp")
# Characters that turn the direction of a line, so that it reads as something else.
DIRECTIONS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def printable(text: str, kept: str = "") -> str:
    """The text with escapes in the place of characters that break or steer a line, but for those in `kept`."""
    return "".join(escaped(letter) if _is_unprintable(letter) and letter not in kept else letter for letter in text)


def print_every_name() -> None:
    """Lets stdout and stderr escape what their encoding lacks, where they would raise an error otherwise."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)  # a notebook's streams have none, and take every letter
        if reconfigure is not None:
            reconfigure(errors=ESCAPED)


def in_table(name: str) -> str:
    """A name as a table that is read again holds it: line ends and bytes that are no UTF-8 as %0a and %e9, since a
    backslash divides folders there."""
    return "".join(escaped(letter).replace("\\x", "%") if _spoils_a_table(letter) else letter for letter in name)


def name_bytes(text: str) -> bytes:
    """UTF-8 for digests: the same as ever, and defined for names that are no UTF-8, too."""
    return text.encode("utf-8", "surrogatepass")


def in_utf8(text: str) -> str:
    """The text as a database or a UTF-8 file can hold it.

    Bytes that Python kept as lone surrogates become the letters that they are in UTF-8 (a locale such as C does not
    decode them), and escapes where they are none.
    """
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # a surrogate that stands for no byte
        return "".join(escaped(letter) if "\ud800" <= letter <= "\udfff" else letter for letter in text)


def escaped(letter: str) -> str:
    """The escape of one character."""
    code = ord(letter)
    if 0xDC80 <= code <= 0xDCFF:  # how Python keeps a byte of a file's name that is no UTF-8
        code -= 0xDC00
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _spoils_a_table(letter: str) -> bool:
    return letter in "\r\n" or "\ud800" <= letter <= "\udfff"


def _is_unprintable(letter: str) -> bool:
    return letter in DIRECTIONS or unicodedata.category(letter) in UNPRINTABLE_CATEGORIES


def _escape_all(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(escaped, error.object[error.start : error.end])), error.end


codecs.register_error(ESCAPED, _escape_all)
