"""One training step of each kind: pixels alone (SRCNN, SRResNet), and the adversarial game (SRGAN)."""

import dataclasses
from collections.abc import Callable

import keras
import tensorflow as tf

from lrfr_tf.losses.identity import identity
from lrfr_tf.losses.perceptual import perceptual
from lrfr_tf.losses.pixel import total_variation
from lrfr_tf.training.loop import Batch, Losses, Step
from lrfr_tf.training.optimizers import apply_gradients
from lrfr_tf.training.outcome import AveragedNetwork
from lrfr_tf.training.strategy import share_batch_statistics

PixelLoss = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
# Logits of the real and of the super-resolved images -> loss.
AdversarialLoss = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


@dataclasses.dataclass(frozen=True)
class GeneratorLoss:
    """What the generator minimizes: a weighted sum. A weight of 0 leaves a loss out, and its network may be None."""

    pixel: PixelLoss
    pixel_weight: float
    adversarial: AdversarialLoss
    adversarial_weight: float
    features: keras.Model | None = None
    perceptual_weight: float = 0.0
    embedder: keras.Model | None = None
    identity_weight: float = 0.0
    total_variation_weight: float = 0.0

    def image_losses(
        self,
        images: tf.Tensor,
        high: tf.Tensor,
        high_features: tf.Tensor | None = None,
        face_boxes: tf.Tensor | None = None,
    ) -> tuple[tf.Tensor, Losses]:
        """All but the adversarial loss: their weighted sum, and each by name."""
        losses = {"pixel": self.pixel(images, high)}
        total = self.pixel_weight * losses["pixel"]
        if self.perceptual_weight > 0:
            losses["perceptual"] = perceptual(self.features, images, high, target_features=high_features)
            total += self.perceptual_weight * losses["perceptual"]
        if self.identity_weight > 0:
            losses["identity"] = identity(self.embedder, images, high, face_boxes)
            total += self.identity_weight * losses["identity"]
        if self.total_variation_weight > 0:
            losses["total_variation"] = total_variation(images)
            total += self.total_variation_weight * losses["total_variation"]
        return total, losses


def pixel_step(
    network: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    loss: PixelLoss,
    average: AveragedNetwork | None = None,
) -> Step:
    """A step that lowers a pixel loss.

    The batch holds "low" (what the network takes) and "high" (what it should give), RGB in 0..255.
    """
    share_batch_statistics(network)
    optimizer.build(network.trainable_variables)

    def step(batch: Batch) -> Losses:
        low, high = _as_float(batch)
        with tf.GradientTape() as tape:
            total = loss(network(low, training=True), high)
        norm = apply_gradients(optimizer, network.trainable_variables, total, tape)
        if average is not None:
            average.update()
        return {"pixel": total, "gradient_norm": norm}

    return step


def adversarial_step(
    generator: keras.Model,
    discriminator: keras.Model,
    *,
    generator_optimizer: keras.optimizers.Optimizer,
    discriminator_optimizer: keras.optimizers.Optimizer,
    loss: GeneratorLoss,
    discriminator_loss: AdversarialLoss,
    average: AveragedNetwork | None = None,
) -> Step:
    """A step in which generator and discriminator learn from one batch at the same time.

    Both learn from the same verdicts, so either network runs once on each image.
    """
    share_batch_statistics(generator, discriminator)
    generator_optimizer.build(generator.trainable_variables)
    discriminator_optimizer.build(discriminator.trainable_variables)

    def step(batch: Batch) -> Losses:
        low, high = _as_float(batch)
        # Persistent: two losses, two gradients.
        with tf.GradientTape(persistent=True) as tape:
            images = generator(low, training=True)
            total, losses = loss.image_losses(images, high, batch.get("high_features"), batch.get("face_boxes"))
            real_logits = discriminator(high, training=True)
            fake_logits = discriminator(images, training=True)
            losses["adversarial"] = loss.adversarial(real_logits, fake_logits)
            total += loss.adversarial_weight * losses["adversarial"]
            verdict = discriminator_loss(real_logits, fake_logits)
        norm = apply_gradients(generator_optimizer, generator.trainable_variables, total, tape)
        discriminator_norm = apply_gradients(discriminator_optimizer, discriminator.trainable_variables, verdict, tape)
        if average is not None:
            average.update()
        norms = {"gradient_norm": norm, "discriminator_gradient_norm": discriminator_norm}
        return {"total": total, **losses, "discriminator": verdict, **norms}

    return step


def _as_float(batch: Batch) -> tuple[tf.Tensor, tf.Tensor]:
    return tf.cast(batch["low"], tf.float32), tf.cast(batch["high"], tf.float32)
