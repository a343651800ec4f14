"""What a super-resolution network makes of the validation faces, in figures and as a picture."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lrfr_tf.evaluation.image_quality import psnr, ssim
from lrfr_tf.images.resize import resize
from lrfr_tf.plural import counted
from lrfr_tf.training.identity_metric import Embed
from lrfr_tf.training.tensorboard import Measured

GRID_ROWS = 8


class SuperResolutionExaminer:
    """PSNR, SSIM, gains over bicubic by camera level, identity similarity, and a grid of eight faces.

    Args:
        low, high: validation faces, uint8 [N, low, low, 3] and [N, S, S, 3].
        super_resolve: uint8 LR faces -> uint8 HR faces with the network as it is at the time of the call.
        embed: uint8 faces -> unit-length embeddings; None leaves the identity similarity out, which is the mean cosine
            between the embeddings of the network's image and of the HR face.
        photos: by camera level, validation faces as it makes them and what should be made of those, shaped as `low` and
            `high`; each level's gain over bicubic is a figure of its own, "psnr_gain_<level>".
    """

    def __init__(
        self,
        low: np.ndarray,
        high: np.ndarray,
        super_resolve: Callable[[np.ndarray], np.ndarray],
        *,
        embed: Embed | None = None,
        photos: Mapping[str, tuple[np.ndarray, np.ndarray]] | None = None,
    ) -> None:
        self._low, self._high = low, high
        self._bicubic = resize(low, *high.shape[1:3])
        self._bicubic_psnr = psnr(self._bicubic, high)
        self._photos = dict(photos or {})
        self._photos_psnr = {
            level: psnr(resize(small, *high.shape[1:3]), target) for level, (small, target) in self._photos.items()
        }
        self._super_resolve = super_resolve
        self._embed = embed
        self._high_embeddings: np.ndarray | None = None

    def measure(self) -> Measured:
        """See the class."""
        images = self._super_resolve(self._low)
        decibels = psnr(images, self._high)
        figures = {
            "psnr": float(decibels.mean()),
            "ssim": float(ssim(images, self._high).mean()),
            "psnr_gain": float((decibels - self._bicubic_psnr).mean()),
        }
        for level, (small, target) in self._photos.items():
            gains = psnr(self._super_resolve(small), target) - self._photos_psnr[level]
            figures[f"psnr_gain_{level}"] = float(gains.mean())
        if self._embed:
            if self._high_embeddings is None:
                self._high_embeddings = self._embed(self._high)
            cosines = (self._embed(images) * self._high_embeddings).sum(axis=1)
            figures["identity_similarity"] = float(cosines.mean())
        return Measured(figures, images={"validation/low_bicubic_output_high": self.grid(images)})

    def summary(self, figures: Mapping[str, Any]) -> str:
        gains = [f"{figures['psnr_gain']:+.2f} over bicubic"]
        gains += [f"{level} {figures[f'psnr_gain_{level}']:+.2f}" for level in self._photos]
        return (
            f"validation PSNR {figures['psnr']:.2f} dB ({', '.join(gains)}), SSIM {figures['ssim']:.3f}, on "
            f"{counted(len(self._high), 'face')}"
        )

    def grid(self, images: np.ndarray) -> np.ndarray:
        """LR (as squares), bicubic, output and HR side by side, one face a row: uint8 [rows * S, 4 * S, 3]."""
        size = self._high.shape[1]
        factor = size // self._low.shape[1]
        squares = self._low[:GRID_ROWS].repeat(factor, axis=1).repeat(factor, axis=2)
        columns = [squares, self._bicubic[:GRID_ROWS], images[:GRID_ROWS], self._high[:GRID_ROWS]]
        return np.concatenate([column.reshape(-1, size, 3) for column in columns], axis=1)
