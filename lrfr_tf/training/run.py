"""What the super-resolution train scripts share: the folder, the faces and the batches of a run."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lrfr_tf.config import write_run_record
from lrfr_tf.data.face_cache import load_training_faces
from lrfr_tf.data.graph import check_batch_size, face_batches
from lrfr_tf.errors import UserError
from lrfr_tf.images.degrade import degrade
from lrfr_tf.images.resize import resize_in_graph
from lrfr_tf.resumable import open_folder
from lrfr_tf.training.tensorboard import Monitor

VALIDATION_FACES = 256
# Settings that may change when a run is resumed: they do not change what is learned.
FREE_SETTINGS = ("output", "log_every", "evaluate_every", "save_every", "jit_compile")


class SuperResolutionRun:
    """The faces and the folder of a run; the folder is not touched before `open`.

    Args:
        config: the settings of a train script; `data`, `splits`, `held_out_divisor`, `output`, `batch_size`,
            `low_size` and `seed` are read here.

    Raises:
        UserError: nothing to train or validate on, or sizes that do not fit.
    """

    def __init__(self, config: Any) -> None:
        self.config = config
        self.output = Path(config.output)
        roots = [Path(item) for item in config.data]
        self.faces, _ = load_training_faces(roots, config.splits, config.held_out_divisor)
        validation, _ = load_training_faces(roots, ("val",), config.held_out_divisor)
        self.high_size = self.faces.shape[1]
        if validation.shape[1] != self.high_size or self.high_size % config.low_size:
            raise UserError(f"HR faces of {self.high_size} pixels are no multiple of --low_size={config.low_size}.")
        check_batch_size(self.faces, config.batch_size)
        self._validation = _spread(validation, VALIDATION_FACES)

    def open(self) -> None:
        """Opens the run folder, once everything else is known to be in order.

        Raises:
            UserError: the folder was begun with other settings.
        """
        settings = {key: value for key, value in dataclasses.asdict(self.config).items() if key not in FREE_SETTINGS}
        open_folder(self.output, {key: list(v) if isinstance(v, tuple) else v for key, v in settings.items()})
        counts = {"training_faces": len(self.faces), "validation_faces": len(self._validation)}
        write_run_record(self.output, self.config, **counts)

    def batches(self, first_step: int) -> tf.data.Dataset:
        """{"low": uint8 [B, low, low, 3], "high": uint8 [B, S, S, 3]} from `first_step` on."""
        return face_batches(self.faces, self.config.batch_size, self.config.seed, first_step, self.config.low_size)

    def enlarged_batches(self, first_step: int) -> tf.data.Dataset:
        """The same with "low" enlarged by bicubic to [B, S, S, 3], as SRCNN takes it."""
        size = self.high_size
        return self.batches(first_step).map(
            lambda batch: {"low": resize_in_graph(batch["low"], size, size), "high": batch["high"]}, tf.data.AUTOTUNE
        )

    def monitor(
        self, name: str, super_resolve: Callable[[np.ndarray], np.ndarray], optimizer: keras.optimizers.Optimizer
    ) -> Monitor:
        """Watches a network on the validation faces (see `Monitor`)."""
        low = degrade(self._validation, self.config.low_size)
        return Monitor(self.output, name, low, self._validation, super_resolve, optimizer)

    def show_last(self, monitor: Monitor) -> None:
        """Prints the last validation figures."""
        if monitor.history:
            last = monitor.history[-1]
            print(
                f"{self.output}: {last['network']} after {last['step']} steps: validation PSNR {last['psnr']:.2f} dB "
                f"({last['psnr_gain']:+.2f} over bicubic), SSIM {last['ssim']:.3f}, on {len(self._validation)} faces"
            )


def _spread(faces: np.ndarray, count: int) -> np.ndarray:
    """At most `count` of the faces, evenly spread over all of them."""
    return faces[np.unique(np.linspace(0, len(faces) - 1, min(count, len(faces))).astype(int))]
