"""Lines of text in any script as pixels, each letter in a font that has it."""

import functools
import itertools
import unicodedata
from pathlib import Path

import matplotlib
from matplotlib.font_manager import findSystemFonts
from matplotlib.ft2font import FT2Font
from PIL import ImageDraw, ImageFont

from lrfr_tf.printable import escaped, printable

# Of the fonts of the system these are taken, in this order: their letters go together.
NOTO = ("NotoSansCJK", "NotoSansSC", "NotoSansJP", "NotoSansKR", "NotoSansTC", "NotoSans")
REGULAR = "-Regular"


class Line:
    """A line of text; letters that no font has are written as escapes, such as \\u6797.

    Attributes:
        width, height: in pixels.
    """

    def __init__(self, text: str, letters: int) -> None:
        self._runs = [(part, ImageFont.truetype(path, letters)) for part, path in _runs(_shown(text))]
        self._ascent = max((font.getmetrics()[0] for _, font in self._runs), default=0)
        descent = max((font.getmetrics()[1] for _, font in self._runs), default=0)
        self.width = round(sum(font.getlength(part) for part, font in self._runs))
        self.height = self._ascent + descent

    def draw(self, draw: ImageDraw.ImageDraw, left: float, top: float, color: str) -> None:
        """Draws it, its upper left corner at (left, top)."""
        for part, font in self._runs:
            draw.text((left, top + self._ascent), part, color, font, anchor="ls")
            left += font.getlength(part)


def fitting_line(text: str, letters: int, width: int) -> Line:
    """The text as a line, cut off with an ellipsis where it is wider than `width` pixels."""
    line, cut = Line(text, letters), text
    while cut and line.width > width:
        cut = cut[:-1]
        line = Line(f"{cut}…", letters)
    return line


def in_standard_font(text: str) -> str:
    """The text with escapes in the place of letters that matplotlib's own font has not, for its plots."""
    letters = _letters_of(_standard_font())
    return "".join(letter if ord(letter) in letters else escaped(letter) for letter in _composed(text))


def _shown(text: str) -> str:
    return "".join(letter if _font_of(letter) else escaped(letter) for letter in _composed(text))


def _composed(text: str) -> str:
    # A font has ä, and not always a dot to put on any letter.
    return printable(unicodedata.normalize("NFC", text))


def _runs(text: str) -> list[tuple[str, str]]:
    """Parts of a text and the path of the font of each. A mark stays with the letter that it stands on."""
    paths: list[str] = []
    for letter in text:
        own = _font_of(letter) or _standard_font()
        before = paths[-1] if paths else own
        stays = unicodedata.category(letter) in ("Mn", "Mc", "Cf", "Zs") and ord(letter) in _letters_of(before)
        paths.append(before if stays else own)
    pairs = itertools.groupby(zip(text, paths, strict=True), key=lambda pair: pair[1])
    return [("".join(letter for letter, _ in group), path) for path, group in pairs]


@functools.cache
def _font_of(letter: str) -> str | None:
    """The path of the first font that has a letter."""
    if ord(letter) in _letters_of(_standard_font()):
        return _standard_font()
    return next((path for path in _system_fonts() if ord(letter) in _letters_of(path)), None)


@functools.cache
def _standard_font() -> str:
    """Matplotlib brings a font that has Latin, Greek, Cyrillic, Arabic, Hebrew, Georgian and Armenian letters."""
    return str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf")


@functools.cache
def _system_fonts() -> tuple[str, ...]:
    """The paths of the system's Noto fonts."""
    found: dict[str, list[str]] = {start: [] for start in NOTO}
    for path in sorted(findSystemFonts()):
        name = Path(path).name
        start = next((start for start in NOTO if name.startswith(start)), None)
        if start is not None and (REGULAR in name or "-" not in name):
            found[start].append(path)
    return tuple(path for paths in found.values() for path in paths)


@functools.cache
def _letters_of(path: str) -> frozenset[int]:
    try:
        return frozenset(FT2Font(path).get_charmap())
    except (OSError, RuntimeError):  # a font that cannot be read has no letters
        return frozenset()
