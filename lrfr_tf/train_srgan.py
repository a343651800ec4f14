"""Trains SRGAN's generator on pixels alone, then against a discriminator.

python -m lrfr_tf.train_srgan --flagfile=configs/celeba_srgan.cfg
"""

import dataclasses
from pathlib import Path

import keras

from lrfr_tf.config import option, required
from lrfr_tf.errors import UserError
from lrfr_tf.losses import adversarial, pixel
from lrfr_tf.main import run
from lrfr_tf.models import srgan
from lrfr_tf.recognition.super_resolution import SuperResolver, load_super_resolver, save_super_resolver
from lrfr_tf.training.average import AveragedNetwork
from lrfr_tf.training.checkpoint import CheckpointStore
from lrfr_tf.training.loop import Schedule, train
from lrfr_tf.training.run import SuperResolutionRun
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


@dataclasses.dataclass(frozen=True)
class Config:
    data: tuple[str, ...] = required("prepared trees to learn from")
    output: str = required("run folder: checkpoints, TensorBoard, run.json and the finished model/")
    splits: tuple[str, ...] = option(("train", "extra"), "splits to learn from")
    held_out_divisor: int = option(0, "leave out identities whose number is divisible by this (0: nobody)", at_least=0)
    exclude: str | None = option(None, "a file that names further identities to leave out, one a line")
    framing: str = option(
        "stored",
        "stored: faces as they lie in the trees; random: cut out of portraits anew at every step, anywhere between "
        "squash and face",
        ("stored", "random"),
    )
    preset: str = option("paper", "networks of Ledig et al., or of Keras-GAN", ("paper", "keras_gan"))
    blocks: int = option(16, "residual blocks of the paper's generator", at_least=1)
    filters: int = option(64, "channels of the paper's generator", at_least=1)
    batch_norm: bool = option(True, "batch norm in the paper's generator; without it small batches train better")
    upsampling_filters: int | None = option(None, "channels where the image is larger; default: --filters", at_least=1)
    outer_kernel: int = option(9, "side of the first and the last kernel of the paper's generator", at_least=1)
    discriminator_filters: int = option(64, "channels of the paper's discriminator's first layer", at_least=4)
    initial_generator: str | None = option(None, "a stored generator to begin with, such as <run>/pixel_model")
    precision: str = option("float32", "number format of the layers", ("float32", "mixed_float16", "mixed_bfloat16"))
    average_decay: float = option(0.0, "decay of the running average of the generator's weights", at_least=0)
    low_size: int = option(16, "side of the LR faces in pixels", at_least=1)
    pixel_steps: int = option(
        20_000, "steps on the pixel loss alone (this network is stored as pixel_model/)", at_least=0
    )
    adversarial_steps: int = option(10_000, "steps against the discriminator", at_least=0)
    batch_size: int = option(16, "faces a step", at_least=1)
    pixel_loss: str = option("mse", "pixel loss of both phases", tuple(PIXEL_LOSSES))
    pixel_rate: float = option(
        1e-4, "Adam's first learning rate on pixels; it falls to a tenth along a cosine", above=0
    )
    adversarial_rate: float = option(
        1e-4, "both Adams' first learning rate in the second phase; it falls to a tenth along a cosine", above=0
    )
    adversarial_loss: str = option(
        "bce", "what generator and discriminator play with; keras_gan is its mixture", tuple(ADVERSARIAL_LOSSES)
    )
    pixel_weight: float = option(0.0, "weight of the pixel loss in the second phase", at_least=0)
    perceptual_weight: float = option(1.0, "weight of the perceptual loss; 0 needs no VGG19", at_least=0)
    adversarial_weight: float = option(1e-3, "weight of the adversarial loss", at_least=0)
    identity_weight: float = option(0.0, "weight of the identity loss; above 0 it needs FaceNet's weights", at_least=0)
    identity_faces: int | None = option(None, "faces of each batch that the identity loss looks at", at_least=1)
    facenet_weights: str | None = option(None, "a file with FaceNet's 128-D weights; default: the cache")
    total_variation_weight: float = option(0.0, "weight of the total variation", at_least=0)
    vgg_layer: str = option("block5_conv4", "the VGG19 layer that the perceptual loss compares", LAYERS)
    vgg_weights: str | None = option(None, "a file with VGG19's ImageNet weights; default: Keras downloads it")
    seed: int = option(0, "seed of weights, order and flips", at_least=0)
    log_every: int = option(50, "steps between two lines of TensorBoard", at_least=1)
    evaluate_every: int = option(500, "steps between two evaluations on the validation faces", at_least=1)
    save_every: int = option(500, "steps between two checkpoints", at_least=1)
    jit_compile: bool = option(True, "compile the step with XLA")


def main(config: Config) -> None:
    keras.config.set_dtype_policy(config.precision)
    keras.utils.set_random_seed(config.seed)
    job = SuperResolutionRun(config)
    generator, discriminator = build_networks(config, job.high_size)
    loss = build_loss(config)
    job.open()
    average = AveragedNetwork(generator, config.average_decay)
    optimizers = {
        "pixel_optimizer": keras.optimizers.Adam(cosine(config.pixel_rate, config.pixel_steps)),
        "generator_optimizer": keras.optimizers.Adam(cosine(config.adversarial_rate, config.adversarial_steps)),
        "discriminator_optimizer": keras.optimizers.Adam(cosine(config.adversarial_rate, config.adversarial_steps)),
    }
    on_pixels = pixel_step(generator, optimizers["pixel_optimizer"], PIXEL_LOSSES[config.pixel_loss], average)
    against = adversarial_step(
        generator,
        discriminator,
        optimizers["generator_optimizer"],
        optimizers["discriminator_optimizer"],
        loss,
        ADVERSARIAL_LOSSES[config.adversarial_loss][1],
        average,
    )
    parts = {"generator": generator, "discriminator": discriminator, "average": average, **optimizers}
    store = CheckpointStore(job.output / "checkpoints", parts)
    done = store.restore()

    for name, step, last_step, optimizer, folder in (
        ("srresnet", on_pixels, config.pixel_steps, "pixel_optimizer", "pixel_model"),
        ("srgan", against, config.pixel_steps + config.adversarial_steps, "generator_optimizer", "model"),
    ):
        resolver = SuperResolver(name, average.network, config.low_size, job.high_size)
        schedule = Schedule(last_step, config.log_every, config.evaluate_every, config.save_every)
        monitor = job.monitor(name, resolver.super_resolve, optimizers[optimizer])
        # At the very last step of a phase, the run may have been stopped before it stored the network.
        if done < last_step or (done == last_step and not (job.output / folder).is_dir()):
            train(name, step, job.batches, store, done, schedule, monitor, config.jit_compile)
            done = last_step
            save_super_resolver(job.output / folder, resolver)
            job.show_last(monitor)


def cosine(rate: float, steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
    return keras.optimizers.schedules.CosineDecay(rate, max(steps, 1), alpha=0.02)


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
