"""Faces at several camera levels on one picture, each with the name that it was given."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from lrfr_tf.images.annotate import KNOWN, UNKNOWN
from lrfr_tf.images.lettering import Line, fitting_line

CELL, GAP, LETTERS, LINE = 128, 10, 12, 18  # pixels


@dataclasses.dataclass(frozen=True)
class Tile:
    """One face in one or more pictures, and a line below them.

    Attributes:
        pictures: uint8 [S, S, 3] each; they are enlarged pixel by pixel where that is exact, else to the nearest pixel.
        label: what stands below.
        good: green where True, orange elsewhere.
    """

    pictures: tuple[np.ndarray, ...]
    label: str
    good: bool


def level_sheet(headings: Sequence[str], rows: Sequence[Sequence[Tile]]) -> np.ndarray:
    """One row a face, one column a level: uint8 [H, W, 3].

    Args:
        headings: of the columns, one for each tile of a row.
        rows: every row has as many tiles, and as many pictures in each tile, as the first.
    """
    widths = [len(tile.pictures) * CELL for tile in rows[0]]
    lefts = [GAP + sum(widths[:place]) + place * GAP for place in range(len(widths))]
    height = LINE + len(rows) * (CELL + LINE + GAP)
    sheet = Image.new("RGB", (lefts[-1] + widths[-1] + GAP, height), "white")
    draw = ImageDraw.Draw(sheet)
    for left, heading in zip(lefts, headings, strict=True):
        Line(heading, LETTERS).draw(draw, left, 1, "black")
    for place, row in enumerate(rows):
        top = LINE + place * (CELL + LINE + GAP)
        for left, width, tile in zip(lefts, widths, row, strict=True):
            for number, picture in enumerate(tile.pictures):
                enlarged = Image.fromarray(picture).resize((CELL, CELL), Image.Resampling.NEAREST)
                sheet.paste(enlarged, (left + number * CELL, top))
            draw.rectangle(
                (left, top + CELL, left + width - 1, top + CELL + LINE - 1), fill=KNOWN if tile.good else UNKNOWN
            )
            fitting_line(tile.label, LETTERS, width - 8).draw(draw, left + 4, top + CELL + 1, "white")
    return np.array(sheet)
