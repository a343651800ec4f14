"""FRMDB's layout out of made-up persons: a mugshot and some cameras' photos each, and the table of points."""

from pathlib import Path

import numpy as np
from PIL import Image

from tests.faces_by_code import person

# The landmarks of the portrait's face in a photo of 96 pixels, roughly.
POINTS = np.array([[32.0, 38.0], [60.0, 38.0], [46.0, 54.0], [35.0, 66.0], [58.0, 66.0]])
CAMERAS = {"001": (1, 2, 3, 4, 5), "003": (1, 3), "005": (2, 4, 5), "010": (5,)}


def write_frmdb(root: Path, portrait: np.ndarray) -> Path:
    rows = ["file," + ",".join(f"{axis}{point}" for point in range(5) for axis in "xy") + ",native_face_height"]
    for identity, (name, cameras) in enumerate(CAMERAS.items()):
        (root / name).mkdir(parents=True)
        for photo in (0, *cameras):
            file = f"cam{photo}.jpg" if photo else "mugshot.jpg"
            Image.fromarray(person(portrait, identity, photo)).save(root / name / file, quality=95)
            points = POINTS + np.random.default_rng(photo).normal(0, 1, (5, 2))
            rows.append(f"frmdb/{name}/{file}," + ",".join(f"{value:.1f}" for value in points.ravel()) + ",120.5")
    (root / "points.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return root
