"""Where drawn pictures and videos go, so that none takes the place of another input's."""

import hashlib
import itertools
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image, PngImagePlugin

from lrfr_tf.files import atomic_file
from lrfr_tf.printable import name_bytes
from lrfr_tf.sources.video import comment_of

MARK = "Comment"  # the field of a PNG file that says what it was drawn of


def mark_of(source: str | Path) -> str:
    """What a drawn file says of its input, by which it is told from those of others; no path can be read out of it."""
    return f"lrfr identify {hashlib.sha256(name_bytes(str(Path(source).absolute()))).hexdigest()[:16]}"


def drawn_path(folder: str | Path, name: str, suffix: str, mark: str) -> Path:
    """The file to draw the input `name` into: a/photo.jpg -> <folder>/a/photo.png.

    Where that is drawn of another input, or is no drawn file at all, it is a/photo.jpg.png, then a/photo.jpg-2.png.
    """
    inside = PurePosixPath(name)
    more = (inside.with_name(f"{inside.name}-{number}{suffix}") for number in itertools.count(2))
    for place in itertools.chain((inside.with_suffix(suffix), inside.with_name(inside.name + suffix)), more):
        path = Path(folder) / place
        if not path.exists() or _mark_in(path) == mark:
            return path
    raise AssertionError  # there is always a next number


def write_drawn(path: Path, picture: np.ndarray, mark: str) -> None:
    """Writes a picture, uint8 RGB [H, W, 3], as PNG, whole or not at all.

    Raises:
        UserError: the file cannot be written.
    """
    fields = PngImagePlugin.PngInfo()
    fields.add_text(MARK, mark)
    with atomic_file(path) as temporary:
        Image.fromarray(picture).save(temporary, format="PNG", pnginfo=fields)


def _mark_in(path: Path) -> str | None:
    if path.suffix != ".png":
        return comment_of(path)
    try:
        with Image.open(path) as picture:
            return picture.info.get(MARK)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):  # what Pillow raises for damaged files
        return None
