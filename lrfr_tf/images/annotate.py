"""Pictures with boxes and names drawn into them, for people to look at."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from lrfr_tf.images.lettering import Line

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
        _draw_label(draw, picture.size, box, label, letters=letters, color=color)
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
    line = Line(label, SMALLEST_LETTER)
    strip = Image.new("RGB", (max(width, line.width + 8), line.height + 8), KNOWN if known else UNKNOWN)
    line.draw(ImageDraw.Draw(strip), 4, 4, "white")
    canvas = np.zeros((height + strip.height, strip.width, 3), np.uint8)
    canvas[:height, :width] = image
    canvas[height:] = np.asarray(strip)
    return canvas


def _draw_label(
    draw: ImageDraw.ImageDraw, size: tuple[int, int], box: Box, label: str, *, letters: int, color: tuple[int, int, int]
) -> None:
    """Writes above the box, or below it if there is no room, always inside the picture."""
    line, margin = Line(label, letters), letters // 5
    width, height = line.width + 2 * margin, line.height + 2 * margin
    x = max(0, min(box[0], size[0] - width))
    y = box[1] - height if box[1] >= height else min(box[3], size[1] - height)
    draw.rectangle((x, y, x + width - 1, y + height - 1), fill=color)
    line.draw(draw, x + margin, y + margin, "white")
