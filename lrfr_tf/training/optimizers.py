"""Optimizers for every precision, and the one way in which a network takes a step down."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from lrfr_tf.training.schedules import learning_rate
from lrfr_tf.training.settings import TrainingSettings


def build_optimizer(
    settings: TrainingSettings,
    peak: float,
    steps: int,
    kind: Callable[..., keras.optimizers.Optimizer] = keras.optimizers.Adam,
    **arguments: Any,
) -> keras.optimizers.Optimizer:
    """The optimizer of one network, with the rate, the clipping and the loss scale that the settings ask for.

    Every optimizer of a GAN has a loss scale of its own under mixed_float16: the two losses overflow at different
    sizes. A step whose gradients are not finite is skipped and halves the scale; 2,000 good ones double it
    (Micikevicius et al., "Mixed Precision Training", ICLR 2018). Scale and counter are variables of the optimizer, so a
    checkpoint holds them. bfloat16 has float32's range and needs no scale.

    Args:
        peak: the highest learning rate.
        steps: over which `settings.rate_schedule` runs.
        arguments: of the optimizer's kind.
    """
    rate = learning_rate(settings.rate_schedule, peak, steps, settings.warm_up_steps)
    optimizer = kind(rate, global_clipnorm=settings.clip_norm or None, **arguments)
    return keras.optimizers.LossScaleOptimizer(optimizer) if settings.precision == "mixed_float16" else optimizer


def apply_gradients(
    optimizer: keras.optimizers.Optimizer,
    variables: Sequence[keras.Variable],
    loss: tf.Tensor,
    tape: tf.GradientTape,
) -> tf.Tensor:
    """Moves a network's weights one step down the mean of all replicas' losses; called in a replica, inside a step.

    The gradients are averaged over the replicas first, so that clipping, and whether a float16 step is skipped, are
    decided by the whole batch's gradient and by every replica alike.

    Args:
        optimizer: built for the variables, with their order.
        loss: this replica's loss, a float32 scalar: the mean over its share of the batch.
        tape: has recorded how the loss came about.

    Returns:
        float32 scalar, the global norm of the whole batch's gradient before it was shortened; 0 where a float16 step
        was skipped.
    """
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
