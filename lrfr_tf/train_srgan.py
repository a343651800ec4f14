"""Trains SRGAN's generator on pixels alone, then against a discriminator.

python -m lrfr_tf.train_srgan --flagfile=configs/celeba_srgan.cfg
"""

import dataclasses
from pathlib import Path

import keras

from lrfr_tf.config import option
from lrfr_tf.errors import UserError
from lrfr_tf.losses import adversarial, pixel
from lrfr_tf.main import run
from lrfr_tf.models import srgan
from lrfr_tf.recognition.super_resolution import SuperResolver, load_super_resolver, save_super_resolver
from lrfr_tf.training.average import AveragedNetwork
from lrfr_tf.training.checkpoint import CheckpointStore
from lrfr_tf.training.loop import train
from lrfr_tf.training.outcome import Outcome
from lrfr_tf.training.precision import adam
from lrfr_tf.training.run import SuperResolutionRun, SuperResolutionSettings
from lrfr_tf.training.schedules import learning_rate
from lrfr_tf.training.settings import RATE_SCHEDULES
from lrfr_tf.training.strategy import set_up, uses_xla
from lrfr_tf.training.super_resolution import GeneratorLoss, adversarial_step, pixel_step
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
    # Keras-GAN's generator minimises an entropy and its discriminator the squared error of its sigmoid.
    "keras_gan": (adversarial.binary_cross_entropy_generator, adversarial.least_squares_discriminator),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(SuperResolutionSettings):
    preset: str = option("paper", "networks of Ledig et al., or of Keras-GAN", ("paper", "keras_gan"))
    blocks: int = option(16, "residual blocks of the paper's generator", at_least=1)
    filters: int = option(64, "channels of the paper's generator", at_least=1)
    batch_norm: bool = option(True, "batch norm in the paper's generator; without it small batches train better")
    upsampling_filters: int | None = option(None, "channels where the image is larger; default: --filters", at_least=1)
    outer_kernel: int = option(9, "side of the first and the last kernel of the paper's generator", at_least=1)
    discriminator_filters: int = option(64, "channels of the paper's discriminator's first layer", at_least=4)
    initial_generator: str | None = option(None, "a stored generator to begin with, such as <run>/pixel_model")
    pixel_steps: int = option(
        20_000, "steps on the pixel loss alone (this network is stored as pixel_model/)", at_least=0
    )
    adversarial_steps: int = option(10_000, "steps against the discriminator", at_least=0)
    batch_size: int = option(16, "images a step, over all replicas together", at_least=1)
    pixel_loss: str = option("mse", "pixel loss of both phases", tuple(PIXEL_LOSSES))
    pixel_rate: float = option(1e-4, "Adam's highest learning rate on pixels", above=0)
    adversarial_rate: float = option(1e-4, "both Adams' highest learning rate in the second phase", above=0)
    adversarial_loss: str = option(
        "bce", "what generator and discriminator play with; keras_gan is its mixture", tuple(ADVERSARIAL_LOSSES)
    )
    pixel_weight: float = option(0.0, "weight of the pixel loss in the second phase", at_least=0)
    perceptual_weight: float = option(1.0, "weight of the perceptual loss; 0 needs no VGG19", at_least=0)
    adversarial_weight: float = option(1e-3, "weight of the adversarial loss", at_least=0)
    identity_weight: float = option(0.0, "weight of the identity loss; above 0 it needs FaceNet's weights", at_least=0)
    identity_faces: int | None = option(None, "faces of each batch that the identity loss looks at", at_least=1)
    total_variation_weight: float = option(0.0, "weight of the total variation", at_least=0)
    vgg_layer: str = option("block5_conv4", "the VGG19 layer that the perceptual loss compares", LAYERS)
    vgg_weights: str | None = option(None, "a file with VGG19's ImageNet weights; default: Keras downloads it")
    rate_schedule: str = option(
        "cosine",
        "all learning rates, over their phase: constant, falling to a fiftieth along a cosine, halved at 1/2 and again "
        "at 3/4 (steps), or divided by ten at 1/2",
        RATE_SCHEDULES,
    )
    log_every: int = option(50, "steps between two lines of TensorBoard", at_least=1)
    evaluate_every: int = option(500, "steps between two evaluations on the validation faces", at_least=1)
    save_every: int = option(500, "steps between two checkpoints", at_least=1)


