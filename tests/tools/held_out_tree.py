"""A finished tree of made-up persons with numbers, in all four splits; no detector runs."""

from pathlib import Path

import numpy as np

from lrfr_tf.data.folders import write_classes
from lrfr_tf.files import write_json
from lrfr_tf.images.decode import write_png
from lrfr_tf.images.degrade import degrade
from tests.faces_by_code import person


def write_held_out_tree(root: Path, portrait: np.ndarray, persons: tuple[int, ...], train_images: int = 3) -> Path:
    """Each person has one image in test, val and extra, and `train_images` in train: HR of 64 px and LR of 16 px."""
    splits = {"test": 1, "val": 1, "train": train_images, "extra": 1}
    for number in persons:
        photo = 0
        for split, images in splits.items():
            for _ in range(images):
                photo += 1
                face = person(portrait, number, photo, 64)
                name = f"{number:03d}{photo:03d}.png"
                write_png(root / "hr" / split / str(number) / name, face)
                write_png(root / "lr" / split / str(number) / name, degrade(face[None], 16)[0])
    write_classes(root, [str(number) for number in persons])
    write_json(root / "manifest.json", {"schema": 1, "framing": "by code"})
    return root
