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
from lrfr_tf.recognition.super_resolution import SuperResolver, save_super_resolver
from lrfr_tf.training.checkpoint import CheckpointStore
from lrfr_tf.training.loop import Schedule, train
from lrfr_tf.training.run import SuperResolutionRun
from lrfr_tf.training.super_resolution import AdversarialLoss, adversarial_step, pixel_step
from lrfr_tf.weights.vgg19 import LAYERS, vgg19_features


@dataclasses.dataclass(frozen=True)
class Config:
    data: tuple[str, ...] = required("prepared trees to learn from")
    output: str = required("run folder: checkpoints, TensorBoard, run.json and the finished model/")
    splits: tuple[str, ...] = option(("train", "extra"), "splits to learn from")
    held_out_divisor: int = option(0, "leave out identities whose number is divisible by this (0: nobody)", at_least=0)
    preset: str = option("paper", "networks of Ledig et al., or of Keras-GAN", ("paper", "keras_gan"))
    blocks: int = option(16, "residual blocks of the paper's generator", at_least=1)
    filters: int = option(64, "channels of the paper's generator", at_least=1)
    batch_norm: bool = option(True, "batch norm in the paper's generator; without it small batches train better")
    low_size: int = option(16, "side of the LR faces in pixels", at_least=1)
    pixel_steps: int = option(
        20_000, "steps on the pixel loss alone (this network is stored as pixel_model/)", at_least=0
    )
    adversarial_steps: int = option(10_000, "steps against the discriminator", at_least=0)
    batch_size: int = option(16, "faces a step", at_least=1)
    pixel_loss: str = option("mse", "pixel loss of the first phase", ("mse", "l1"))
    pixel_rate: float = option(
        1e-4, "Adam's first learning rate on pixels; it falls to a tenth along a cosine", above=0
    )
    adversarial_rate: float = option(1e-4, "both Adams' learning rate in the second phase", above=0)
    pixel_weight: float = option(0.0, "weight of the pixel loss in the second phase", at_least=0)
    perceptual_weight: float = option(1.0, "weight of the perceptual loss; 0 needs no VGG19", at_least=0)
    adversarial_weight: float = option(1e-3, "weight of the adversarial loss", at_least=0)
    vgg_layer: str = option("block5_conv4", "the VGG19 layer that the perceptual loss compares", LAYERS)
    vgg_weights: str | None = option(None, "a file with VGG19's ImageNet weights; default: Keras downloads it")
    seed: int = option(0, "seed of weights, order and flips", at_least=0)
    log_every: int = option(50, "steps between two lines of TensorBoard", at_least=1)
    evaluate_every: int = option(500, "steps between two evaluations on the validation faces", at_least=1)
    save_every: int = option(500, "steps between two checkpoints", at_least=1)
    jit_compile: bool = option(True, "compile the step with XLA")


def main(config: Config) -> None:
    keras.utils.set_random_seed(config.seed)
    job = SuperResolutionRun(config)
    generator, discriminator = build_networks(config, job.high_size)
    loss = build_loss(config)
    job.open()
    pixel_rate = keras.optimizers.schedules.CosineDecay(config.pixel_rate, max(config.pixel_steps, 1), alpha=0.1)
    optimizers = {
        "pixel_optimizer": keras.optimizers.Adam(pixel_rate),
        "generator_optimizer": keras.optimizers.Adam(config.adversarial_rate, beta_1=0.9),
        "discriminator_optimizer": keras.optimizers.Adam(config.adversarial_rate, beta_1=0.9),
    }
    on_pixels = pixel_step(generator, optimizers["pixel_optimizer"], PIXEL_LOSSES[config.pixel_loss])
    against = adversarial_step(
        generator, discriminator, optimizers["generator_optimizer"], optimizers["discriminator_optimizer"], loss
    )
    parts = {"generator": generator, "discriminator": discriminator, **optimizers}
    store = CheckpointStore(job.output / "checkpoints", parts)
    done = store.restore()

    for name, step, last_step, optimizer, folder in (
        ("srresnet", on_pixels, config.pixel_steps, "pixel_optimizer", "pixel_model"),
        ("srgan", against, config.pixel_steps + config.adversarial_steps, "generator_optimizer", "model"),
    ):
        resolver = SuperResolver(name, generator, config.low_size, job.high_size)
        schedule = Schedule(last_step, config.log_every, config.evaluate_every, config.save_every)
        monitor = job.monitor(name, resolver.super_resolve, optimizers[optimizer])
        # At the very last step of a phase, the run may have been stopped before it stored the network.
        if done < last_step or (done == last_step and not (job.output / folder).is_dir()):
            train(name, step, job.batches, store, done, schedule, monitor, config.jit_compile)
            done = last_step
            save_super_resolver(job.output / folder, resolver)
            job.show_last(monitor)


PIXEL_LOSSES = {"mse": pixel.mean_squared_error, "l1": pixel.mean_absolute_error}


def build_networks(config: Config, high_size: int) -> tuple[keras.Model, keras.Model]:
    """Generator and discriminator of the preset."""
    if high_size != 4 * config.low_size:
        raise UserError(
            f"SRGAN enlarges 4 times, so HR faces of {high_size} pixels need --low_size={high_size // 4}, "
            f"not {config.low_size}."
        )
    if config.preset == "keras_gan":
        return srgan.generator_keras_gan(config.low_size), srgan.discriminator_keras_gan(high_size)
    generator = srgan.generator_paper(config.low_size, config.blocks, config.filters, config.batch_norm)
    return generator, srgan.discriminator_paper(high_size)


def build_loss(config: Config) -> AdversarialLoss:
    """The loss of the second phase: Keras-GAN's discriminator minimises a squared error, the paper's an entropy."""
    features = None
    if config.perceptual_weight > 0 and config.adversarial_steps > 0:
        features = vgg19_features(config.vgg_layer, Path(config.vgg_weights) if config.vgg_weights else None)
    return AdversarialLoss(
        pixel=PIXEL_LOSSES[config.pixel_loss],
        pixel_weight=config.pixel_weight,
        features=features,
        perceptual_weight=config.perceptual_weight,
        generator=adversarial.binary_cross_entropy_generator,
        adversarial_weight=config.adversarial_weight,
        discriminator=(
            adversarial.least_squares_discriminator
            if config.preset == "keras_gan"
            else adversarial.binary_cross_entropy_discriminator
        ),
    )


if __name__ == "__main__":
    run(main, Config)
