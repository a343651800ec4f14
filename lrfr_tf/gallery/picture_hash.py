"""Is this the same picture? A number of 63 bits that stays nearly the same when a photo is resized or compressed.

The lowest frequencies of the face and what lies around it, each above or below their median (a DCT hash). It says
whether two files are one photo, not whether two photos show one person.
"""

from collections.abc import Sequence

import numpy as np
from PIL import Image

SIDE, FREQUENCIES = 32, 8
MARGIN = 0.5  # of the box, on each side
SAME = 8  # bits that two copies of one photo may differ in; docs/enrolling.md says what that finds


def picture_hash(face: np.ndarray, box: Sequence[float]) -> int:
    """The hash of the face in a picture: 0 to 2^63 - 1, so that it fits a signed column.

    Args:
        face: uint8 [H, W, 3].
        box: (x1, y1, x2, y2) of the face, in pixels of it.
    """
    x1, y1, x2, y2 = box
    across, down = MARGIN * (x2 - x1), MARGIN * (y2 - y1)
    region = (
        max(0.0, x1 - across),
        max(0.0, y1 - down),
        min(face.shape[1], x2 + across),
        min(face.shape[0], y2 + down),
    )
    small = Image.fromarray(face).convert("L").resize((SIDE, SIDE), Image.Resampling.BICUBIC, region)
    waves = np.cos(np.pi / SIDE * np.outer(np.arange(FREQUENCIES), np.arange(SIDE) + 0.5))
    spectrum = (waves @ np.asarray(small, np.float64) @ waves.T).ravel()[1:]  # without the brightness
    bits = spectrum > np.median(spectrum)
    return int("".join("1" if bit else "0" for bit in bits), 2)


def differing_bits(first: int, second: int) -> int:
    """How many of the 63 bits of two hashes differ."""
    return (first ^ second).bit_count()


def is_same_picture(picture: int, others: Sequence[int]) -> bool:
    """Whether a picture is one of others, by their hashes."""
    return any(differing_bits(picture, other) <= SAME for other in others)
