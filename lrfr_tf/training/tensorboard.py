"""What TensorBoard shows of a super-resolution run: losses, rate, validation figures and before/after grids."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lrfr_tf.evaluation.image_quality import psnr, ssim
from lrfr_tf.files import read_json, write_json
from lrfr_tf.images.resize import resize
from lrfr_tf.training.identity import Embed
from lrfr_tf.training.outcome import Outcome

GRID_ROWS = 8
# Reported values that are no losses.
OTHER_VALUES = ("images_per_second", "gradient_norm", "discriminator_gradient_norm", "loss_scale")


class Monitor:
    """Writes one run's event file.

    The validation figures also go into `<run>/validation.json`, a list that a resumed run goes on with.

    Args:
        run: the run folder.
        name: of the network, such as "srresnet".
        low, high: validation faces, uint8 [N, low, low, 3] and [N, S, S, 3].
        super_resolve: uint8 LR faces -> uint8 HR faces with the network as it is at the time of the call.
        optimizer: whose learning rate (and loss scale, if it has one) is shown.
        outcome: learns of the figures, so that it can keep the best weights.
        embed: uint8 faces -> unit-length embeddings; None leaves the identity similarity out, which is the mean cosine
            between the embeddings of the network's image and of the HR face.
        photos: by camera level, validation faces as it makes them and what should be made of those, shaped as `low` and
            `high`; each level's gain over bicubic is a figure of its own, "psnr_gain_<level>".
    """

    def __init__(
        self,
        run: Path,
        name: str,
        low: np.ndarray,
        high: np.ndarray,
        super_resolve: Callable[[np.ndarray], np.ndarray],
        optimizer: keras.optimizers.Optimizer,
        outcome: Outcome | None = None,
        embed: Embed | None = None,
        photos: Mapping[str, tuple[np.ndarray, np.ndarray]] | None = None,
    ) -> None:
        self._writer = tf.summary.create_file_writer(str(run / "tensorboard"))
        self._file = run / "validation.json"
        self._name = name
        self._low, self._high = low, high
        self._bicubic = resize(low, *high.shape[1:3])
        self._bicubic_psnr = psnr(self._bicubic, high)
        self._photos = dict(photos or {})
        self._photos_psnr = {
            level: psnr(resize(small, *high.shape[1:3]), target) for level, (small, target) in self._photos.items()
        }
        self._super_resolve = super_resolve
        self._optimizer = optimizer
        self._outcome = outcome
        self._embed = embed
        self._high_embeddings: np.ndarray | None = None
        self.history: list[dict[str, Any]] = read_json(self._file) if self._file.is_file() else []

    def report(self, step: int, values: dict[str, float]) -> None:
        """See `write_values`."""
        write_values(self._writer, step, values, self._optimizer)

    def evaluate(self, step: int) -> None:
        """Writes PSNR, SSIM, gains by camera and identity similarity on the validation faces, and a grid of eight."""
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
        if self._outcome:
            self._outcome.consider(figures)
        # What an interrupted run measured after its last checkpoint is measured again.
        self.history = [entry for entry in self.history if entry["step"] < step]
        self.history.append({"network": self._name, "step": step, **figures})
        write_json(self._file, self.history)
        with self._writer.as_default(step=step):
            for name, value in figures.items():
                tf.summary.scalar(f"validation/{name}", value)
            tf.summary.image("validation/low_bicubic_output_high", self.grid(images)[None])
        self._writer.flush()

    def grid(self, images: np.ndarray) -> np.ndarray:
        """LR (as squares), bicubic, output and HR side by side, one face a row: uint8 [rows * S, 4 * S, 3]."""
        size = self._high.shape[1]
        factor = size // self._low.shape[1]
        squares = self._low[:GRID_ROWS].repeat(factor, axis=1).repeat(factor, axis=2)
        columns = [squares, self._bicubic[:GRID_ROWS], images[:GRID_ROWS], self._high[:GRID_ROWS]]
        return np.concatenate([column.reshape(-1, size, 3) for column in columns], axis=1)


def write_values(
    writer: tf.summary.SummaryWriter, step: int, values: dict[str, float], optimizer: keras.optimizers.Optimizer
) -> None:
    """Writes the losses (as loss/<name>), the rate, the norms of the gradients and the learning rate of a step."""
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        values = {**values, "loss_scale": _number(optimizer.dynamic_scale)}
    with writer.as_default(step=step):
        for name, value in values.items():
            tf.summary.scalar(name if name in OTHER_VALUES else f"loss/{name}", value)
        tf.summary.scalar("learning_rate", _number(optimizer.learning_rate))


def _number(variable: Any) -> float:
    """The value of a tensor or a variable, also of one that is mirrored on several devices."""
    return float(keras.ops.convert_to_numpy(variable))
