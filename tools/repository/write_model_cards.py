"""Writes saved_models/<name>/MODEL_CARD.md and the curve of its training out of measured results; no figure is typed.

    python tools/repository/write_model_cards.py \\
        --trainings=srcnn=runs/srcnn,srresnet=runs/ship_srresnet,srgan=runs/ship_srgan \\
        --restoration=runs/evaluation/super_resolution.json --noise=runs/evaluation/noise.json \\
        --verification=runs/evaluation/verification-clean.json,runs/evaluation/verification-moderate.json
"""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lrfr_tf.config import option, required
from lrfr_tf.errors import UserError
from lrfr_tf.export.model_card import draw_training, joined_history, wrap_paragraphs
from lrfr_tf.export.super_resolution_tables import noise_section, overview, restoration_table, verification_tables
from lrfr_tf.files import atomic_file, read_json, replace_between_markers
from lrfr_tf.main import run
from lrfr_tf.networks.saved_model import find_version, read_record

WHAT = {
    "srcnn": "SRCNN (Dong et al., TPAMI 2016), kernels 9-1-5, on the bicubic enlargement; it starts as the identity.",
    "srresnet": "The generator of SRGAN (Ledig et al., CVPR 2017) without batch norm, 8 blocks of 96 channels, 32 "
    "after the pixel shuffles, 3 x 3 kernels at both ends; trained on the absolute error alone.",
    "srgan": "The same generator as `srresnet`, trained on from its weights with a mixture of absolute error, VGG19 "
    "features, a relativistic discriminator and, in the lead, the identity loss (cosine of `siamese`'s embeddings).",
}
SEEN = {
    "srcnn": "One degradation: antialiased bicubic from 64 to 16 pixels. Blur, noise and compression of real cameras "
    "were not in training.",
}
SEEN_BY_CAMERA = (
    "The cameras of its training are made up (docs/camera.md): a quarter of what it saw was shrunk cleanly, half of it "
    "taken by a moderate camera, a quarter by a harsh one. What no such camera does, it has not seen."
)
COMMANDS = {
    "srcnn": "python -m lrfr_tf.train_srcnn --flagfile=configs/celeba_srcnn.cfg",
    "srresnet": "python -m lrfr_tf.train_srgan --flagfile=configs/ship_srresnet.cfg",
    "srgan": "python -m lrfr_tf.train_srgan --flagfile=configs/ship_srgan.cfg --vgg_weights=FILE",
}
PORTRAITS = "portraits, framed anew at every step anywhere between `squash` and `face`, and mirrored"
LEARNED_FROM = {
    "srcnn": "of these, the framings `face` and `squash`, and 64 x 64 faces that MTCNN cut out of the unaligned ones",
    "srresnet": f"beside them 3,118 faces of CelebA-HQ, whose persons nobody knows; of all these, {PORTRAITS}",
    "srgan": f"of these, {PORTRAITS}",
}
FURTHER_WEIGHTS = {
    "srgan": "\nIts losses looked through VGG19 (ImageNet; weights CC BY 4.0) and through `siamese`, version 2 (its "
    "card says what that was made of); neither is in this model. The identities that may also be in LFW were left out. "
    "FaceNet 128-D, the judge below, did not help to train it. The adversarial weight is so small that it looks like "
    "`srresnet`, slightly crisper: larger ones cost verification.\n",
}
LIMITS = """## Limits

- {seen}
- One framing family: the whole aligned CelebA picture squeezed to a square (`squash`) to a tight square around the face
  (`face`), upright faces. Other sizes than 16 x 16 are refused.
- It invents detail. A sharp picture is not evidence, and must not be used to identify anybody by eye.
- CelebA shows celebrities, mostly young and light-skinned; expect worse results for everybody else. No figure here is
  broken down by group.
- Do not use it for covert surveillance, nor to identify people without a legal basis."""
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
        if name not in WHAT or not folders:
            raise UserError(f"--trainings={item} is not name=folder with a name of {', '.join(WHAT)}.")
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
        names = [item.partition("=")[0] for item in config.trainings]
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
    text = f"""# {name}: 16 x 16 faces to 64 x 64

{WHAT[name]} {record["parameters"]:,} parameters, {record["bytes"] / 1e6:.1f} MB.

Made by `tools/repository/write_model_cards.py`. Version {record["version"]}, sha256 of the content
`{record["sha256"][:16]}`.

## Use

SavedModel signatures `super_resolve` (`images`: uint8 RGB [N, 16, 16, 3] -> `images`: uint8 [N, 64, 64, 3]; also
`serving_default`) and `super_resolve_bytes` (`image_bytes`: JPEG, PNG or BMP files, resized to 16 x 16 first).

```sh
python tools/super_resolve.py --model=saved_models/{name}/{record["version"]} --help
```

## Training

Data: the first 8,000 aligned images of CelebA at half size, and 7,030 unaligned head crops of 581 persons of its test
split (short side at most 160 pixels); {LEARNED_FROM[name]}. Identities whose number is divisible by 5, and
each identity's validation and test image, were never learned from: {trained["training_faces"]:,} training images were
left. CelebA is for non-commercial research; its images are not in this repository, and whoever uses this model should
heed these terms.
{FURTHER_WEIGHTS.get(name, "")}
```sh
{COMMANDS[name]}
```

After {last["step"]:,} steps of {trained["config"]["batch_size"]} faces on two CPU cores, over bicubic: {gains}; SSIM at
clean {last["ssim"]:.3f}, on {trained["validation_faces"]} validation faces.

![PSNR gain on the validation faces during training]({Path(os.path.relpath(curve, target)).as_posix()})

## Figures

Held-out persons only. PSNR and SSIM on RGB after rounding; gains over Pillow's bicubic on the same images, with 95 %
bootstrap intervals over images. Color shift: largest mean shift of a channel in grey levels. Grid: peak at a quarter
cycle per pixel, dB above HR's and above its surroundings (0 where it is weaker than a quarter of a grey level).

{restoration_table(name, restoration)}

{verification_tables(name, verifications)}

{noise_section(name, noise)}```sh
python tools/evaluate_super_resolution.py --flagfile=configs/evaluate_super_resolution.cfg
python tools/make_pairs.py --data=datasets/celeba_people --output=datasets/celeba_people/pairs.txt
python tools/evaluate_verification.py --flagfile=configs/evaluate_verification.cfg --camera=moderate
python tools/repository/super_resolve_noise.py --flagfile=configs/super_resolve_noise.cfg
```

{LIMITS.format(seen=SEEN.get(name, SEEN_BY_CAMERA))}
"""
    return wrap_paragraphs(text)


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
