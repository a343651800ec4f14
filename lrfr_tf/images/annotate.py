"""Pictures with boxes and names drawn into them, for people to look at."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

KNOWN, UNKNOWN = (0, 118, 92), (184, 84, 0)  # green and orange; under white letters both are easy to read
LETTER_SHARE, SMALLEST_LETTER = 1 / 28, 12  # of the shorter side, and pixels
READABLE_SIDE = 192

Box = tuple[float, float, float, float]


def draw_faces(image: np.ndarray, boxes: Sequence[Box], labels: Sequence[str], known: Sequence[bool]) -> np.ndarray:
    """Draws a box around each face and its label at it.

    Args:
        image: uint8 RGB [H, W, 3]; it stays as it is.
        boxes: (x1, y1, x2, y2) in pixels.
        labels: one line of text each.
        known: green where True, orange elsewhere.

    Returns:
        uint8 [H, W, 3].
    """
    picture = Image.fromarray(image)
    draw = ImageDraw.Draw(picture)
    letters = max(SMALLEST_LETTER, round(min(picture.size) * LETTER_SHARE))
    line = max(2, letters // 8)
    for box, label, is_known in zip(boxes, labels, known, strict=True):
        color = KNOWN if is_known else UNKNOWN
        draw.rectangle(box, outline=color, width=line)
        _write(draw, picture.size, box, label, letters, color)
    return np.array(picture)


def draw_caption(image: np.ndarray, label: str, known: bool) -> np.ndarray:
    """Puts a label below a face that fills its picture; a small one is enlarged first, by a whole number.

    Args:
        image: uint8 RGB [H, W, 3].

    Returns:
        uint8 [H', W', 3].
    """
    times = max(1, READABLE_SIDE // min(image.shape[:2]))
    if max(image.shape[:2]) * times <= 10 * READABLE_SIDE:
        image = image.repeat(times, axis=0).repeat(times, axis=1)
    height, width = image.shape[:2]
    letters = font(SMALLEST_LETTER)
    left, top, right, bottom = letters.getbbox(label)
    strip = Image.new("RGB", (max(width, int(right) + 8), int(bottom) + 8), KNOWN if known else UNKNOWN)
    ImageDraw.Draw(strip).text((4, 4), label, "white", letters)
    canvas = np.zeros((height + strip.height, strip.width, 3), np.uint8)
    canvas[:height, :width] = image
    canvas[height:] = np.asarray(strip)
    return canvas


def _write(
    draw: ImageDraw.ImageDraw, size: tuple[int, int], box: Box, label: str, letters: int, color: tuple[int, int, int]
) -> None:
    """Writes above the box, or below it if there is no room, always inside the picture."""
    own = font(letters)
    margin = letters // 5
    left, top, right, bottom = own.getbbox(label)
    width, height = right + 2 * margin, bottom + 2 * margin
    x = max(0, min(box[0], size[0] - width))
    y = box[1] - height if box[1] >= height else min(box[3], size[1] - height)
    draw.rectangle((x, y, x + width - 1, y + height - 1), fill=color)
    draw.text((x + margin, y + margin), label, "white", own)


def font(letters: int) -> ImageFont.FreeTypeFont:
    """A font whose letters are so many pixels high."""
    # Matplotlib brings a font that has Latin, Greek and Cyrillic letters.
    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    return ImageFont.truetype(str(path), letters)
