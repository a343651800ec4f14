"""What TensorBoard shows of a super-resolution run: losses, rate, validation figures and before/after grids."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lrfr_tf.evaluation.image_quality import psnr, ssim
from lrfr_tf.files import read_json, write_json
from lrfr_tf.images.resize import resize

GRID_ROWS = 8


class Monitor:
    """Writes one run's event file.

    The validation figures also go into `<run>/validation.json`, a list that a resumed run goes on with.

    Args:
        run: the run folder.
        name: of the network, such as "srresnet".
        low, high: validation faces, uint8 [N, low, low, 3] and [N, S, S, 3].
        super_resolve: uint8 LR faces -> uint8 HR faces with the network as it is at the time of the call.
        optimizer: whose learning rate is shown.
    """

    def __init__(
        self,
        run: Path,
        name: str,
        low: np.ndarray,
        high: np.ndarray,
        super_resolve: Callable[[np.ndarray], np.ndarray],
        optimizer: keras.optimizers.Optimizer,
    ) -> None:
        self._writer = tf.summary.create_file_writer(str(run / "tensorboard"))
        self._file = run / "validation.json"
        self._name = name
        self._low, self._high = low, high
        self._bicubic = resize(low, *high.shape[1:3])
        self._bicubic_psnr = psnr(self._bicubic, high)
        self._super_resolve = super_resolve
        self._optimizer = optimizer
        self.history: list[dict[str, Any]] = read_json(self._file) if self._file.is_file() else []

    def report(self, step: int, values: dict[str, float]) -> None:
        """Writes the losses (as loss/<name>), the rate and the learning rate."""
        with self._writer.as_default(step=step):
            for name, value in values.items():
                tf.summary.scalar(name if name == "images_per_second" else f"loss/{name}", value)
            tf.summary.scalar("learning_rate", float(self._optimizer.learning_rate))

    def evaluate(self, step: int) -> None:
        """Writes PSNR and SSIM on the validation faces, their gain over bicubic, and a grid of the first eight."""
        images = self._super_resolve(self._low)
        decibels = psnr(images, self._high)
        figures = {
            "psnr": float(decibels.mean()),
            "ssim": float(ssim(images, self._high).mean()),
            "psnr_gain": float((decibels - self._bicubic_psnr).mean()),
        }
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
