"""Trains SRGAN's generator on pixels alone, then against a discriminator.

python -m lrfr_tf.train_srgan --flagfile=configs/celeba_srgan.cfg
"""

import dataclasses
from pathlib import Path

import keras

from lrfr_tf.errors import UserError
from lrfr_tf.main import run
from lrfr_tf.models.srgan import copy_weights_without_attention
from lrfr_tf.networks.identity_network import load_identity_network
from lrfr_tf.networks.super_resolution import (
    load_super_resolver,
    save_super_resolver,
)
from lrfr_tf.networks.super_resolvers import KerasSuperResolver
from lrfr_tf.training.average import AveragedNetwork
from lrfr_tf.training.checkpoint import CheckpointStore
from lrfr_tf.training.loop import train
from lrfr_tf.training.outcome import Outcome
from lrfr_tf.training.run import SuperResolutionRun
from lrfr_tf.training.srgan import (
    ADVERSARIAL_LOSSES,
    PIXEL_LOSSES,
    SrganSettings,
    build_generator,
    build_loss,
    build_networks,
    build_optimizer,
    needs_identity,
)
from lrfr_tf.training.strategy import set_up, uses_xla
from lrfr_tf.training.super_resolution import adversarial_step, pixel_step

Config = SrganSettings  # the name that every script has for its settings


def main(config: Config) -> None:
    strategy = set_up(config)
    jit_compile = uses_xla(config.jit_compile, strategy)
    job = SuperResolutionRun(config, strategy)
    with strategy.scope():
        generator, discriminator = build_networks(config, job.high_size)
        if config.initial_generator:
            begin_with(generator, Path(config.initial_generator), config)
        judge = None
        if config.identity_embedder and needs_identity(config):
            judge = load_identity_network(config.identity_embedder)
        loss = build_loss(config, judge.network if judge else None)
        average = AveragedNetwork(generator, config.average_decay) if config.average_decay else None
        pixel_outcome = Outcome(generator, average, config.best_metric)
        outcome = Outcome(generator, average, config.best_metric)
        pixel_optimizer = build_optimizer(config, config.pixel_rate, config.pixel_steps)
        second_phase = (config.adversarial_rate, config.adversarial_steps, config.adversarial_beta_1)
        generator_optimizer = build_optimizer(config, *second_phase)
        discriminator_optimizer = build_optimizer(config, *second_phase)
        on_pixels = pixel_step(generator, pixel_optimizer, PIXEL_LOSSES[config.pixel_loss], average)
        discriminator_loss = ADVERSARIAL_LOSSES[config.adversarial_loss][1]
        against = adversarial_step(
            generator, discriminator, generator_optimizer, discriminator_optimizer, loss, discriminator_loss, average
        )
    if judge:
        job.follow_faces(judge.template)
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

    last = config.pixel_steps + config.adversarial_steps
    if loss.features is not None and done < last:
        job.cache_features(loss.features, config.feature_cache_gb * 1e9)
    for name, step, batches, last_step, optimizer, kept, folder in (
        ("srresnet", on_pixels, job.batches, config.pixel_steps, pixel_optimizer, pixel_outcome, "pixel_model"),
        ("srgan", against, job.batches_with_features, last, generator_optimizer, outcome, "model"),
    ):
        evaluated = KerasSuperResolver(name, kept.evaluated, config.low_size, job.high_size)
        monitor = job.monitor(name, evaluated.super_resolve, optimizer, kept)
        # At the very last step of a phase, the run may have been stopped before it stored the network.
        if done < last_step or (done == last_step and not (job.output / folder).is_dir()):
            train(name, step, batches, store, done, job.schedule(last_step), monitor, jit_compile, strategy)
            done = last_step
            if job.writes:
                stored = KerasSuperResolver(name, kept.stored, config.low_size, job.high_size)
                save_super_resolver(job.output / folder, stored)
            job.show_last(monitor)


def begin_with(generator: keras.Model, folder: Path, config: Config) -> None:
    """Takes over the weights of a stored or an exported generator; one without attention may begin one with it.

    Raises:
        UserError: it has another form.
    """
    plain = build_generator(dataclasses.replace(config, attention=False)) if config.attention else generator
    stored = load_super_resolver(folder)
    for network in (generator, plain):
        if stored.copy_weights_to(network):
            if network is not generator:
                copy_weights_without_attention(plain, generator)
            return
    raise UserError(
        f"The generator in {folder} has another form; give the same --preset, --blocks, --filters and --attention."
    )


if __name__ == "__main__":
    run(main, Config)