def main(config: Config) -> None:
    strategy = set_up(config)
    jit_compile = uses_xla(config.jit_compile, strategy)
    job = SuperResolutionRun(config, strategy)
    with strategy.scope():
        generator, discriminator = build_networks(config, job.high_size)
        loss = build_loss(config)
        average = AveragedNetwork(generator, config.average_decay) if config.average_decay else None
        pixel_outcome = Outcome(generator, average, config.best_metric)
        outcome = Outcome(generator, average, config.best_metric)
        pixel_optimizer = build_optimizer(config, config.pixel_rate, config.pixel_steps)
        generator_optimizer = build_optimizer(config, config.adversarial_rate, config.adversarial_steps)
        discriminator_optimizer = build_optimizer(config, config.adversarial_rate, config.adversarial_steps)
        on_pixels = pixel_step(generator, pixel_optimizer, PIXEL_LOSSES[config.pixel_loss], average)
        discriminator_loss = ADVERSARIAL_LOSSES[config.adversarial_loss][1]
        against = adversarial_step(
            generator, discriminator, generator_optimizer, discriminator_optimizer, loss, discriminator_loss, average
        )
    job.open()
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
    store = CheckpointStore(job.output / "checkpoints", parts, strategy)
    done = store.restore()

    for name, step, last_step, optimizer, kept, folder in (
        ("srresnet", on_pixels, config.pixel_steps, pixel_optimizer, pixel_outcome, "pixel_model"),
        ("srgan", against, config.pixel_steps + config.adversarial_steps, generator_optimizer, outcome, "model"),
    ):
        evaluated = SuperResolver(name, kept.evaluated, config.low_size, job.high_size)
        monitor = job.monitor(name, evaluated.super_resolve, optimizer, kept)
        # At the very last step of a phase, the run may have been stopped before it stored the network.
        if done < last_step or (done == last_step and not (job.output / folder).is_dir()):
            train(name, step, job.batches, store, done, job.schedule(last_step), monitor, jit_compile, strategy)
            done = last_step
            if job.writes:
                stored = SuperResolver(name, kept.stored, config.low_size, job.high_size)
                save_super_resolver(job.output / folder, stored)
            job.show_last(monitor)


def build_optimizer(config: Config, peak: float, steps: int) -> keras.optimizers.Optimizer:
    """Adam for one network in one phase."""
    rate = learning_rate(config.rate_schedule, peak, steps, config.warm_up_steps)
    return adam(rate, config.precision, config.clip_norm)


def build_networks(config: Config, high_size: int) -> tuple[keras.Model, keras.Model]:
    """Generator and discriminator of the preset."""
    if high_size != 4 * config.low_size:
        raise UserError(
            f"SRGAN enlarges 4 times, so HR faces of {high_size} pixels need --low_size={high_size // 4}, "
            f"not {config.low_size}."
        )
    if config.preset == "keras_gan":
        generator, discriminator = srgan.generator_keras_gan(config.low_size), srgan.discriminator_keras_gan(high_size)
    else:
        generator = srgan.generator_paper(
            config.low_size,
            config.blocks,
            config.filters,
            config.batch_norm,
            config.upsampling_filters,
            config.outer_kernel,
        )
        discriminator = srgan.discriminator_paper(high_size, config.discriminator_filters)
    if config.initial_generator:
        begin_with(generator, Path(config.initial_generator))
    return generator, discriminator


def begin_with(generator: keras.Model, folder: Path) -> None:
    """Takes over the weights of a stored generator.

    Raises:
        UserError: it has another form.
    """
    stored = load_super_resolver(folder).network
    shapes = [tuple(weight.shape) for weight in generator.weights]
    if stored is None or [tuple(weight.shape) for weight in stored.weights] != shapes:
        raise UserError(f"The generator in {folder} has another form; give the same --preset, --blocks and --filters.")
    generator.set_weights(stored.get_weights())


def build_loss(config: Config) -> GeneratorLoss:
    """The generator's loss in the second phase, with the networks that it needs."""
    features = embedder = None
    if config.adversarial_steps > 0 and config.perceptual_weight > 0:
        features = vgg19_features(config.vgg_layer, Path(config.vgg_weights) if config.vgg_weights else None)
    if config.adversarial_steps > 0 and config.identity_weight > 0:
        file = Path(config.facenet_weights) if config.facenet_weights else fetch_facenet_weights()
        embedder = load_facenet_128(file)
        embedder.trainable = False
    return GeneratorLoss(
        pixel=PIXEL_LOSSES[config.pixel_loss],
        pixel_weight=config.pixel_weight,
        adversarial=ADVERSARIAL_LOSSES[config.adversarial_loss][0],
        adversarial_weight=config.adversarial_weight,
        features=features,
        perceptual_weight=config.perceptual_weight,
        embedder=embedder,
        identity_weight=config.identity_weight,
        identity_faces=config.identity_faces,
        total_variation_weight=config.total_variation_weight,
    )


if __name__ == "__main__":
    run(main, Config)
