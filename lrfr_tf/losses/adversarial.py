"""Adversarial losses on logits: what the discriminator and the generator of an SRGAN minimise.

Logits, not probabilities: the logarithm of a sigmoid is written with softplus, which neither overflows nor reaches
log(0), and everything is computed in float32 whatever the logits' dtype. The logits may have any shape: one verdict an
image or one a patch.
"""

from keras import KerasTensor, ops


def binary_cross_entropy_discriminator(real_logits: KerasTensor, fake_logits: KerasTensor) -> KerasTensor:
    """The cross entropy of a discriminator D that should say 1 to real and 0 to super-resolved images.

    -(mean log D(real) + mean log(1 - D(fake))) / 2 (Goodfellow et al., NeurIPS 2014; Ledig et al., equation 2). Halved,
    so that a discriminator that knows nothing has a loss of log 2 = 0.693.

    Returns:
        A float32 scalar.
    """
    real_loss = ops.mean(ops.softplus(-ops.cast(real_logits, "float32")))
    fake_loss = ops.mean(ops.softplus(ops.cast(fake_logits, "float32")))
    return 0.5 * (real_loss + fake_loss)


def binary_cross_entropy_generator(fake_logits: KerasTensor) -> KerasTensor:
    """The generator's share: -mean log D(fake), small when its images pass as real (Ledig et al., equation 6).

    This is the form that does not saturate; Keras-GAN trains its generator with it too.

    Returns:
        A float32 scalar.
    """
    return ops.mean(ops.softplus(-ops.cast(fake_logits, "float32")))


def least_squares_discriminator(real_logits: KerasTensor, fake_logits: KerasTensor) -> KerasTensor:
    """The squared error of the discriminator's probabilities against 1 for real and 0 for super-resolved images.

    (mean (D(real) - 1)^2 + mean D(fake)^2) / 2 with D the sigmoid of the logits, as in Keras-GAN. Least-squares GANs
    (Mao et al., ICCV 2017) leave the sigmoid out.

    Returns:
        A float32 scalar; 0.25 for a discriminator that knows nothing.
    """
    real_loss = ops.mean(ops.square(ops.sigmoid(ops.cast(real_logits, "float32")) - 1.0))
    fake_loss = ops.mean(ops.square(ops.sigmoid(ops.cast(fake_logits, "float32"))))
    return 0.5 * (real_loss + fake_loss)
