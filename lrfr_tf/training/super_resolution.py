"""One training step of each kind: pixels alone (SRCNN, SRResNet), and the adversarial game (SRGAN)."""

import dataclasses
from collections.abc import Callable

import keras
import tensorflow as tf

from lrfr_tf.losses.perceptual import perceptual
from lrfr_tf.training.loop import Batch, Losses, Step

PixelLoss = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
DiscriminatorLoss = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
GeneratorLoss = Callable[[tf.Tensor], tf.Tensor]


@dataclasses.dataclass(frozen=True)
class AdversarialLoss:
    """The generator's total: a sum of three losses, and what the discriminator minimises.

    A weight of 0 leaves a loss out; `features` may be None when the perceptual weight is 0.
    """

    pixel: PixelLoss
    pixel_weight: float
    features: keras.Model | None
    perceptual_weight: float
    generator: GeneratorLoss
    adversarial_weight: float
    discriminator: DiscriminatorLoss


def pixel_step(network: keras.Model, optimizer: keras.optimizers.Optimizer, loss: PixelLoss) -> Step:
    """A step that lowers a pixel loss.

    The batch holds "low" (what the network takes) and "high" (what it should give), RGB in 0..255.
    """
    optimizer.build(network.trainable_variables)

    def step(batch: Batch) -> Losses:
        low, high = _as_float(batch)
        with tf.GradientTape() as tape:
            total = loss(network(low, training=True), high)
        _descend(optimizer, network, total, tape)
        return {"pixel": total}

    return step


def adversarial_step(
    generator: keras.Model,
    discriminator: keras.Model,
    generator_optimizer: keras.optimizers.Optimizer,
    discriminator_optimizer: keras.optimizers.Optimizer,
    loss: AdversarialLoss,
) -> Step:
    """A step in which the discriminator learns from one batch and the generator learns from its verdict.

    Both see the same batch and the same super-resolved images, so the generator runs once.
    """
    generator_optimizer.build(generator.trainable_variables)
    discriminator_optimizer.build(discriminator.trainable_variables)

    def step(batch: Batch) -> Losses:
        low, high = _as_float(batch)
        with tf.GradientTape() as tape:
            images = generator(low, training=True)
            fake_logits = discriminator(images, training=True)
            losses = {
                "pixel": loss.pixel(images, high),
                "adversarial": loss.generator(fake_logits),
            }
            total = loss.pixel_weight * losses["pixel"] + loss.adversarial_weight * losses["adversarial"]
            if loss.features is not None and loss.perceptual_weight > 0:
                losses["perceptual"] = perceptual(loss.features, images, high)
                total += loss.perceptual_weight * losses["perceptual"]
        _descend(generator_optimizer, generator, total, tape)
        with tf.GradientTape() as tape:
            verdict = loss.discriminator(
                discriminator(high, training=True), discriminator(tf.stop_gradient(images), training=True)
            )
        _descend(discriminator_optimizer, discriminator, verdict, tape)
        return {"total": total, **losses, "discriminator": verdict}

    return step


def _as_float(batch: Batch) -> tuple[tf.Tensor, tf.Tensor]:
    return tf.cast(batch["low"], tf.float32), tf.cast(batch["high"], tf.float32)


def _descend(
    optimizer: keras.optimizers.Optimizer, network: keras.Model, loss: tf.Tensor, tape: tf.GradientTape
) -> None:
    variables = network.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(loss, [v.value for v in variables]), variables, strict=True))
