"""The stored faces of one person on one picture, to be looked at."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

CELL, TEXT, MARGIN = 128, 28, 8  # pixels
ACROSS = 8


def person_sheet(faces: Sequence[tuple[np.ndarray, str, str]]) -> np.ndarray:
    """Faces in rows, each with two lines below it: uint8 [H, W, 3].

    Args:
        faces: uint8 [h, w, 3] and the two lines.
    """
    across = max(1, min(ACROSS, len(faces)))
    down = max(1, -(-len(faces) // across))
    sheet = Image.new("RGB", (across * (CELL + MARGIN) + MARGIN, down * (CELL + TEXT + MARGIN) + MARGIN), "white")
    draw = ImageDraw.Draw(sheet)
    for number, (pixels, first, second) in enumerate(faces):
        row, column = divmod(number, across)
        left, top = MARGIN + column * (CELL + MARGIN), MARGIN + row * (CELL + TEXT + MARGIN)
        sheet.paste(Image.fromarray(in_cell(pixels)), (left, top))
        draw.text((left, top + CELL + 1), first, fill="black")
        draw.text((left, top + CELL + 14), second, fill="gray")
    return np.array(sheet)


def in_cell(pixels: np.ndarray) -> np.ndarray:
    """A face, uint8 [h, w, 3], at the size at which a sheet shows it."""
    scale = CELL / max(pixels.shape[:2])
    if scale == 1:
        return pixels
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    # Small faces are enlarged pixel by pixel, so that one sees how little there is.
    kind = Image.Resampling.NEAREST if scale > 1 else Image.Resampling.BICUBIC
    return np.array(Image.fromarray(pixels).resize(size, kind))
