"""Optimizers for every precision, and the one way in which a network takes a step down."""

from collections.abc import Sequence
from typing import Protocol

import keras
import tensorflow as tf


class Learner(Protocol):
    """A network, or several things that learn together."""

    @property
    def trainable_variables(self) -> Sequence[keras.Variable]:
        """What the optimizer moves, always in the same order."""


def adam(
    learning_rate: float | keras.optimizers.schedules.LearningRateSchedule,
    precision: str = "float32",
    clip_norm: float = 0.0,
    beta_1: float = 0.9,
) -> keras.optimizers.Optimizer:
    """Adam, with a dynamic loss scale of its own under mixed_float16.

    Every optimizer of a GAN has its own scale: the two losses overflow at different sizes. A step whose gradients are
    not finite is skipped and halves the scale; 2,000 good ones double it (Micikevicius et al., "Mixed Precision
    Training", ICLR 2018). Scale and counter are variables of the optimizer, so a checkpoint holds them.

    Args:
        precision: "float32", "mixed_float16" or "mixed_bfloat16" (which has float32's range and needs no scale).
        clip_norm: the largest global norm of a gradient; 0 means that none is shortened.
    """
    return _scaled(keras.optimizers.Adam(learning_rate, beta_1=beta_1, global_clipnorm=clip_norm or None), precision)


def sgd(
    learning_rate: float | keras.optimizers.schedules.LearningRateSchedule,
    precision: str = "float32",
    clip_norm: float = 0.0,
    momentum: float = 0.9,
) -> keras.optimizers.Optimizer:
    """Stochastic gradient descent with momentum; the arguments are those of `adam`."""
    return _scaled(keras.optimizers.SGD(learning_rate, momentum, global_clipnorm=clip_norm or None), precision)


def _scaled(optimizer: keras.optimizers.Optimizer, precision: str) -> keras.optimizers.Optimizer:
    return keras.optimizers.LossScaleOptimizer(optimizer) if precision == "mixed_float16" else optimizer


def descend(
    optimizer: keras.optimizers.Optimizer, network: Learner, loss: tf.Tensor, tape: tf.GradientTape
) -> tf.Tensor:
    """Moves the network's weights one step down the mean of all replicas' losses; called in a replica, inside a step.

    The gradients are averaged over the replicas first, so that clipping, and whether a float16 step is skipped, are
    decided by the whole batch's gradient and by every replica alike.

    Args:
        optimizer: built for the network's trainable variables (see `adam`).
        loss: this replica's loss, a float32 scalar: the mean over its share of the batch.
        tape: has recorded how the loss came about.

    Returns:
        float32 scalar, the global norm of the whole batch's gradient before it was shortened; 0 where a float16 step
        was skipped.
    """
    variables = network.trainable_variables
    scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    scale = tf.convert_to_tensor(optimizer.dynamic_scale) if scaled else tf.constant(1.0)
    # Scaled where the gradient sets out, which is the same as a scaled loss.
    gradients = tape.gradient(loss, [variable.value for variable in variables], output_gradients=scale)
    replicas = tf.distribute.get_replica_context()
    if replicas.num_replicas_in_sync > 1:
        gradients = replicas.all_reduce(tf.distribute.ReduceOp.MEAN, gradients)
    norm = tf.linalg.global_norm([gradient / scale for gradient in gradients] if scaled else gradients)
    limit = optimizer.inner_optimizer.global_clipnorm if scaled else optimizer.global_clipnorm
    if limit is not None:
        # Keras would clip each replica's gradient by itself; after this there is nothing left for it to clip.
        gradients = [gradient * tf.minimum(1.0, limit / norm) for gradient in gradients]
    if replicas.num_replicas_in_sync > 1:
        # Keras' optimizers add up the gradients of all replicas, which are the same by now.
        gradients = [gradient / replicas.num_replicas_in_sync for gradient in gradients]
    optimizer.apply(gradients, variables)
    return tf.where(tf.math.is_finite(norm), norm, 0.0) if scaled else norm
