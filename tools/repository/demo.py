"""The whole first system, and the Siamese network beside it, on 118 sample photos: from photos to table and report.

    python tools/repository/demo.py

At the end faces of the photos stand side by side at the camera levels of docs/camera.md, with their names: levels.png.
"""

import dataclasses
import functools
import time
from pathlib import Path

import lrfr_tf.quiet  # noqa: F401

from lrfr_tf.config import option
from lrfr_tf.errors import UserError
from lrfr_tf.images.camera import LEVELS
from lrfr_tf.main import run
from lrfr_tf.networks.saved_model import find_version
from lrfr_tf.study.experiment import (
    Experiment,
    count_recognition_steps,
    find_siamese,
    path_in_checkout,
    recognition_steps,
)
from lrfr_tf.weights.sample_package import fetch_samples

NOTE = (
    "A demonstration, not a measurement: 25 test photos of 5 persons. One photo is 4 percentage points. The "
    "networks are those in saved_models/, trained on faces of CelebA."
)


@dataclasses.dataclass(frozen=True)
class Config:
    output: str = option("runs/demo", "run folder; what is finished in it is not done again")
    networks: tuple[str, ...] = option(("srcnn", "srresnet", "srgan"), "exported networks, in the order of the table")
    level_network: str = option("srgan_camera", "the exported network that enlarges the faces of the camera levels")
    saved_models: str | None = option(None, "folder with their exports; default: saved_models/ of the checkout")
    siamese: str | None = option(
        None, "exported Siamese network; default: siamese in --saved_models; empty, or not there: left out"
    )


def main(config: Config) -> None:
    started = time.monotonic()
    saved_models = Path(config.saved_models or path_in_checkout("saved_models"))
    models = find_models(saved_models, config.networks)
    siamese = find_siamese(config.siamese, saved_models / "siamese")
    output = Path(config.output)
    data = output / "faces"
    _, photos = fetch_samples()
    # Without the Siamese network nobody would name the small faces.
    count = 1 + count_recognition_steps(siamese) + (siamese is not None)
    experiment = Experiment(output / "steps.json", count, functools.partial(print, flush=True))
    experiment.run(
        "find and frame the faces",
        "tools/prepare_folder.py",
        f"--images={photos / 'train'}",
        f"--test_images={photos / 'val'}",
        f"--output={data}",
    )
    levels = tuple(LEVELS)
    recognition_steps(
        experiment,
        str(data),
        str(output),
        models,
        siamese=siamese,
        held_out_divisor=0,
        title="Demo: 118 photos",
        note=NOTE,
        curve_levels=levels,
    )
    if siamese is not None:
        experiment.run(
            "name faces at each camera level",
            "tools/show_levels.py",
            f"--photos={photos / 'val'}",
            f"--gallery={photos / 'train'}",
            f"--embedder={siamese}",
            f"--super_resolver={find_models(saved_models, (config.level_network,))[config.level_network]}",
            f"--output={output / 'levels.png'}",
        )
    print(f"\nThe demo took {(time.monotonic() - started) / 60:.1f} minutes.")


def find_models(saved_models: Path, networks: tuple[str, ...]) -> dict[str, str]:
    """name -> the newest version of its export.

    Raises:
        UserError: one is not there.
    """
    models = {}
    for name in networks:
        version = find_version(saved_models / name)
        if version is None:
            raise UserError(f"{saved_models / name} holds no export; leave {name} out of --networks, or export it.")
        models[name] = str(version)
    return models


if __name__ == "__main__":
    run(main, Config)
