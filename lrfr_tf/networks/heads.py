"""The two kinds of classifier heads: templates to compare with, and a Keras network. See `classifier.Classifier`."""

import dataclasses
from pathlib import Path
from typing import Protocol

import keras
import numpy as np
import tensorflow as tf

from lrfr_tf.evaluation.open_set import mean_templates
from lrfr_tf.models.heads import linear_head, mlp_head
from lrfr_tf.networks.graph_part import GraphPart
from lrfr_tf.networks.stored_network import StoredNetwork


class Head(Protocol):
    """Unit-length embeddings of `dimensions` numbers in, one score per class out."""

    @property
    def dimensions(self) -> int: ...

    def scores(self, embeddings: np.ndarray) -> np.ndarray:
        """float32 [n, D] -> float32 [n, classes]."""

    def save(self, path: Path) -> None:
        """Writes the weights."""

    def graph_part(self) -> GraphPart:
        """`scores` as TensorFlow operations."""


@dataclasses.dataclass(frozen=True)
class Templates:
    """What the cosine head compares with: the mean of each class's training faces, made unit length.

    So a face is compared once with each person, however many photos there are, as the calibration assumes; the best of
    n photos would reach a threshold by chance up to n times as often. The score is the cosine, and -1 for a class
    without a face.

    Attributes:
        embeddings: float32 [classes, D]; zeros for a class without a face.
    """

    embeddings: np.ndarray

    @property
    def dimensions(self) -> int:
        """D."""
        return int(self.embeddings.shape[1])

    def scores(self, embeddings: np.ndarray) -> np.ndarray:
        """See `Head.scores`: cosines."""
        scores = embeddings @ self.embeddings.T
        scores[:, ~self.embeddings.any(axis=1)] = -1.0
        return scores

    def save(self, path: Path) -> None:
        """Writes an .npz file."""
        np.savez(path, embeddings=self.embeddings)

    def graph_part(self) -> GraphPart:
        """See `Head.graph_part`."""
        module = tf.Module()
        module.templates = tf.Variable(self.embeddings, trainable=False, dtype=tf.float32)

        def scores(embeddings: tf.Tensor) -> tf.Tensor:
            cosines = tf.matmul(embeddings, module.templates, transpose_b=True)
            return tf.where(tf.reduce_any(module.templates != 0.0, axis=1), cosines, -1.0)

        return GraphPart(scores, module, int(self.embeddings.size))


def make_templates(embeddings: np.ndarray, labels: np.ndarray, classes: int) -> Templates:
    """Templates of faces: unit-length float32 [G, D], their labels int64 [G], and the number of classes."""
    return Templates(mean_templates([embeddings], labels, classes))


@dataclasses.dataclass(frozen=True)
class HeadNetwork:
    """A network that gives logits; the scores are probabilities.

    Attributes:
        kind: "logistic" or "mlp".
        network: `models.heads.linear_head` or `mlp_head`.
    """

    kind: str
    network: keras.Model

    @property
    def dimensions(self) -> int:
        """D."""
        return int(self.network.input_shape[1])

    def scores(self, embeddings: np.ndarray) -> np.ndarray:
        """See `Head.scores`: probabilities."""
        logits = self.network(embeddings, training=False)
        return keras.ops.convert_to_numpy(keras.ops.softmax(logits, axis=1))

    def save(self, path: Path) -> None:
        """Writes a .weights.h5 file."""
        self.network.save_weights(path)

    def graph_part(self) -> GraphPart:
        """See `Head.graph_part`; without dropout, whose random state would be stored with the weights."""
        shape = (self.dimensions, int(self.network.output_shape[1]))
        bare = mlp_head(*shape, dropout=0.0) if self.kind == "mlp" else linear_head(*shape)
        bare.set_weights(self.network.get_weights())
        module = StoredNetwork(bare, "float32")
        return GraphPart(lambda embeddings: tf.nn.softmax(module(embeddings)), module, self.network.count_params())
