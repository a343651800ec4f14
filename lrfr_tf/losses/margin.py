"""Softmax over identities, with and without a margin that the true class must win by.

A head is a matrix with one row a class. It belongs to the training and is thrown away after it:

    class_weights = variable [C, D], from `class_weights_initializer()`
    logits = margin_logits(embeddings, class_weights, labels, margin=0.35, scale=30.0, head="amsoftmax")
    losses = cross_entropies(logits, labels)

or, for AdaFace, with two scalars that the training keeps beside the weights:

    norm_mean, norm_deviation = updated_norm_statistics(embeddings, norm_mean, norm_deviation)
    logits = adaptive_margin_logits(embeddings, class_weights, labels, norm_mean, norm_deviation)

Everything is computed in float32 whatever the embeddings' dtype, and labels alone say which row belongs to which class.
"""

import math

import keras
from keras import KerasTensor, ops

from lrfr_tf.losses.cosine import cosine_matrix

HEADS = ("softmax", "amsoftmax")

# AdaFace's bounds: lengths, and how close to 0 and pi an angle may come (the arc cosine has no slope at 1).
_SHORTEST_NORM, _LONGEST_NORM = 1e-3, 100.0
_EPSILON = 1e-3


def class_weights_initializer() -> keras.initializers.Initializer:
    """How the class matrix [C, D] starts: uniform within -1..1, as Lai & Lam do; cosines look at directions only."""
    return keras.initializers.RandomUniform(-1.0, 1.0)


def margin_logits(
    embeddings: KerasTensor,
    class_weights: KerasTensor,
    labels: KerasTensor,
    *,
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


def updated_norm_statistics(
    embeddings: KerasTensor, norm_mean: KerasTensor, norm_deviation: KerasTensor, momentum: float = 0.01
) -> tuple[KerasTensor, KerasTensor]:
    """AdaFace's running mean and standard deviation of the embeddings' lengths, moved towards this batch's.

    The new value is momentum * (of this batch) + (1 - momentum) * old (Kim et al. 2022, section 3.3); with an old
    deviation of 0, it is this batch's. The two scalars are the whole state of the margin: a training that stores them
    resumes exactly. They start at 0. (The authors' start at 20 and 100, which puts every quality near 0 until some
    hundred batches later: longer than a network takes that is only fine-tuned.) No gradient flows through them.

    Args:
        embeddings: [M, D], any dtype, not of unit length; the whole batch.
        norm_mean: float32 scalar.
        norm_deviation: float32 scalar.

    Returns:
        The new mean and the new deviation, float32 scalars.
    """
    norms = _norms(embeddings)
    mean = ops.mean(norms)
    # With M - 1, as the authors' code does; one embedding alone says nothing about the deviation.
    freedom = ops.maximum(ops.cast(ops.shape(norms)[0], "float32") - 1.0, 1.0)
    deviation = ops.sqrt(ops.sum(ops.square(norms - mean)) / freedom)
    share = ops.where(ops.equal(norm_deviation, 0.0), 1.0, momentum)
    return share * mean + (1 - share) * norm_mean, share * deviation + (1 - share) * norm_deviation


def adaptive_margin_logits(
    embeddings: KerasTensor,
    class_weights: KerasTensor,
    labels: KerasTensor,
    *,
    norm_mean: KerasTensor,
    norm_deviation: KerasTensor,
    margin: float = 0.4,
    concentration: float = 0.333,
    scale: float = 64.0,
) -> KerasTensor:
    """AdaFace's logits: the length of an embedding stands for the image's quality and decides the kind of margin.

    With the quality q = clip(concentration * (length - mean) / deviation, -1, 1) the true class gets
    scale * (cos(angle - margin * q) - margin * (1 + q)), the others scale * cos(angle): Kim et al., "AdaFace: Quality
    Adaptive Margin for Face Recognition", CVPR 2022, equations 9 to 11. No gradient flows through the lengths. They
    tell quality best where the network ends in batch norm.

    Args:
        embeddings: [M, D], any dtype, not of unit length.
        class_weights: [C, D], one row a class, any length.
        labels: integers [M] in 0..C-1.
        norm_mean: float32 scalar, of `updated_norm_statistics`, this batch included.
        norm_deviation: the same.
        concentration: the paper's h: 0.333 puts a deviation of 3 at the ends of the range.

    Returns:
        float32 [M, C].
    """
    quality = (_norms(embeddings) - ops.stop_gradient(norm_mean)) / (ops.stop_gradient(norm_deviation) + _EPSILON)
    quality = ops.clip(concentration * quality, -1.0, 1.0)
    cosines = cosine_matrix(embeddings, class_weights)
    true_class = _true_class(labels, cosines)
    true_cosines = ops.clip(ops.sum(cosines * true_class, axis=-1), _EPSILON - 1.0, 1.0 - _EPSILON)
    angles = ops.clip(ops.arccos(true_cosines) - margin * quality, _EPSILON, math.pi - _EPSILON)
    with_margin = ops.cos(angles) - margin * (1.0 + quality)
    return scale * ops.where(true_class > 0, with_margin[:, None], cosines)


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


def _norms(embeddings: KerasTensor) -> KerasTensor:
    embeddings = ops.stop_gradient(ops.cast(embeddings, "float32"))
    return ops.clip(ops.sqrt(ops.sum(ops.square(embeddings), axis=-1)), _SHORTEST_NORM, _LONGEST_NORM)
