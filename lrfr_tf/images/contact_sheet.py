"""Many faces on one picture: LR, each method and HR side by side, to be looked at."""

import numpy as np
from PIL import Image, ImageDraw

MAX_WIDTH = 2000  # pixels
MARGIN = 8
HEADING = 14


def contact_sheet(columns: dict[str, np.ndarray], zoom: int = 2) -> np.ndarray:
    """Every face as a strip of all columns, strips in rows from left to right; pixels stay squares.

    Args:
        columns: heading -> uint8 [N, S, S, 3]; columns of smaller images are enlarged pixel by pixel, so S divides the
            largest S.
        zoom: how many pixels wide a pixel of the largest images is drawn.

    Returns:
        uint8 [H, W, 3].

    Raises:
        ValueError: the columns hold different numbers of faces, or sizes that do not divide the largest.
    """
    side = max(images.shape[1] for images in columns.values())
    count = len(next(iter(columns.values())))
    if any(len(images) != count or side % images.shape[1] for images in columns.values()):
        raise ValueError("Every column needs the same faces, and a size that divides the largest.")
    cell = side * zoom
    strip_width = cell * len(columns) + MARGIN
    across = min(count, max(1, MAX_WIDTH // strip_width))
    down = -(-count // across)
    sheet = Image.new("RGB", (across * strip_width, HEADING + down * (cell + MARGIN)), "white")
    draw = ImageDraw.Draw(sheet)
    for place, (heading, images) in enumerate(columns.items()):
        for strip in range(across):
            draw.text((strip * strip_width + place * cell + 2, 1), heading, fill="black")
        for index, image in enumerate(images):
            row, strip = divmod(index, across)
            enlarged = image.repeat(cell // image.shape[0], axis=0).repeat(cell // image.shape[1], axis=1)
            corner = (strip * strip_width + place * cell, HEADING + row * (cell + MARGIN))
            sheet.paste(Image.fromarray(enlarged), corner)
    return np.array(sheet)
