"""What a run of SRGAN is made of: its flags, networks, losses and plan."""

import dataclasses
from pathlib import Path

import keras
import tensorflow as tf

from lrfr_tf.config import option, with_default
from lrfr_tf.errors import UserError
from lrfr_tf.images.camera import CLEAN_LEVEL
from lrfr_tf.losses import adversarial, pixel
from lrfr_tf.models import srgan
from lrfr_tf.networks.identity_network import load_identity_network
from lrfr_tf.training.feature_cache import cache_features
from lrfr_tf.training.initial_generator import initialize_from
from lrfr_tf.training.optimizers import build_optimizer
from lrfr_tf.training.outcome import Outcome, averaged
from lrfr_tf.training.run import Phase, Plan
from lrfr_tf.training.strategy import Devices
from lrfr_tf.training.super_resolution import GeneratorLoss, adversarial_step, pixel_step
from lrfr_tf.training.super_resolution_run import SuperResolutionSettings, load_run_faces, super_resolution_phase
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
    upsampling_filters: int | None = option(None, "channels where the image is larger; default: `filters`", at_least=1)
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
        "`framing`=random; default: FaceNet 128-D on the whole image",
    )
    total_variation_weight: float = option(0.0, "weight of the total variation", at_least=0)
    vgg_layer: str = option("block5_conv4", "the VGG19 layer that the perceptual loss compares", LAYERS)
    vgg_weights: str | None = option(None, "a file with VGG19's ImageNet weights; default: Keras downloads it")
    rate_schedule: str = with_default(SuperResolutionSettings, "rate_schedule", "cosine")
    log_every: int = with_default(SuperResolutionSettings, "log_every", 50)
    evaluate_every: int = with_default(SuperResolutionSettings, "evaluate_every", 500)
    save_every: int = with_default(SuperResolutionSettings, "save_every", 500)

    @property
    def needs_identity(self) -> bool:
        """Whether the second phase has an identity loss."""
        return self.adversarial_steps > 0 and self.identity_weight > 0


def build_networks(settings: SrganSettings, high_size: int) -> tuple[keras.Model, keras.Model]:
    """Generator and discriminator of the preset."""
    if high_size != 4 * settings.low_size:
        raise UserError(
            f"SRGAN enlarges 4 times, so HR faces of {high_size} pixels need `low_size`={high_size // 4}, "
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
        upsampling_filters=settings.upsampling_filters,
        outer_kernel=settings.outer_kernel,
        attention=settings.attention,
    )


def build_loss(settings: SrganSettings, embedder: keras.Model | None = None) -> GeneratorLoss:
    """The generator's loss in the second phase, with the networks that it needs.

    Args:
        embedder: of aligned faces, frozen, for the identity loss; None takes FaceNet 128-D.
    """
    features = None
    if settings.adversarial_steps > 0 and settings.perceptual_weight > 0:
        features = vgg19_features(settings.vgg_layer, Path(settings.vgg_weights) if settings.vgg_weights else None)
    if settings.needs_identity and embedder is None:
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
        total_variation_weight=settings.total_variation_weight,
    )


def plan_srgan(config: SrganSettings, devices: Devices) -> Plan:
    """A phase on pixels alone, whose network is stored as pixel_model/, and one against the discriminator.

    Raises:
        UserError: see `load_run_faces`; the networks do not fit the faces, or weights are missing.
    """
    faces = load_run_faces(config, devices)
    generator, discriminator = build_networks(config, faces.high_size)
    if config.initial_generator:
        plain = build_generator(dataclasses.replace(config, attention=False)) if config.attention else None
        initialize_from(generator, Path(config.initial_generator), plain)
    judge = None
    if config.identity_embedder and config.needs_identity:
        judge = load_identity_network(config.identity_embedder)
    face_box = faces.face_box(judge.template) if judge else None
    loss = build_loss(config, judge.network if judge else None)
    average = averaged(generator, config.average_decay)
    pixel_outcome, outcome = (Outcome(generator, average, config.best_metric) for _ in range(2))
    pixel_optimizer = build_optimizer(config, config.pixel_rate, config.pixel_steps)
    generator_optimizer, discriminator_optimizer = (
        build_optimizer(config, config.adversarial_rate, config.adversarial_steps, beta_1=config.adversarial_beta_1)
        for _ in range(2)
    )
    on_pixels = pixel_step(generator, pixel_optimizer, PIXEL_LOSSES[config.pixel_loss], average)
    discriminator_loss = ADVERSARIAL_LOSSES[config.adversarial_loss][1]
    against = adversarial_step(
        generator,
        discriminator,
        generator_optimizer=generator_optimizer,
        discriminator_optimizer=discriminator_optimizer,
        loss=loss,
        discriminator_loss=discriminator_loss,
        average=average,
    )

    def batches(first_step: int) -> tf.data.Dataset:
        features = None
        # What VGG19 sees is kept where the HR faces are always the same.
        if loss.features is not None and faces.framed_size is None and set(config.camera) == {CLEAN_LEVEL}:
            features = cache_features(loss.features, faces.training)
        return faces.batches(first_step, features, face_box)

    def phases() -> list[Phase]:
        return [
            super_resolution_phase(
                "srresnet", faces, devices, on_pixels, batches=faces.batches, outcome=pixel_outcome,
                optimizer=pixel_optimizer, length="pixel_steps", folder="pixel_model",
            ),
            super_resolution_phase(
                "srgan", faces, devices, against, batches=batches, outcome=outcome,
                optimizer=generator_optimizer, length="adversarial_steps",
            ),
        ]  # fmt: skip

    parts = {
        "generator": generator,
        "discriminator": discriminator,
        "average": average,
        "pixel_best": pixel_outcome.best,
        "best": outcome.best,
        "pixel_optimizer": pixel_optimizer,
        "generator_optimizer": generator_optimizer,
        "discriminator_optimizer": discriminator_optimizer,
    }
    return Plan(parts, faces.counts, phases)
