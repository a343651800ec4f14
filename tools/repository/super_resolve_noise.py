"""Measures and shows what super-resolution networks make of noise and of things that are no faces.

    python tools/repository/super_resolve_noise.py --flagfile=configs/super_resolve_noise.cfg

A network that has only seen faces may see one where there is none. Counted is in how many of the results MTCNN finds a
face, and how much contrast a network adds to what bicubic enlarges. All pictures are made by code.
"""

import dataclasses
from collections.abc import Callable

import lrfr_tf.quiet  # noqa: F401

import numpy as np

from lrfr_tf.config import option, required, versions
from lrfr_tf.faces.detect import FaceDetector
from lrfr_tf.files import check_result_file, write_json
from lrfr_tf.images.camera_numpy import photograph
from lrfr_tf.images.contact_sheet import contact_sheet
from lrfr_tf.images.decode import write_png
from lrfr_tf.main import run
from lrfr_tf.networks.named_models import BASELINE, describe_models, load_named_models, super_resolve_all

LOW, HIGH = 16, 64  # pixels


@dataclasses.dataclass(frozen=True)
class Config:
    models: tuple[str, ...] = required("networks to compare with bicubic, each as name=folder")
    output: str = required("the result to write (JSON)")
    picture: str | None = option(None, "a picture to write (PNG): LR | bicubic | networks, a few of each kind")
    count: int = option(100, "pictures of each kind", at_least=1)
    shown: int = option(4, "how many of each kind the picture shows", at_least=1)
    seed: int = option(0, "of the random numbers that the pictures are made of", at_least=0)


def gray_noise(random: np.random.Generator) -> np.ndarray:
    """Sensor noise in the dark: one brightness, normal noise of 4 to 32 grey levels."""
    return random.normal(random.uniform(20, 200), random.uniform(4, 32), (LOW, LOW, 3))


def color_noise(random: np.random.Generator) -> np.ndarray:
    """Every value anywhere between black and white."""
    return random.uniform(0, 255, (LOW, LOW, 3))


def compressed_noise(random: np.random.Generator) -> np.ndarray:
    """Noise as the camera model's worst level blurs and compresses it."""
    large = np.clip(random.normal(128, 40, (HIGH, HIGH, 3)), 0, 255).astype(np.uint8)
    return photograph(large, LOW, "harsh", int(random.integers(1 << 30)), misplaced=False)


def stripes(random: np.random.Generator) -> np.ndarray:
    """Waves of one direction, as of fences, blinds and cloth."""
    y, x = np.mgrid[:LOW, :LOW]
    angle, length = random.uniform(0, np.pi), random.uniform(2.5, 12)
    phase = 2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / length + random.uniform(0, 2 * np.pi)
    return 128 + random.uniform(20, 110) * np.sin(phase)[..., None] + random.uniform(-30, 30, 3)


def shapes(random: np.random.Generator) -> np.ndarray:
    """Rectangles and disks on a slope of brightness, as of walls, windows, wheels and signs."""
    y, x = np.mgrid[:LOW, :LOW]
    image = random.uniform(30, 220, 3) + (x * random.uniform(-4, 4) + y * random.uniform(-4, 4))[..., None]
    for _ in range(random.integers(1, 4)):
        center, size = random.uniform(0, LOW, 2), random.uniform(2, 8, 2)
        box = (abs(x - center[0]) < size[0]) & (abs(y - center[1]) < size[1])
        disk = (x - center[0]) ** 2 + (y - center[1]) ** 2 < size[0] ** 2
        image[disk if random.random() < 0.5 else box] = random.uniform(0, 255, 3)
    return image


KINDS: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
    "noise around one brightness": gray_noise,
    "noise of all colors": color_noise,
    "noise, harsh camera": compressed_noise,
    "stripes": stripes,
    "rectangles and disks": shapes,
}


def main(config: Config) -> None:
    check_result_file(config.output)
    random = np.random.default_rng(config.seed)
    resolvers = load_named_models(config.models, LOW, HIGH)
    detector = FaceDetector()
    found: dict[str, dict[str, dict[str, float]]] = {}
    columns: dict[str, list[np.ndarray]] = {}
    for kind, make in KINDS.items():
        drawn = np.stack([make(random) for _ in range(config.count)])
        low = np.clip(np.round(drawn), 0, 255).astype(np.uint8)
        methods = super_resolve_all(resolvers, low)
        contrast = methods[BASELINE].std(axis=(1, 2)).mean()
        found[kind] = {
            name: {
                "faces_found": sum(detection.found for detection in detector.detect(list(images))),
                "contrast": float(images.std(axis=(1, 2)).mean() / contrast),
            }
            for name, images in methods.items()
        }
        for heading, images in {"lr": low, **methods}.items():
            columns.setdefault(heading, []).append(images[: config.shown])
        for name, row in found[kind].items():
            print(f"{kind}: {name}: a face in {row['faces_found']} of {config.count}, contrast {row['contrast']:.2f}")
    if config.picture is not None:
        write_png(config.picture, contact_sheet({name: np.concatenate(parts) for name, parts in columns.items()}))
    result = {
        "schema": 1,
        "pictures_of_each_kind": config.count,
        "kinds": found,
        "models": describe_models(config.models, resolvers),
        "config": dataclasses.asdict(config),
        "versions": versions(),
    }
    write_json(config.output, result)
    print(f"result: {config.output}")


if __name__ == "__main__":
    run(main, Config)
