"""A tree of aligned faces made by code, as tools/prepare_aligned.py would write it."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from lrfr_tf.files import write_json
from tests.faces_by_code import person


def write_aligned_tree(
    root: Path, portrait: np.ndarray, counts: Mapping[str, int], left_margin: int = 0, template: str = "lai"
) -> Path:
    """Writes `<root>/<person>/<number>.jpg`, so many for each person, 128 high and 128 + left_margin wide."""
    for identity, (name, count) in enumerate(counts.items()):
        (root / name).mkdir(parents=True)
        for photo in range(count):
            face = person(portrait, identity, photo, 128 + left_margin)[left_margin:]
            Image.fromarray(face).save(root / name / f"{photo:02d}.jpg", quality=95)
    write_json(root / "manifest.json", {"template": template, "size": 128, "left_margin": left_margin})
    return root
