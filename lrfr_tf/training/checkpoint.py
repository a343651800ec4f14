"""Checkpoints that hold everything a run needs to go on: step, networks and optimisers."""

from collections.abc import Sequence
from pathlib import Path

import keras
import tensorflow as tf


class CheckpointStore:
    """Saves and restores the state of a run; the two newest checkpoints are kept.

    The data need no place in it: batches are a pure function of (seed, step).

    Args:
        folder: where the checkpoints lie.
        parts: name -> network or built optimiser.
    """

    def __init__(self, folder: Path, parts: dict[str, keras.Model | keras.optimizers.Optimizer]) -> None:
        self._step = tf.Variable(0, dtype=tf.int64, trainable=False)
        variables = {name: _variables(part.variables) for name, part in parts.items()}
        self._checkpoint = tf.train.Checkpoint(step=self._step, **variables)
        self._manager = tf.train.CheckpointManager(self._checkpoint, str(folder), max_to_keep=2)

    def restore(self) -> int:
        """Restores the newest checkpoint and returns its step; 0 where there is none."""
        if self._manager.latest_checkpoint:
            self._checkpoint.restore(self._manager.latest_checkpoint).assert_consumed()
        return int(self._step.numpy())

    def save(self, step: int) -> None:
        """Saves the state after `step` steps."""
        self._step.assign(step)
        self._manager.save(checkpoint_number=step)


def _variables(variables: Sequence[keras.Variable]) -> list[tf.Variable]:
    """The TensorFlow variables below Keras' own."""
    return [variable.value for variable in variables]
