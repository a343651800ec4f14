"""Trains SRCNN on the HR faces of prepared trees.

python -m lrfr_tf.train_srcnn --flagfile=configs/celeba_srcnn.cfg
"""

import dataclasses

from lrfr_tf.config import option, with_default
from lrfr_tf.losses.pixel import mean_squared_error
from lrfr_tf.main import run
from lrfr_tf.models.srcnn import VARIANTS, srcnn
from lrfr_tf.networks.super_resolution import save_super_resolver
from lrfr_tf.networks.super_resolvers import KerasSuperResolver
from lrfr_tf.training.average import AveragedNetwork
from lrfr_tf.training.checkpoint import CheckpointStore
from lrfr_tf.training.loop import train
from lrfr_tf.training.outcome import Outcome
from lrfr_tf.training.precision import adam
from lrfr_tf.training.run import SuperResolutionRun, SuperResolutionSettings
from lrfr_tf.training.schedules import learning_rate
from lrfr_tf.training.strategy import set_up, uses_xla
from lrfr_tf.training.super_resolution import pixel_step


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(SuperResolutionSettings):
    variant: str = option("9-1-5", "kernel sizes", tuple(VARIANTS))
    steps: int = option(20_000, "training steps", at_least=1)
    learning_rate: float = option(1e-3, "Adam's highest learning rate", above=0)
    rate_schedule: str = with_default(SuperResolutionSettings, "rate_schedule", "steps")
    evaluate_every: int = with_default(SuperResolutionSettings, "evaluate_every", 2_000)


def main(config: Config) -> None:
    strategy = set_up(config)
    jit_compile = uses_xla(config.jit_compile, strategy)
    job = SuperResolutionRun(config, strategy)
    with strategy.scope():
        network = srcnn(config.variant)
        average = AveragedNetwork(network, config.average_decay) if config.average_decay else None
        outcome = Outcome(network, average, config.best_metric)
        rate = learning_rate(config.rate_schedule, config.learning_rate, config.steps, config.warm_up_steps)
        optimizer = adam(rate, config.precision, config.clip_norm)
        step = pixel_step(network, optimizer, mean_squared_error, average)
    job.open()
    evaluated = KerasSuperResolver("srcnn", outcome.evaluated, config.low_size, job.high_size, enlarge_first=True)
    monitor = job.monitor("srcnn", evaluated.super_resolve, optimizer, outcome)
    parts = {"network": network, "optimizer": optimizer, "average": average, "best": outcome.best}
    store = CheckpointStore(job.output / "checkpoints", parts, strategy)
    done = store.restore()
    # A finished network is not stored again: its file would differ by the time of day in it.
    if done < config.steps or not (job.output / "model").is_dir():
        schedule = job.schedule(config.steps)
        train("srcnn", step, job.enlarged_batches, store, done, schedule, monitor, jit_compile, strategy)
        if job.writes:
            stored = KerasSuperResolver("srcnn", outcome.stored, config.low_size, job.high_size, enlarge_first=True)
            save_super_resolver(job.output / "model", stored)
    job.show_last(monitor)


if __name__ == "__main__":
    run(main, Config)
