"""Trains the deep Siamese network on aligned faces: one network that embeds every size of a face.

python -m lrfr_tf.train_siamese --data=datasets/train_test_128x128 --output=runs/siamese --faces_in=files

The defaults are those of Lai and Lam (2021); lrfr prepare vggface2 and lrfr prepare aligned make the trees. The
network that ships is taught by train_distillation.
"""

import dataclasses
import functools
from pathlib import Path

from lrfr_tf.benchmarks.in_training import Benchmarks, find_chosen_benchmarks
from lrfr_tf.benchmarks.registry import folder_names, registered
from lrfr_tf.config import option
from lrfr_tf.errors import UserError
from lrfr_tf.main import run
from lrfr_tf.training.run import build_training
from lrfr_tf.training.siamese_run import SiameseSettings, plan_siamese


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(SiameseSettings):
    """What to train, on what, and which benchmarks to run meanwhile."""

    eval_benchmarks: tuple[str, ...] = option(
        (), "benchmarks that are run at every evaluation, out of --data_root", tuple(registered())
    )
    data_root: str | None = option(None, f"folder that holds some of {folder_names()}")


def main(config: Config) -> None:
    if bool(config.eval_benchmarks) != bool(config.data_root):
        raise UserError("--eval_benchmarks and --data_root go together: which benchmarks, and where they lie.")
    benchmarks = None
    if config.data_root:
        folders = find_chosen_benchmarks(Path(config.data_root), config.eval_benchmarks)
        benchmarks = functools.partial(Benchmarks, folders)
    for sentence in build_training(config, functools.partial(plan_siamese, benchmarks=benchmarks)).run():
        print(sentence)


if __name__ == "__main__":
    run(main, Config)
