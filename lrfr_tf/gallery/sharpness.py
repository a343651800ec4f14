"""How blurred a face is, in its own pixels.

Two bands of detail are compared: that of one to two pixels, and that of two to four. A sharp face has both; lenses out
of focus and motion take the finer one away first. The answer is the coarser band's share of the two. Size and contrast
of the face cancel out of it. Noise does not: it is fine detail, so that a blurred face in the dark looks sharp.
docs/enrolling.md shows by how much.
"""

from collections.abc import Sequence

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

# Faces that are higher are shrunk to it first: what a large photo lacks beyond that, no network sees.
HIGHEST = 96
FINEST, FINE, COARSE = 0.5, 1.0, 2.0  # standard deviations that bound the two bands, in pixels
BLURRED = 0.77  # at most 1 % of sharp photos lie above it, at any size; docs/enrolling.md
FLAT = 1e-6  # squared grey levels; no detail at all


def blur_of(face: np.ndarray, box: Sequence[float]) -> float:
    """How blurred a face is, from 0 (sharp) to 1; a face without any detail has 1.

    Args:
        face: uint8 [H, W, 3], a picture that was not enlarged.
        box: (x1, y1, x2, y2) of the face, in pixels of it.
    """
    x1, y1, x2, y2 = (round(value) for value in box)
    grey = Image.fromarray(face).convert("L").crop((x1, y1, max(x2, x1 + 1), max(y2, y1 + 1)))
    if grey.height > HIGHEST:
        width = max(1, round(grey.width * HIGHEST / grey.height))
        grey = grey.resize((width, HIGHEST), Image.Resampling.BICUBIC)
    levels = np.asarray(grey, np.float64)
    finest, fine, coarse = (gaussian_filter(levels, deviation) for deviation in (FINEST, FINE, COARSE))
    fine_detail, coarse_detail = np.square(finest - fine).mean(), np.square(fine - coarse).mean()
    if fine_detail + coarse_detail < FLAT:
        return 1.0
    return float(coarse_detail / (fine_detail + coarse_detail))
