"""Softmax over identities, with and without a margin that the true class must win by.

A head is a matrix with one row a class. It belongs to the training and is thrown away after it:

    class_weights = variable [C, D], from `class_weights_initializer()`
    logits = margin_logits(embeddings, class_weights, labels, margin=0.35, scale=30.0, head="amsoftmax")
    losses = cross_entropies(logits, labels)

Everything is computed in float32 whatever the embeddings' dtype, and labels alone say which row belongs to which class.
"""

import keras
from keras import KerasTensor, ops

from lrfr_tf.losses.cosine import cosine_matrix

HEADS = ("softmax", "amsoftmax")


def class_weights_initializer() -> keras.initializers.Initializer:
    """How the class matrix [C, D] starts: uniform within -1..1, as Lai & Lam do; cosines look at directions only."""
    return keras.initializers.RandomUniform(-1.0, 1.0)


def margin_logits(
    embeddings: KerasTensor,
    class_weights: KerasTensor,
    labels: KerasTensor,
    margin: float = 0.35,
    scale: float = 30.0,
    head: str = "amsoftmax",
) -> KerasTensor:
    """The logits of a head.

    "amsoftmax": scale * (cos(embedding, class row) - margin for the true class): Wang et al., "Additive Margin Softmax
    for Face Verification", 2018 (CosFace, CVPR 2018, is the same). "softmax": the plain inner products of embedding
    and class row, the linear classifier; margin and scale have no part in it.

    Args:
        embeddings: [M, D], any dtype and length.
        class_weights: [C, D], one row a class, any length.
        labels: integers [M] in 0..C-1.
        head: one of `HEADS`.

    Returns:
        float32 [M, C].

    Raises:
        ValueError: the head is unknown.
    """
    if head == "softmax":
        embeddings, class_weights = ops.cast(embeddings, "float32"), ops.cast(class_weights, "float32")
        return ops.matmul(embeddings, ops.transpose(class_weights))
    if head == "amsoftmax":
        cosines = cosine_matrix(embeddings, class_weights)
        return scale * (cosines - margin * _true_class(labels, cosines))
    raise ValueError(f"A head is one of {', '.join(HEADS)}, not {head!r}.")


def cross_entropies(logits: KerasTensor, labels: KerasTensor) -> KerasTensor:
    """The cross entropy of each sample, -log p, p being the softmax's probability of the true class.

    Args:
        logits: [M, C], any dtype.
        labels: integers [M] in 0..C-1.

    Returns:
        float32 [M], none negative.
    """
    logits = ops.cast(logits, "float32")
    of_true_class = ops.sum(logits * _true_class(labels, logits), axis=-1)
    # Rounding can take a sure sample below 0.
    return ops.maximum(ops.logsumexp(logits, axis=-1) - of_true_class, 0.0)


def _true_class(labels: KerasTensor, logits: KerasTensor) -> KerasTensor:
    """float32 [M, C]: 1 at each sample's label, 0 elsewhere."""
    return ops.one_hot(ops.cast(labels, "int32"), logits.shape[-1], dtype="float32")
