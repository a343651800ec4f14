"""Checkpoints that hold everything a run needs to go on: step, networks, averages, optimizers, loss scales."""

import logging
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from lrfr_tf.errors import UserError
from lrfr_tf.files import atomic_file, make_folder
from lrfr_tf.training.strategy import broadcast_from_chief, is_chief

_logger = logging.getLogger(__name__)


class Part(Protocol):
    """A network, a built optimizer, or whatever else has variables."""

    @property
    def variables(self) -> Sequence[Any]:
        """Keras' or TensorFlow's variables."""


class CheckpointStore:
    """Saves and restores the state of a run; the two newest checkpoints are kept.

    What decides the run's random numbers is part of it: batches are a pure function of (seed, step), and the state of
    a network's dropout is a variable of the network. Of several workers the chief alone writes and reads; the others
    get everything from it, so the folder need not be shared.

    Args:
        folder: where the checkpoints lie.
        parts: name -> network, optimizer or the like; None is left out.
        strategy: the devices that train together.
    """

    def __init__(
        self, folder: Path, parts: Mapping[str, Part | None], strategy: tf.distribute.Strategy | None = None
    ) -> None:
        self._folder = folder
        self._strategy = strategy or tf.distribute.get_strategy()
        self._step = tf.Variable(0, dtype=tf.int64, trainable=False)
        variables = {name: _variables(part.variables) for name, part in parts.items() if part is not None}
        self._all = [self._step, *(variable for group in variables.values() for variable in group)]
        self._checkpoint = tf.train.Checkpoint(step=self._step, **variables)

    def restore(self) -> int:
        """Restores the newest checkpoint that can be read and returns its step; 0 where there is none.

        Raises:
            UserError: there are checkpoints, and none of them can be read.
        """
        if is_chief(self._strategy):
            self._restore_from_folder()
        values = [np.asarray(variable.numpy()) for variable in self._all]
        received = broadcast_from_chief(self._strategy, values)
        if not is_chief(self._strategy):
            for variable, value in zip(self._all, received, strict=True):
                variable.assign(value)
        return int(self._step.numpy())

    def save(self, step: int) -> None:
        """Saves the state after `step` steps, whole or not at all.

        Raises:
            UserError: a weight is NaN or infinite; the checkpoint before stays the newest.
        """
        if not is_chief(self._strategy):
            return
        if not all(np.isfinite(variable.numpy()).all() for variable in self._all if variable.dtype == tf.float32):
            raise UserError(
                f"A weight is NaN or infinite after step {step}; the last good checkpoint is kept; try a lower "
                "learning rate."
            )
        self._step.assign(step)
        make_folder(self._folder)
        temporary = self._folder / ".part"
        shutil.rmtree(temporary, ignore_errors=True)
        self._checkpoint.write(str(temporary / f"ckpt-{step}"))
        # The index comes last: a checkpoint without one does not count.
        for file in sorted(temporary.glob("ckpt-*"), key=lambda file: file.suffix == ".index"):
            os.replace(file, self._folder / file.name)
        temporary.rmdir()
        self._forget_all_but_two(step)

    def _restore_from_folder(self) -> None:
        steps = self._steps()
        for step in steps:
            try:
                self._checkpoint.read(str(self._folder / f"ckpt-{step}")).assert_consumed()
                return
            except Exception as error:  # a damaged file can end in almost any of TensorFlow's and Python's errors
                reason = " ".join(str(error).split())[:120]
                _logger.warning("%s/ckpt-%d cannot be read (%s); trying the one before.", self._folder, step, reason)
        if steps:
            raise UserError(f"None of the checkpoints in {self._folder} can be read; delete it to begin anew.")

    def _steps(self) -> list[int]:
        """The steps of the checkpoints in the folder, newest first."""
        return sorted(
            (int(file.stem.removeprefix("ckpt-")) for file in self._folder.glob("ckpt-*.index")), reverse=True
        )

    def _forget_all_but_two(self, newest: int) -> None:
        """Deletes all but the newest two; later ones than the newest could not be read."""
        before = [step for step in self._steps() if step < newest][:1]
        kept = [f"ckpt-{step}" for step in (*before, newest)]
        for file in self._folder.glob("ckpt-*"):
            if file.name.split(".")[0] not in kept:
                file.unlink()
        # TensorFlow's own list, for `tf.train.latest_checkpoint`.
        with atomic_file(self._folder / "checkpoint") as temporary:
            lines = [
                f'model_checkpoint_path: "{kept[-1]}"',
                *(f'all_model_checkpoint_paths: "{name}"' for name in kept),
            ]
            temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _variables(variables: Sequence[Any]) -> list[tf.Variable]:
    """The TensorFlow variables below Keras' own."""
    return [variable if isinstance(variable, tf.Variable) else variable.value for variable in variables]
