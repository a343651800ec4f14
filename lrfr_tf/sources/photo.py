"""One photo, in whatever form somebody has it, as pixels."""

import os
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from lrfr_tf.images.decode import read_image

Photo = str | os.PathLike[str] | Image.Image | np.ndarray


def to_pixels(photo: Photo) -> np.ndarray:
    """A photo as upright RGB, uint8 [H, W, 3].

    Args:
        photo: the path of a file, a PIL image, or uint8 [H, W, 3] RGB, which is given back as it is.

    Raises:
        UserError: the file cannot be read; the message names it.
        ValueError: an array of another shape or type, or with no pixels.
    """
    if isinstance(photo, np.ndarray):
        if photo.dtype != np.uint8 or photo.ndim != 3 or photo.shape[2] != 3 or photo.size == 0:
            raise ValueError(f"A photo must be uint8 RGB [H, W, 3], not {photo.dtype} {list(photo.shape)}.")
        return photo
    if isinstance(photo, Image.Image):
        upright: Any = ImageOps.exif_transpose(photo)
        return np.asarray(upright.convert("RGB"))
    return read_image(os.fspath(photo))
