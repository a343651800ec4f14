"""What a run of SRGAN is made of: its flags, networks, losses and optimizers."""

import dataclasses
from pathlib import Path

import keras

from lrfr_tf.config import option, with_default
from lrfr_tf.errors import UserError
from lrfr_tf.losses import adversarial, pixel
from lrfr_tf.models import srgan
from lrfr_tf.training.precision import adam
from lrfr_tf.training.run import SuperResolutionSettings
from lrfr_tf.training.schedules import learning_rate
from lrfr_tf.training.super_resolution import GeneratorLoss
from lrfr_tf.weights.facenet import load_facenet_128
from lrfr_tf.weights.sample_package import fetch_facenet_weights
from lrfr_tf.weights.vgg19 import LAYERS, vgg19_features

PIXEL_LOSSES = {
    "mse": pixel.mean_squared_error,
    "l1": pixel.mean_absolute_error,
    "charbonnier": pixel.charbonnier,
}
# Generator's and discriminator's share.
ADVERSARIAL_LOSSES = {
    "bce": (adversarial.binary_cross_entropy_generator, adversarial.binary_cross_entropy_discriminator),
    "lsgan": (adversarial.least_squares_generator, adversarial.linear_least_squares_discriminator),
    "relativistic": (adversarial.relativistic_generator, adversarial.relativistic_discriminator),
    # Keras-GAN's generator minimizes an entropy and its discriminator the squared error of its sigmoid.
    "keras_gan": (adversarial.binary_cross_entropy_generator, adversarial.least_squares_discriminator),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class SrganSettings(SuperResolutionSettings):
    """The flags of train_srgan."""

    preset: str = option("paper", "networks of Ledig et al., or of Keras-GAN", ("paper", "keras_gan"))
    blocks: int = option(16, "residual blocks of the paper's generator", at_least=1)
    filters: int = option(64, "channels of the paper's generator", at_least=1)
    batch_norm: bool = option(True, "batch norm in the paper's generator; without it small batches train better")
    upsampling_filters: int | None = option(None, "channels where the image is larger; default: --filters", at_least=1)
    outer_kernel: int = option(9, "side of the first and the last kernel of the paper's generator", at_least=1)
    attention: bool = option(False, "each block of the paper's generator weighs every channel of every pixel it adds")
    discriminator_filters: int = option(64, "channels of the paper's discriminator's first layer", at_least=4)
    initial_generator: str | None = option(
        None, "a generator to begin with: <run>/pixel_model or an export; one without attention may begin one with it"
    )
    pixel_steps: int = option(
        20_000, "steps on the pixel loss alone (this network is stored as pixel_model/)", at_least=0
    )
    adversarial_steps: int = option(10_000, "steps against the discriminator", at_least=0)
    batch_size: int = with_default(SuperResolutionSettings, "batch_size", 16)
    pixel_loss: str = option("mse", "pixel loss of both phases", tuple(PIXEL_LOSSES))
    pixel_rate: float = option(1e-4, "Adam's highest learning rate on pixels", above=0)
    adversarial_rate: float = option(1e-4, "both Adams' highest learning rate in the second phase", above=0)
    adversarial_beta_1: float = option(0.9, "both Adams' beta_1 in the second phase", at_least=0)
    adversarial_loss: str = option(
        "bce", "what generator and discriminator play with; keras_gan is its mixture", tuple(ADVERSARIAL_LOSSES)
    )
    pixel_weight: float = option(0.0, "weight of the pixel loss in the second phase", at_least=0)
    perceptual_weight: float = option(1.0, "weight of the perceptual loss; 0 needs no VGG19", at_least=0)
    adversarial_weight: float = option(1e-3, "weight of the adversarial loss", at_least=0)
    identity_weight: float = option(0.0, "weight of the identity loss; above 0 it needs an embedder", at_least=0)
    identity_embedder: str | None = option(
        None,
        "the identity loss's embedder of aligned faces: w600k_mbf, a training's model folder or an export; it needs "
        "--framing=random; default: FaceNet 128-D on the whole image",
    )
    identity_faces: int | None = option(None, "faces of each batch that the identity loss looks at", at_least=1)
    total_variation_weight: float = option(0.0, "weight of the total variation", at_least=0)
    vgg_layer: str = option("block5_conv4", "the VGG19 layer that the perceptual loss compares", LAYERS)
    vgg_weights: str | None = option(None, "a file with VGG19's ImageNet weights; default: Keras downloads it")
    feature_cache_gb: float = option(
        4.0, "keep VGG19's view of the HR faces in memory if they fit; only for --framing=stored", at_least=0
    )
    rate_schedule: str = with_default(SuperResolutionSettings, "rate_schedule", "cosine")
    log_every: int = with_default(SuperResolutionSettings, "log_every", 50)
    evaluate_every: int = with_default(SuperResolutionSettings, "evaluate_every", 500)
    save_every: int = with_default(SuperResolutionSettings, "save_every", 500)


def build_optimizer(
    settings: SrganSettings, peak: float, steps: int, beta_1: float = 0.9
) -> keras.optimizers.Optimizer:
    """Adam for one network in one phase."""
    rate = learning_rate(settings.rate_schedule, peak, steps, settings.warm_up_steps)
    return adam(rate, settings.precision, settings.clip_norm, beta_1)


def build_networks(settings: SrganSettings, high_size: int) -> tuple[keras.Model, keras.Model]:
    """Generator and discriminator of the preset."""
    if high_size != 4 * settings.low_size:
        raise UserError(
            f"SRGAN enlarges 4 times, so HR faces of {high_size} pixels need --low_size={high_size // 4}, "
            f"not {settings.low_size}."
        )
    if settings.preset == "keras_gan":
        return build_generator(settings), srgan.discriminator_keras_gan(high_size)
    return build_generator(settings), srgan.discriminator_paper(high_size, settings.discriminator_filters)


def build_generator(settings: SrganSettings) -> keras.Model:
    """The preset's generator."""
    if settings.preset == "keras_gan":
        return srgan.generator_keras_gan(settings.low_size)
    return srgan.generator_paper(
        settings.low_size,
        settings.blocks,
        settings.filters,
        settings.batch_norm,
        settings.upsampling_filters,
        settings.outer_kernel,
        settings.attention,
    )


def needs_identity(settings: SrganSettings) -> bool:
    """Whether the second phase has an identity loss."""
    return settings.adversarial_steps > 0 and settings.identity_weight > 0


def build_loss(settings: SrganSettings, embedder: keras.Model | None = None) -> GeneratorLoss:
    """The generator's loss in the second phase, with the networks that it needs.

    Args:
        embedder: of aligned faces, frozen, for the identity loss; None takes FaceNet 128-D.
    """
    features = None
    if settings.adversarial_steps > 0 and settings.perceptual_weight > 0:
        features = vgg19_features(settings.vgg_layer, Path(settings.vgg_weights) if settings.vgg_weights else None)
    if needs_identity(settings) and embedder is None:
        file = Path(settings.facenet_weights) if settings.facenet_weights else fetch_facenet_weights()
        embedder = load_facenet_128(file)
        embedder.trainable = False
    return GeneratorLoss(
        pixel=PIXEL_LOSSES[settings.pixel_loss],
        pixel_weight=settings.pixel_weight,
        adversarial=ADVERSARIAL_LOSSES[settings.adversarial_loss][0],
        adversarial_weight=settings.adversarial_weight,
        features=features,
        perceptual_weight=settings.perceptual_weight,
        embedder=embedder,
        identity_weight=settings.identity_weight,
        identity_faces=settings.identity_faces,
        total_variation_weight=settings.total_variation_weight,
    )
