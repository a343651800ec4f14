"""Measures face detection on 64 x 64 faces: prints one JSON object with milliseconds.

The faces are crops of the portrait that scikit-image ships, each cut differently, so that all three nets have work.

python tools/bench_detect.py
"""

import dataclasses
import importlib.util
import json
import os
import statistics
import time
from collections.abc import Callable

import numpy as np

from lrfr_tf.config import option, versions
from lrfr_tf.errors import UserError
from lrfr_tf.faces.detect import FaceDetector
from lrfr_tf.faces.frame import frame_face
from lrfr_tf.main import run

PORTRAIT_FACE = (182, 64, 265, 171)


@dataclasses.dataclass(frozen=True)
class Config:
    batch: int = option(64, "images in one call")
    rounds: int = option(15, "timed calls; the median is reported")


def main(config: Config) -> None:
    if importlib.util.find_spec("skimage") is None:
        raise UserError("The portrait comes with scikit-image, which is not installed (pip install scikit-image).")
    if config.batch < 1 or config.rounds < 1:
        raise UserError("--batch and --rounds must be at least 1.")
    faces = portrait_faces(config.batch)
    detector = FaceDetector(batch_size=config.batch)
    found = sum(detection.found for detection in detector.detect(faces))
    result = {
        "benchmark": "detect",
        "image_size": 64,
        "batch": config.batch,
        "rounds": config.rounds,
        "ms_per_image": round(median_ms(lambda: detector.detect(faces), config.rounds) / config.batch, 3),
        "ms_single_call": round(median_ms(lambda: detector.detect(faces[:1]), config.rounds), 3),
        "found": found,
        "cpus": os.cpu_count(),
        "versions": versions(),
    }
    print(json.dumps(result))


def portrait_faces(count: int) -> list[np.ndarray]:
    """`count` different framings of one face, uint8 [64, 64, 3]."""
    from skimage.data import astronaut

    portrait = astronaut()
    generator = np.random.default_rng(0)
    return [
        frame_face(portrait, np.add(PORTRAIT_FACE, generator.integers(-12, 13, size=4)), generator.uniform(1.3, 2.2))
        for _ in range(count)
    ]


def median_ms(call: Callable[[], object], rounds: int) -> float:
    for _ in range(3):
        call()
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return 1000 * statistics.median(seconds)


if __name__ == "__main__":
    run(main, Config)
