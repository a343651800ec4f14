"""How well a network tells validation faces of each size apart."""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lrfr_tf.evaluation.verification import roc_auc
from lrfr_tf.images.degrade import degrade
from lrfr_tf.images.resize import resize
from lrfr_tf.plural import counted
from lrfr_tf.training.tensorboard import Measured

SIZES = (8, 12, 16, 20, 128)
FIGURES = ("mean_auc",)
BATCH_SIZE = 64


class SiameseExaminer:
    """Compares a sharp photo with every other photo, shrunk to each size and enlarged again.

    "auc_<size>" is the area under the ROC curve, "mean_auc" their mean over the sizes.

    Args:
        images: validation faces, uint8 [N, 128, 128, 3].
        identities: int [N].
        network: float images [N, 128, 128, 3] in 0..255 -> features.
        benchmarks: measures the same network on benchmarks: name -> per cent.
    """

    def __init__(
        self,
        images: np.ndarray,
        identities: np.ndarray,
        network: keras.Model,
        benchmarks: Callable[[], dict[str, float]] | None = None,
    ) -> None:
        side = images.shape[1]
        self._seen = {size: images if size == side else resize(degrade(images, size), side, side) for size in SIZES}
        self._identities = identities
        self._benchmarks = benchmarks
        self._embed = tf.function(
            lambda faces: tf.math.l2_normalize(network(tf.cast(faces, tf.float32), training=False), axis=-1),
            input_signature=[tf.TensorSpec((None, side, side, 3), tf.uint8)],
        )

    def measure(self) -> Measured:
        """The areas, for each size the similarities of matched and of mismatched pairs, and the benchmarks."""
        embeddings = {size: self._embed_all(images) for size, images in self._seen.items()}
        same = self._identities[:, None] == self._identities[None, :]
        pairs = ~np.eye(len(same), dtype=bool)
        figures: dict[str, float] = {}
        histograms: dict[str, np.ndarray] = {}
        for size, rows in embeddings.items():
            similarities = embeddings[max(SIZES)] @ rows.T
            figures[f"auc_{size}"] = roc_auc(similarities[pairs], same[pairs])
            for kind, chosen in (("matched", same), ("mismatched", ~same)):
                histograms[f"similarity_{size}/{kind}"] = similarities[pairs & chosen]
        figures["mean_auc"] = float(np.mean(list(figures.values())))
        return Measured(figures, self._benchmarks() if self._benchmarks else {}, histograms)

    def summary(self, figures: Mapping[str, Any]) -> str:
        areas = ", ".join(f"{name} {value:.4f}" for name, value in figures.items() if name.startswith("auc_"))
        faces, persons = len(self._identities), len(np.unique(self._identities))
        return f"{counted(faces, 'face')} of {counted(persons, 'person')}, sharp against each size: {areas}"

    def _embed_all(self, images: np.ndarray) -> np.ndarray:
        return np.concatenate(
            [self._embed(images[start : start + BATCH_SIZE]).numpy() for start in range(0, len(images), BATCH_SIZE)]
        )
