"""What TensorBoard shows of a Siamese run: losses of each size, rate, and how well sizes are told apart."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lrfr_tf.evaluation.verification import roc_auc
from lrfr_tf.files import read_json, write_json
from lrfr_tf.images.degrade import degrade
from lrfr_tf.images.resize import resize
from lrfr_tf.training.outcome import Outcome
from lrfr_tf.training.tensorboard import write_values

SIZES = (8, 12, 16, 20, 128)
FIGURES = ("mean_auc",)
BATCH_SIZE = 64


class SiameseMonitor:
    """Writes one run's event file, and the validation figures into `<run>/validation.json`.

    A sharp photo is compared with every other photo, shrunk to each size and enlarged again: "auc_<size>" is the area
    under the ROC curve, "mean_auc" their mean over the sizes.

    Args:
        run: the run folder.
        images: validation faces, uint8 [N, 128, 128, 3].
        identities: int [N].
        optimizer: whose learning rate is shown.
        outcome: its network, float images [N, 128, 128, 3] in 0..255 -> features, is measured as it is at the time of
            the call; it learns of the figures, so that it can keep the best weights.
        benchmarks: measures the same network on benchmarks: name -> per cent. No weights are chosen by these.
    """

    def __init__(
        self,
        run: Path,
        images: np.ndarray,
        identities: np.ndarray,
        optimizer: keras.optimizers.Optimizer,
        outcome: Outcome,
        benchmarks: Callable[[], dict[str, float]] | None = None,
    ) -> None:
        self._writer = tf.summary.create_file_writer(str(run / "tensorboard"))
        self._file = run / "validation.json"
        side = images.shape[1]
        self._seen = {size: images if size == side else resize(degrade(images, size), side, side) for size in SIZES}
        self._same = identities[:, None] == identities[None, :]
        self._pairs = ~np.eye(len(images), dtype=bool)
        self._optimizer = optimizer
        self._outcome = outcome
        self._benchmarks = benchmarks
        self._embed = tf.function(
            lambda faces: tf.math.l2_normalize(outcome.evaluated(tf.cast(faces, tf.float32), training=False), axis=-1),
            input_signature=[tf.TensorSpec((None, side, side, 3), tf.uint8)],
        )
        self.history: list[dict[str, Any]] = read_json(self._file) if self._file.is_file() else []

    def report(self, step: int, values: dict[str, float]) -> None:
        """See `write_values`."""
        write_values(self._writer, step, values, self._optimizer)

    def evaluate(self, step: int) -> None:
        """Writes the figures, and for each size the similarities of matched and of mismatched pairs; the benchmarks."""
        embeddings = {size: self._embed_all(images) for size, images in self._seen.items()}
        sharp = embeddings[max(SIZES)]
        figures: dict[str, float] = {}
        with self._writer.as_default(step=step):
            for size, rows in embeddings.items():
                similarities = sharp @ rows.T
                figures[f"auc_{size}"] = roc_auc(similarities[self._pairs], self._same[self._pairs])
                for kind, chosen in (("matched", self._same), ("mismatched", ~self._same)):
                    tf.summary.histogram(f"similarity_{size}/{kind}", similarities[self._pairs & chosen])
            figures["mean_auc"] = float(np.mean(list(figures.values())))
            for name, value in figures.items():
                tf.summary.scalar(f"validation/{name}", value)
            measured = self._benchmarks() if self._benchmarks else {}
            for name, value in measured.items():
                tf.summary.scalar(f"benchmark/{name}", value)
        self._writer.flush()
        self._outcome.consider(figures)
        # What an interrupted run measured after its last checkpoint is measured again.
        self.history = [entry for entry in self.history if entry["step"] < step]
        self.history.append({"network": "siamese", "step": step, **figures, **measured})
        write_json(self._file, self.history)

    def _embed_all(self, images: np.ndarray) -> np.ndarray:
        return np.concatenate(
            [self._embed(images[start : start + BATCH_SIZE]).numpy() for start in range(0, len(images), BATCH_SIZE)]
        )
