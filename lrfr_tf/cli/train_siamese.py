"""Trains the deep Siamese network on aligned faces: one network that embeds every size of a face.

python -m lrfr_tf.train_siamese --data=datasets/train_test_128x128 --output=runs/siamese --faces_in=files

The defaults are those of Lai and Lam (2021); tools/prepare_vggface2.py and tools/prepare_aligned.py make the trees. The
network that ships is taught by train_distillation.
"""

import dataclasses
from pathlib import Path

from lrfr_tf.benchmarks.in_training import Benchmarks, find_chosen_benchmarks
from lrfr_tf.benchmarks.registry import folder_names, registered
from lrfr_tf.config import option
from lrfr_tf.errors import UserError
from lrfr_tf.faces.align import ALIGNED_SIZE
from lrfr_tf.files import atomic_folder
from lrfr_tf.main import run
from lrfr_tf.training.average import AveragedNetwork
from lrfr_tf.training.checkpoint import CheckpointStore
from lrfr_tf.training.loop import train
from lrfr_tf.training.outcome import Outcome
from lrfr_tf.training.siamese import siamese_step
from lrfr_tf.training.siamese_run import SiameseRun, SiameseSettings
from lrfr_tf.training.strategy import set_up, uses_xla
from lrfr_tf.weights.backbone import save_weights, write_embedder_record


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(SiameseSettings):
    """What to train, on what, and which benchmarks to run meanwhile."""

    eval_benchmarks: tuple[str, ...] = option(
        (), "benchmarks that are run at every evaluation, out of --data_root", tuple(registered())
    )
    data_root: str | None = option(None, f"folder that holds some of {folder_names()}")


def main(config: Config) -> None:
    strategy = set_up(config)
    jit_compile = uses_xla(config.jit_compile, strategy)
    if bool(config.eval_benchmarks) != bool(config.data_root):
        raise UserError("--eval_benchmarks and --data_root go together: which benchmarks, and where they lie.")
    folders = find_chosen_benchmarks(Path(config.data_root), config.eval_benchmarks) if config.data_root else None
    job = SiameseRun(config, strategy)
    with strategy.scope():
        network = job.build_network()
        head = job.build_head(int(network.output_shape[-1]))
        average = AveragedNetwork(network, config.average_decay) if config.average_decay else None
        outcome = Outcome(network, average, config.best_metric)
        optimizer = job.build_optimizer()
    job.open()
    with strategy.scope():
        step = siamese_step(network, head, optimizer, job.build_loss(), config.sizes, average)
    benchmarks = None
    if folders and job.writes:
        benchmarks = Benchmarks(folders, outcome.evaluated, job.output / "landmarks", job.template)
    monitor = job.monitor(outcome, optimizer, benchmarks)
    parts = {"network": network, "head": head, "optimizer": optimizer, "average": average, "best": outcome.best}
    store = CheckpointStore(job.output / "checkpoints", parts, strategy)
    done = store.restore()
    model = job.output / "model"
    if done < config.steps or not model.is_dir():
        train("siamese", step, job.batches, store, done, job.schedule(), monitor, jit_compile, strategy)
        if job.writes:
            with atomic_folder(model) as temporary:
                save_weights(outcome.stored, temporary / f"{config.backbone}.weights.h5")
                write_embedder_record(temporary, job.template, ALIGNED_SIZE)
    job.show_last(monitor)


if __name__ == "__main__":
    run(main, Config)
