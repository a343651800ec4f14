"""Test images made by code: distinct "persons" out of one public-domain portrait."""

from pathlib import Path

import numpy as np
from PIL import Image

# A square round the face of the portrait.
FACE_BOX = (150, 10, 310, 170)


def person(portrait: np.ndarray, identity: int, photo: int, size: int = 96) -> np.ndarray:
    """A photo of a made-up person, uint8 [size, size, 3]: the portrait's face in the person's own tint.

    The photos of one person differ by a small shift and by noise; all of them hold a face that MTCNN finds.
    """
    random = np.random.default_rng(1000 * identity + photo)
    x, y = random.integers(-6, 7, 2)
    left, top, right, bottom = FACE_BOX
    image = Image.fromarray(portrait).crop((left + x, top + y, right + x, bottom + y))
    pixels = np.asarray(image.resize((size, size), Image.Resampling.BICUBIC), np.float64)
    tint = np.random.default_rng(identity).uniform(0.55, 1.0, 3)
    return np.clip(pixels * tint + random.normal(0, 3, pixels.shape), 0, 255).astype(np.uint8)


def write_people(root: Path, portrait: np.ndarray, counts: dict[str, int], size: int = 96) -> None:
    """Writes `<root>/<person>/<number>.png` for each person and number of photos."""
    for identity, (name, count) in enumerate(counts.items()):
        (root / name).mkdir(parents=True, exist_ok=True)
        for photo in range(count):
            Image.fromarray(person(portrait, identity, photo, size)).save(root / name / f"{photo:02d}.png")
