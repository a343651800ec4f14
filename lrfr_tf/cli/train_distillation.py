"""Teaches MobileFaceNet to see in a small face, as cameras make it, what it sees in the sharp photo.

python -m lrfr_tf.train_distillation --flagfile=configs/distill_mobilefacenet.cfg
"""

from lrfr_tf.files import atomic_folder
from lrfr_tf.main import run
from lrfr_tf.training.average import AveragedNetwork
from lrfr_tf.training.checkpoint import CheckpointStore
from lrfr_tf.training.distillation import (
    DistillationMonitor,
    DistillationRun,
    DistillationSettings,
    distillation_step,
)
from lrfr_tf.training.loop import train
from lrfr_tf.training.strategy import set_up, uses_xla

Config = DistillationSettings  # the name that every script has for its settings


def main(config: Config) -> None:
    strategy = set_up(config)
    job = DistillationRun(config, strategy)
    with strategy.scope():
        network = job.build_network()
        average = AveragedNetwork(network, config.average_decay) if config.average_decay else None
        optimizer = job.build_optimizer()
    job.open()
    job.ask_teacher()
    with strategy.scope():
        step = distillation_step(network, optimizer, config.groups, average, job.persons(), config.person_weight)
    outcome = average.network if average else network
    store = CheckpointStore(
        job.output / "checkpoints", {"network": network, "optimizer": optimizer, "average": average}, strategy
    )
    done = store.restore()
    monitor = DistillationMonitor(job.output, outcome, optimizer, job.template) if job.writes else None
    model = job.output / "model"
    if done < config.steps or not model.is_dir():
        jit_compile = uses_xla(config.jit_compile, strategy)
        train("distillation", step, job.batches, store, done, job.schedule(), monitor, jit_compile, strategy)
        if job.writes:
            with atomic_folder(model) as temporary:
                job.store(outcome, temporary)


if __name__ == "__main__":
    run(main, Config)
