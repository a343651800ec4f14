"""From a prepared tree and trained networks to the table: the commands that follow training, in order.

    python -m lrfr_tf.cli.run_experiment --data=datasets/celeba_face --srcnn=runs/srcnn/model \\
        --srgan=runs/srgan/model --held_out_divisor=5 --output=runs/celeba_face --camera=clean,moderate,harsh

For each camera level but the clean one (docs/camera.md) LR is made of HR by that camera, and everything is done anew in
<output>/<level>; the report sets the levels beside each other.
"""

import dataclasses
import functools
from pathlib import Path

from lrfr_tf.config import option, required
from lrfr_tf.images.camera import CLEAN_LEVEL, LEVELS
from lrfr_tf.main import start
from lrfr_tf.study.experiment import (
    Experiment,
    check_levels,
    count_recognition_steps,
    find_siamese,
    path_in_checkout,
    recognition_steps,
)


@dataclasses.dataclass(frozen=True)
class Config:
    data: str = required("a prepared tree")
    srcnn: str = required("SRCNN: model folder of a run (runs/srcnn/model), or an export (saved_models/srcnn)")
    srgan: str = required("SRGAN, likewise")
    output: str = required("run folder; what is finished in it is not done again")
    srresnet: str | None = option(None, "SRGAN's generator trained on pixels alone, likewise; without it, left out")
    siamese: str | None = option(
        None, "exported Siamese network; default: saved_models/siamese of the checkout; empty, or not there: left out"
    )
    held_out_divisor: int = option(
        0, "identities divisible by this were held out of every network's training", at_least=0
    )
    camera: tuple[str, ...] = option((CLEAN_LEVEL,), "how LR is made of HR, see docs/camera.md", tuple(LEVELS))
    title: str = option("Low-resolution face recognition", "title of the report")


def main(config: Config) -> None:
    levels = check_levels(config.camera)
    siamese = find_siamese(config.siamese, Path(path_in_checkout("saved_models/siamese")))
    show = functools.partial(print, flush=True)
    experiment = Experiment(Path(config.output) / "steps.json", count_recognition_steps(siamese, levels), show)
    models = {"srcnn": config.srcnn, "srresnet": config.srresnet, "srgan": config.srgan}
    given = {name: folder for name, folder in models.items() if folder is not None}
    recognition_steps(
        experiment,
        config.data,
        config.output,
        given,
        siamese=siamese,
        held_out_divisor=config.held_out_divisor,
        title=config.title,
        levels=levels,
    )


if __name__ == "__main__":
    start("lrfr_tf.cli.run_experiment")
