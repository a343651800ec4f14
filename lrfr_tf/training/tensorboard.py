"""What TensorBoard and `validation.json` show of a run: losses, rate, and what evaluations measure."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf

from lrfr_tf.files import read_json, write_json
from lrfr_tf.plural import counted
from lrfr_tf.training.outcome import Outcome

# Reported values that are no losses.
OTHER_VALUES = ("images_per_second", "gradient_norm", "discriminator_gradient_norm", "loss_scale")


@dataclasses.dataclass(frozen=True)
class Measured:
    """What an evaluation found.

    Attributes:
        figures: by these the best weights may be chosen.
        benchmarks: further figures, by which nothing is chosen.
        histograms: name -> numbers of any shape.
        images: name -> uint8 [H, W, 3].
    """

    figures: Mapping[str, float] = dataclasses.field(default_factory=dict)
    benchmarks: Mapping[str, float] = dataclasses.field(default_factory=dict)
    histograms: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
    images: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)


class Examiner(Protocol):
    """Measures a network, as it is at the time of the call."""

    def measure(self) -> Measured:
        """Runs the network on the validation faces."""

    def summary(self, figures: Mapping[str, Any]) -> str:
        """Figures in words; "" if there is nothing to say."""


class Monitor:
    """Writes one run's event file, and the figures of each evaluation into `<run>/validation.json`.

    That is a list, which a resumed run goes on with.

    Args:
        run: the run folder.
        name: of the network, such as "srresnet".
        optimizer: whose learning rate (and loss scale, if it has one) is shown.
        examiner: is asked at every evaluation.
        outcome: learns of the figures, so that it can keep the best weights.
    """

    def __init__(
        self,
        run: Path,
        name: str,
        optimizer: keras.optimizers.Optimizer,
        examiner: Examiner,
        *,
        outcome: Outcome | None = None,
    ) -> None:
        self._writer = tf.summary.create_file_writer(str(run / "tensorboard"))
        self._file = run / "validation.json"
        self._name = name
        self._optimizer = optimizer
        self._examiner = examiner
        self._outcome = outcome

    def report(self, step: int, values: dict[str, float]) -> None:
        """Writes losses (as loss/<name>), speed, the norms of the gradients, loss scale and learning rate of a step."""
        if isinstance(self._optimizer, keras.optimizers.LossScaleOptimizer):
            values = {**values, "loss_scale": _number(self._optimizer.dynamic_scale)}
        with self._writer.as_default(step=step):
            for name, value in values.items():
                tf.summary.scalar(name if name in OTHER_VALUES else f"loss/{name}", value)
            tf.summary.scalar("learning_rate", _number(self._optimizer.learning_rate))

    def evaluate(self, step: int) -> None:
        """Has the network measured, and writes what was found."""
        found = self._examiner.measure()
        if self._outcome and found.figures:
            self._outcome.update(found.figures)
        figures = {**found.figures, **found.benchmarks}
        if figures:
            # What an interrupted run measured after its last checkpoint is measured again. Read anew each time: the
            # monitors of two phases write into one list.
            history = [entry for entry in self._history() if entry["step"] < step]
            write_json(self._file, [*history, {"network": self._name, "step": step, **figures}])
        with self._writer.as_default(step=step):
            for kind, values in (("validation", found.figures), ("benchmark", found.benchmarks)):
                for name, value in values.items():
                    tf.summary.scalar(f"{kind}/{name}", value)
            for name, numbers in found.histograms.items():
                tf.summary.histogram(name, numbers)
            for name, image in found.images.items():
                tf.summary.image(name, image[None])
        self._writer.flush()

    def summary(self) -> str:
        """The network's last figures in words; "" if there are none."""
        own = [entry for entry in self._history() if entry["network"] == self._name]
        return (
            f"{self._name} after {counted(own[-1]['step'], 'step')}: {self._examiner.summary(own[-1])}" if own else ""
        )

    def _history(self) -> list[dict[str, Any]]:
        return read_json(self._file) if self._file.is_file() else []


def _number(variable: Any) -> float:
    """The value of a tensor or a variable, also of one that is mirrored on several devices."""
    return float(keras.ops.convert_to_numpy(variable))
