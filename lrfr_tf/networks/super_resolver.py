"""A super-resolution network by its name, for one face or many."""

import os
from pathlib import Path

import numpy as np
from PIL import Image

from lrfr_tf.images.resize import resize
from lrfr_tf.networks.super_resolution import load_super_resolver
from lrfr_tf.sources.photo import to_pixels


class SuperResolver:
    """Enlarges small faces, 16 x 16 to 64 x 64.

    >>> sharp = SuperResolver("srgan_camera")(tiny)
    >>> sharp.shape, sharp.dtype.name
    ((64, 64, 3), 'uint8')

    Args:
        model: a shipped network by its name (`list_models`), the folder of an export, or one that a training wrote.

    Raises:
        UserError: the network is not known or damaged.
    """

    def __init__(self, model: str | os.PathLike[str] = "srgan") -> None:
        self.network = load_super_resolver(Path(model))
        self.name = self.network.name
        self.low_size = self.network.low_size
        self.high_size = self.network.high_size

    def __call__(self, faces: np.ndarray | Image.Image | str | os.PathLike[str]) -> np.ndarray:
        """Enlarges faces; those of another size are resized to the network's first (bicubic).

        Args:
            faces: a face as uint8 RGB [H, W, 3], as a PIL image or as the path of a file; or several as uint8
                [N, H, W, 3].

        Returns:
            uint8 RGB [64, 64, 3], or [N, 64, 64, 3].

        Raises:
            UserError: the file cannot be read.
            ValueError: the array is of another shape or type, or has no pixels.
        """
        if isinstance(faces, np.ndarray) and faces.ndim == 4:
            return self._enlarge([to_pixels(face) for face in faces])
        return self._enlarge([to_pixels(faces)])[0]

    def _enlarge(self, faces: list[np.ndarray]) -> np.ndarray:
        side = self.low_size
        low = [face if face.shape[:2] == (side, side) else resize(face, side, side) for face in faces]
        return self.network.super_resolve(np.stack(low) if low else np.zeros((0, side, side, 3), np.uint8))
