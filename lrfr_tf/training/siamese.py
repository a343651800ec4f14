"""The Siamese network's training step: one network sees every size of a face, and all must agree on who it is.

Lai and Lam, "Deep Siamese network for low-resolution face recognition" (2021): a margin softmax with one class matrix
for all sizes, and a batch-hard triplet loss over all embeddings of the batch.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import layers, ops

from lrfr_tf.losses.margin import (
    HEADS,
    adaptive_margin_logits,
    class_weights_initializer,
    cross_entropies,
    margin_logits,
    updated_norm_statistics,
)
from lrfr_tf.losses.triplet import batch_hard_triplet
from lrfr_tf.training.loop import Batch, Losses, Step
from lrfr_tf.training.optimizers import apply_gradients
from lrfr_tf.training.outcome import AveragedNetwork

HEADS_WITH_STATE = (*HEADS, "adaface")  # AdaFace keeps statistics beside its rows


class ClassificationHead(layers.Layer):
    """One row a class for all sizes, and the cross-entropy of each feature; it is thrown away after the training.

    Args:
        classes, dimensions: C and D.
        kind: one of `HEADS_WITH_STATE`.
        margin, scale: of "amsoftmax" and "adaface".
    """

    def __init__(
        self, classes: int, dimensions: int, *, kind: str = "amsoftmax", margin: float = 0.35, scale: float = 30.0
    ) -> None:
        super().__init__(dtype="float32", name="head")
        self._kind, self._margin, self._scale = kind, margin, scale
        start = class_weights_initializer()
        self.rows = self.add_weight(shape=(classes, dimensions), initializer=start, name="class_rows")
        if kind == "adaface":
            scalar = {"shape": (), "trainable": False}
            self.norm_mean = self.add_weight(initializer="zeros", name="norm_mean", **scalar)
            self.norm_deviation = self.add_weight(initializer="zeros", name="norm_deviation", **scalar)
        self.built = True

    def call(self, features: Any, labels: Any) -> Any:
        """The cross-entropy of each row, float32 [M]: features [M, D], labels int [M]."""
        if self._kind == "adaface":
            statistics = updated_norm_statistics(features, self.norm_mean, self.norm_deviation)
            mean, deviation = mean_over_replicas(statistics)
            self.norm_mean.assign(mean)
            self.norm_deviation.assign(deviation)
            logits = adaptive_margin_logits(
                features,
                self.rows,
                labels,
                norm_mean=mean,
                norm_deviation=deviation,
                margin=self._margin,
                scale=self._scale,
            )
        else:
            logits = margin_logits(features, self.rows, labels, margin=self._margin, scale=self._scale, head=self._kind)
        return cross_entropies(logits, labels)


@dataclasses.dataclass(frozen=True)
class SiameseLoss:
    """What the network and its head minimize: a weighted sum. A weight of 0 leaves a loss out.

    `weight_decay` adds half of it times the squared weights, so that its gradient is weight_decay * weight, as in
    PyTorch's SGD.
    """

    classification_weight: float = 1.0
    triplet_weight: float = 1.0
    triplet_margin: float = 1.0
    weight_decay: float = 0.0

    def __call__(
        self, features: tf.Tensor, labels: tf.Tensor, head: ClassificationHead | None, views: Sequence[int]
    ) -> tuple[tf.Tensor, Losses]:
        """The sum without the weight decay, and each loss by name, those of the sizes ("classification_8") among them.

        Args:
            features: float32 [N * V, D], not of unit length; the V views of an identity follow each other.
            labels: int [N * V].
            head: the class matrix; None leaves classification out.
            views: the V sizes.
        """
        losses: Losses = {}
        total = tf.constant(0.0)
        if head is not None:
            each = head(features, labels)
            losses |= {"classification": ops.mean(each)} | means_by_size("classification", each, views)
            total += self.classification_weight * losses["classification"]
        if self.triplet_weight > 0:
            losses["triplet"] = batch_hard_triplet(features, labels, self.triplet_margin)
            total += self.triplet_weight * losses["triplet"]
        return total, losses


def mean_over_replicas(values: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    """The mean of each value over all replicas, so that they agree; called in a replica."""
    replica = tf.distribute.get_replica_context()
    if replica is None or replica.num_replicas_in_sync == 1:
        return list(values)
    return list(replica.all_reduce(tf.distribute.ReduceOp.MEAN, list(values)))


def means_by_size(name: str, each: tf.Tensor, views: Sequence[int | str]) -> Losses:
    """The means over the rows of each size: {"<name>_<size>": float32 scalar}; equal sizes count together."""
    columns = tf.unstack(tf.reshape(each, (-1, len(views))), axis=1)
    named: dict[str, list[tf.Tensor]] = {}
    for size, column in zip(views, columns, strict=True):
        named.setdefault(f"{name}_{size}", []).append(ops.mean(column))
    return {key: ops.mean(ops.stack(values)) for key, values in named.items()}


def siamese_step(
    network: keras.Model,
    head: ClassificationHead | None,
    optimizer: keras.optimizers.Optimizer,
    loss: SiameseLoss,
    *,
    views: Sequence[int],
    average: AveragedNetwork | None = None,
) -> Step:
    """A step that lowers a `SiameseLoss`.

    Under several replicas each computes the triplet loss among its own share, which holds whole identities, and
    AdaFace's statistics are the means of the shares'.
    """
    variables = network.trainable_variables + (head.trainable_variables if head is not None else [])
    optimizer.build(variables)

    def step(batch: Batch) -> Losses:
        with tf.GradientTape() as tape:
            features = network(tf.cast(batch["faces"], tf.float32), training=True)
            total, losses = loss(features, batch["labels"], head, views)
            minimized = total
            if loss.weight_decay > 0:
                squares = [tf.nn.l2_loss(variable.value) for variable in variables]
                minimized = total + loss.weight_decay * tf.add_n(squares)
        norm = apply_gradients(optimizer, variables, minimized, tape)
        if average is not None:
            average.update()
        return {"total": total, **losses, "gradient_norm": norm}

    return step
