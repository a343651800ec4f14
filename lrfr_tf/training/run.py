"""What the super-resolution train scripts share: the folder, the faces and the batches of a run."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lrfr_tf.config import write_run_record
from lrfr_tf.data.face_cache import load_training_faces, read_identities_to_exclude
from lrfr_tf.data.graph import check_batch_size, face_batches
from lrfr_tf.errors import UserError
from lrfr_tf.faces.frame import celeba_face_box, crop, portrait_width
from lrfr_tf.images.degrade import degrade
from lrfr_tf.images.resize import resize, resize_in_graph
from lrfr_tf.resumable import open_folder
from lrfr_tf.training.tensorboard import Monitor

VALIDATION_FACES = 256
# SRGAN enlarges four times.
FRAMED_FACTOR = 4
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
        excluded = read_identities_to_exclude(Path(config.exclude)) if config.exclude else frozenset()
        self.faces, _ = load_training_faces(roots, config.splits, config.held_out_divisor, excluded)
        validation, _ = load_training_faces(roots, ("val",), config.held_out_divisor, excluded)
        validation = _spread(validation, VALIDATION_FACES)
        self._framed_size = None
        if config.framing == "random":
            self._framed_size = FRAMED_FACTOR * config.low_size
            check_portraits(self.faces)
            validation = frame_in_turn(validation, self._framed_size)
        self._validation = validation
        self.high_size = validation.shape[1]
        if validation.shape[2] != self.high_size or self.high_size % config.low_size:
            raise UserError(
                f"HR faces of {validation.shape[2]} x {self.high_size} pixels are no squares of a multiple of "
                f"--low_size={config.low_size}; portraits need --framing=random."
            )
        check_batch_size(self.faces, config.batch_size)

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
        config = self.config
        return face_batches(
            self.faces, config.batch_size, config.seed, first_step, config.low_size, framed_size=self._framed_size
        )

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


def check_portraits(images: np.ndarray) -> None:
    """Raises UserError unless the images [N, H, W, 3] have CelebA's proportions."""
    height, width = images.shape[1:3]
    if width != portrait_width(height):
        raise UserError(
            f"--framing=random needs portraits such as 89 x 109 pixels, not {width} x {height}; prepare the trees with "
            "--framing=portrait --high_size=109."
        )


def frame_in_turn(portraits: np.ndarray, size: int) -> np.ndarray:
    """Portraits as HR faces [N, size, size, 3], framed in turn as "face" and as "squash"."""
    box = celeba_face_box(*portraits.shape[1:3])
    return np.stack(
        [resize(crop(image, box) if index % 2 == 0 else image, size, size) for index, image in enumerate(portraits)]
    )
