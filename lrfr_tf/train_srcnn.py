"""Trains SRCNN on the HR faces of prepared trees.

python -m lrfr_tf.train_srcnn --flagfile=configs/celeba_srcnn.cfg
"""

import dataclasses

import keras

from lrfr_tf.config import option, required
from lrfr_tf.losses.pixel import mean_squared_error
from lrfr_tf.main import run
from lrfr_tf.models.srcnn import VARIANTS, srcnn
from lrfr_tf.recognition.super_resolution import SuperResolver, save_super_resolver
from lrfr_tf.training.checkpoint import CheckpointStore
from lrfr_tf.training.loop import Schedule, train
from lrfr_tf.training.run import SuperResolutionRun
from lrfr_tf.training.super_resolution import pixel_step


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
    variant: str = option("9-1-5", "kernel sizes", tuple(VARIANTS))
    low_size: int = option(16, "side of the LR faces in pixels", at_least=1)
    steps: int = option(20_000, "training steps", at_least=1)
    batch_size: int = option(32, "faces a step", at_least=1)
    learning_rate: float = option(
        1e-3, "Adam's learning rate, halved at half, and again at three quarters, of the run", above=0
    )
    seed: int = option(0, "seed of weights, order and flips", at_least=0)
    log_every: int = option(100, "steps between two lines of TensorBoard", at_least=1)
    evaluate_every: int = option(2_000, "steps between two evaluations on the validation faces", at_least=1)
    save_every: int = option(1_000, "steps between two checkpoints", at_least=1)
    jit_compile: bool = option(True, "compile the step with XLA")


def main(config: Config) -> None:
    keras.utils.set_random_seed(config.seed)
    network = srcnn(config.variant)
    rate = keras.optimizers.schedules.PiecewiseConstantDecay(
        [config.steps // 2, config.steps * 3 // 4],
        [config.learning_rate, config.learning_rate / 2, config.learning_rate / 4],
    )
    optimizer = keras.optimizers.Adam(rate)
    job = SuperResolutionRun(config)
    job.open()
    resolver = SuperResolver("srcnn", network, config.low_size, job.high_size, enlarge_first=True)
    monitor = job.monitor("srcnn", resolver.super_resolve, optimizer)
    step = pixel_step(network, optimizer, mean_squared_error)
    store = CheckpointStore(job.output / "checkpoints", {"network": network, "optimizer": optimizer})
    schedule = Schedule(config.steps, config.log_every, config.evaluate_every, config.save_every)
    done = store.restore()
    # A finished network is not stored again: its file would differ by the time of day in it.
    if done < config.steps or not (job.output / "model").is_dir():
        train("srcnn", step, job.enlarged_batches, store, done, schedule, monitor, config.jit_compile)
        save_super_resolver(job.output / "model", resolver)
    job.show_last(monitor)


if __name__ == "__main__":
    run(main, Config)
