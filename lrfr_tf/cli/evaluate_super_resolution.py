"""Scores super-resolution networks against bicubic on the held-out persons of prepared trees.

    lrfr evaluate super_resolution --data=datasets/celeba_face,datasets/celeba_squash \\
        --models=srcnn=runs/srcnn/model,srgan=runs/srgan/model --output=runs/super_resolution/result.json \\
        --contact_sheet=runs/super_resolution/faces.png

With --camera, LR is what the camera model of docs/camera.md makes of HR, and the target is HR in the same colors.
PSNR and SSIM on RGB, mean color shift, power at the frequencies where a grid would show, and specks of color.
"""

import dataclasses
import time
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from lrfr_tf.config import option, required, versions
from lrfr_tf.data.face_cache import load_faces, read_tree_manifest
from lrfr_tf.data.held_out import EVERY_SPLIT, list_held_out
from lrfr_tf.errors import UserError
from lrfr_tf.evaluation.restoration import LEGEND, restoration_rows, table_lines
from lrfr_tf.files import check_result_file, sha256, write_json
from lrfr_tf.images.camera import CLEAN_LEVEL, LEVELS
from lrfr_tf.images.camera_numpy import photograph_all_with_targets
from lrfr_tf.images.contact_sheet import contact_sheet
from lrfr_tf.images.decode import write_png
from lrfr_tf.networks.named_models import BASELINE, describe_models, load_named_models, super_resolve_all
from lrfr_tf.networks.super_resolution import SuperResolutionNetwork
from lrfr_tf.plural import counted

PROTOCOL = (
    "Every face of the held-out persons: LR of the tree, super-resolved and rounded to uint8, against HR. By a "
    "camera: LR is the camera model's photo of HR (docs/camera.md; not misplaced; the seed is the face's place), and "
    "the target is HR in the same colors, without blur, noise and JPEG. PSNR and SSIM on RGB, gains over bicubic on "
    "the same images, 95 % bootstrap intervals over images. Color shift: mean of image - HR, grey levels. Grid: mean "
    "power of the luma at the frequencies of a grid of 4 and of 2 pixels (multiples of 1/4 and 1/2 cycles per pixel "
    "along x and y), dB above HR's and above the frequencies around. Fixed pattern: root mean square of the mean "
    "error in a tile of 4 x 4 pixels, grey levels. Specks: 99.9th percentile of the chroma's deviation from its 5 x 5 "
    "surroundings."
)


@dataclasses.dataclass(frozen=True)
class Config:
    data: tuple[str, ...] = required("prepared trees")
    output: str = required("the result to write (JSON)")
    models: tuple[str, ...] = option((), "networks to compare with bicubic, each as name=folder")
    held_out_divisor: int = option(5, "score persons whose number is divisible by this; 0: everybody", at_least=0)
    camera: tuple[str, ...] = option((CLEAN_LEVEL,), "how LR is made of HR, see docs/camera.md", tuple(LEVELS))
    splits: tuple[str, ...] = option(EVERY_SPLIT, "splits to take the faces from, those that exist")
    contact_sheet: str | None = option(None, "a picture to write (PNG): LR | bicubic | networks | HR")
    contact_faces: int = option(100, "number of faces on it, evenly spread over all faces scored", at_least=1)


def check_flags(config: Config) -> None:
    """Refuses a result that cannot be written, before anything is loaded."""
    check_result_file(config.output)


def main(config: Config) -> None:
    started = time.monotonic()
    check_flags(config)
    trees: dict[str, Any] = {}
    shown: dict[str, list[np.ndarray]] = {}
    resolvers: dict[str, SuperResolutionNetwork] = {}
    places_scored = [(data, camera) for data in config.data for camera in dict.fromkeys(config.camera)]
    for number, (data, camera) in enumerate(places_scored):
        root = Path(data)
        scored = data if camera == CLEAN_LEVEL else f"{data}, {camera}"
        faces = list_held_out(root, config.splits, config.held_out_divisor)
        high = load_faces(root / "hr", faces, f"read {root / 'hr'}")
        low = load_faces(root / "lr", faces, f"read {root / 'lr'}")
        if camera != CLEAN_LEVEL:
            watched = tqdm(high, desc=f"photograph, {camera}", unit="face")
            seeds = range(len(faces))
            low, high = photograph_all_with_targets(watched, low.shape[1], camera, seeds, misplaced=False)
        if not resolvers:
            resolvers = load_named_models(config.models, low.shape[1], high.shape[1])
        if (low.shape[1], high.shape[1]) != (resolvers[BASELINE].low_size, resolvers[BASELINE].high_size):
            raise UserError(f"The faces of {', '.join(config.data)} differ in size; score them in several runs.")
        methods = super_resolve_all(resolvers, low)
        rows = restoration_rows(methods, high, BASELINE)
        trees[scored] = {
            "camera": camera,
            "framing": read_tree_manifest(root)["framing"],
            "manifest_sha256": sha256(root / "manifest.json"),
            "counts": {"images": len(faces), "identities": len({face.identity for face in faces})},
            "sizes": {"low": low.shape[1], "high": high.shape[1]},
            "methods": rows,
        }
        print("\n".join([f"{scored}: {counted(len(faces), 'face')}", *table_lines(rows)]))
        # Evenly spread, so that nobody picks the pretty ones.
        count = len(places_scored)
        wanted = config.contact_faces // count + (number < config.contact_faces % count)
        places = np.unique(np.linspace(0, len(faces) - 1, wanted).astype(int))
        for heading, images in {"lr": low, **methods, "hr": high}.items():
            shown.setdefault(heading, []).append(images[places])
    if config.contact_sheet is not None:
        columns = {heading: np.concatenate(parts) for heading, parts in shown.items()}
        write_png(config.contact_sheet, contact_sheet(columns))
        print(f"contact sheet: {config.contact_sheet}")
    result = {
        "schema": 1,
        "protocol": PROTOCOL,
        "models": describe_models(config.models, resolvers),
        "trees": trees,
        "config": dataclasses.asdict(config),
        "versions": versions(),
        "seconds": round(time.monotonic() - started, 1),
    }
    write_json(config.output, result)
    print(f"{LEGEND}\nresult: {config.output}")
