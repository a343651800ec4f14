"""Writes saved_models/<name>/MODEL_CARD.md and the curve of its training out of measured results; no figure is typed.

    python tools/repository/write_model_cards.py \\
        --trainings=srresnet_camera=runs/ship_srresnet,srgan_camera=runs/ship_srgan \\
        --restoration=runs/evaluation/super_resolution.json --noise=runs/evaluation/noise.json \\
        --verification=runs/evaluation/verification-clean.json,runs/evaluation/verification-moderate.json
"""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import lrfr_tf.quiet  # noqa: F401

from lrfr_tf.config import option, required
from lrfr_tf.errors import UserError
from lrfr_tf.export.model_card import draw_training, fill_template, joined_history, wrap_paragraphs
from lrfr_tf.export.super_resolution_tables import compared, named_trees, overview
from lrfr_tf.files import atomic_file, read_json, replace_between_markers
from lrfr_tf.main import run
from lrfr_tf.networks.saved_model import find_version, read_record

TEMPLATE = Path(__file__).parent / "templates" / "super_resolution_card.md.jinja"
NETWORKS = ("srcnn", "srresnet", "srgan", "srresnet_camera", "srgan_camera")
GAINS = {"psnr_gain": "clean", "psnr_gain_moderate": "moderate", "psnr_gain_harsh": "harsh"}


@dataclasses.dataclass(frozen=True)
class Config:
    trainings: tuple[str, ...] = required(
        "run folders of the train scripts, each as name=folder, or name=folder:folder where one went on from another"
    )
    restoration: str = required("the result of tools/evaluate_super_resolution.py")
    verification: tuple[str, ...] = required("results of tools/evaluate_verification.py, one a camera level")
    noise: str | None = option(None, "the result of tools/repository/super_resolve_noise.py")
    saved_models: str = option("saved_models", "where the exports lie")
    curves: str = option("docs/curves", "the folder for the pictures of the trainings")
    readme: str | None = option(None, "a file whose part between two marks gets the table of all models")


def main(config: Config) -> None:
    restoration = read_json(Path(config.restoration))
    verifications = [read_json(Path(result)) for result in config.verification]
    noise = read_json(Path(config.noise)) if config.noise is not None else None
    for item in config.trainings:
        name, _, folders = item.partition("=")
        if name not in NETWORKS or not folders:
            raise UserError(f"--trainings={item} is not name=folder with a name of {', '.join(NETWORKS)}.")
        target = Path(config.saved_models) / name
        runs = [Path(folder) for folder in folders.split(":")]
        history = joined_history(runs)
        curve = Path(config.curves) / f"{name}.png"
        text = card(name, read_json(runs[-1] / "run.json"), target, curve, history, restoration, verifications, noise)
        draw_training(curve, history, panels(history))
        with atomic_file(target / "MODEL_CARD.md") as temporary:
            temporary.write_text(text, encoding="utf-8")
        print(target / "MODEL_CARD.md")
    if config.readme is not None:
        names = list(restoration["models"])
        cards = Path(os.path.relpath(config.saved_models, Path(config.readme).parent)).as_posix()
        replace_between_markers(config.readme, overview(names, restoration, verifications, cards), "models")


def card(
    name: str,
    trained: dict[str, Any],
    target: Path,
    curve: Path,
    history: list[dict[str, Any]],
    restoration: dict[str, Any],
    verifications: Sequence[dict[str, Any]],
    noise: dict[str, Any] | None,
) -> str:
    """The text of one card."""
    record = newest_record(target)
    if restoration["models"].get(name, {}).get("sha256") != record["sha256"]:
        raise UserError(f"The results are not those of {target}: evaluate that export first (its sha256 differs).")
    last = history[-1]
    gains = ", ".join(f"{last[key]:+.2f} dB at {level}" for key, level in GAINS.items() if key in last)
    return wrap_paragraphs(
        fill_template(
            TEMPLATE, name=name, record=record, trained=trained, last=last, gains=gains,
            curve=Path(os.path.relpath(curve, target)).as_posix(),
            trees=named_trees(restoration), verifications=verifications, compared=compared,
            noise=noise if noise is not None and any(name in kind for kind in noise["kinds"].values()) else None,
        )
    )  # fmt: skip


def newest_record(target: Path) -> dict[str, Any]:
    """The record of the newest export in `saved_models/<name>`, whose files are those that it describes."""
    version = find_version(target)
    if version is None:
        raise UserError(f"{target} holds no export; make it with tools/export_saved_model.py.")
    return read_record(version)


def panels(history: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """What to draw of a training: the gains at the levels that it was validated at, and SSIM."""
    gains = {key: level for key, level in GAINS.items() if key in history[-1]}
    return {"PSNR gain, dB": gains, "SSIM": {"ssim": "clean"}}


if __name__ == "__main__":
    run(main, Config)
