"""Synthetic faces, with which a network is tried before the first real one comes."""

import io

import numpy as np
from PIL import Image

PHOTO_SIZE = 72


def synthetic_faces(count: int, size: int) -> np.ndarray:
    """Pictures with the light and dark of a face, made by code: uint8 [count, size, size, 3], all different."""
    random = np.random.default_rng(0)
    y, x = np.meshgrid(np.linspace(-1, 1, size), np.linspace(-1, 1, size), indexing="ij")

    def spot(center_x: float, center_y: float, width: float, height: float) -> np.ndarray:
        return np.exp(-((((x - center_x) / width) ** 2 + ((y - center_y) / height) ** 2) ** 2))

    faces = np.empty((count, size, size, 3), np.uint8)
    for index in range(count):
        shift = random.uniform(-0.1, 0.1)
        face, mouth = spot(shift, 0, 0.7, 0.9), spot(shift, 0.5, 0.3, 0.1)
        eyes = spot(shift - 0.3, -0.2, 0.15, 0.1) + spot(shift + 0.3, -0.2, 0.15, 0.1)
        light = 1 + 0.3 * random.uniform(-1, 1) * x + 0.2 * random.uniform(-1, 1) * y
        skin, background = random.uniform(0.4, 1, 3) * (230, 190, 160), random.uniform(20, 220, 3)
        picture = background + (skin - background) * face[..., None]
        picture = picture * (1 - 0.7 * eyes - 0.4 * mouth)[..., None] * light[..., None]
        faces[index] = np.clip(picture + random.normal(0, 3, picture.shape), 0, 255)
    return faces


def synthetic_files() -> np.ndarray:
    """Three such pictures as image files, a JPEG, a PNG and a BMP: bytes [3]."""
    files = []
    for photo, image_format in zip(synthetic_faces(3, PHOTO_SIZE), ("JPEG", "PNG", "BMP"), strict=True):
        buffer = io.BytesIO()
        Image.fromarray(photo).save(buffer, image_format)
        files.append(buffer.getvalue())
    return np.array(files, object)
