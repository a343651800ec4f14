"""Adversarial losses on logits: what the discriminator and the generator of an SRGAN minimize.

Logits, not probabilities: the logarithm of a sigmoid is written with softplus, which neither overflows nor reaches
log(0), and everything is computed in float32 whatever the logits' dtype. The logits may have any shape: one verdict an
image or one a patch.

Every loss takes the logits of the real and of the super-resolved images, so that one can stand in for another; only the
relativistic generator looks at both.
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


def binary_cross_entropy_generator(real_logits: KerasTensor, fake_logits: KerasTensor) -> KerasTensor:
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


def least_squares_generator(real_logits: KerasTensor, fake_logits: KerasTensor) -> KerasTensor:
    """The generator's share of a least-squares GAN: mean (D(fake) - 1)^2 / 2, D the logits themselves.

    Mao et al., "Least Squares Generative Adversarial Networks", ICCV 2017, equation 9 with a = 0, b = c = 1.

    Returns:
        A float32 scalar.
    """
    return 0.5 * ops.mean(ops.square(ops.cast(fake_logits, "float32") - 1.0))


def linear_least_squares_discriminator(real_logits: KerasTensor, fake_logits: KerasTensor) -> KerasTensor:
    """The discriminator's share of a least-squares GAN: (mean (D(real) - 1)^2 + mean D(fake)^2) / 2, D the logits.

    Mao et al., ICCV 2017, equation 9 with a = 0, b = 1. No sigmoid, so the gradient does not die where D is sure.

    Returns:
        A float32 scalar.
    """
    real_loss = ops.mean(ops.square(ops.cast(real_logits, "float32") - 1.0))
    fake_loss = ops.mean(ops.square(ops.cast(fake_logits, "float32")))
    return 0.5 * (real_loss + fake_loss)


def relativistic_discriminator(real_logits: KerasTensor, fake_logits: KerasTensor) -> KerasTensor:
    """The relativistic average discriminator: is a real image more real than the average super-resolved one?

    Jolicoeur-Martineau, "The relativistic discriminator", ICLR 2019; ESRGAN (Wang et al., ECCVW 2018), equation 1.

    Returns:
        A float32 scalar; log 2 = 0.693 for a discriminator that knows nothing (the mean of the two cross entropies).
    """
    real, fake = _relative(real_logits, fake_logits)
    return 0.5 * (ops.mean(ops.softplus(-real)) + ops.mean(ops.softplus(fake)))


def relativistic_generator(real_logits: KerasTensor, fake_logits: KerasTensor) -> KerasTensor:
    """The generator's share of the relativistic average GAN: the same with real and super-resolved exchanged.

    ESRGAN (Wang et al., ECCVW 2018), equation 2.

    Returns:
        A float32 scalar.
    """
    real, fake = _relative(real_logits, fake_logits)
    return 0.5 * (ops.mean(ops.softplus(real)) + ops.mean(ops.softplus(-fake)))


def _relative(real_logits: KerasTensor, fake_logits: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
    """Each logit minus the mean logit of the other kind."""
    real, fake = ops.cast(real_logits, "float32"), ops.cast(fake_logits, "float32")
    return real - ops.mean(fake), fake - ops.mean(real)
