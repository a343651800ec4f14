"""Measures face detection, the compiled cascade against the package mtcnn; prints one JSON object.

The images are made of the portrait that scikit-image ships: one face at 178 x 218, twelve faces on 640 x 480, and 64
framings at 64 x 64 in one batch. Calls alternate between the two; times are milliseconds a call, process (CPU) time
beside wall time, and the ratios are of process time: package / compiled.

    python tools/bench_detect.py --threads=1
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
from lrfr_tf.faces.detect import ENGINES, FaceDetector
from lrfr_tf.faces.frame import frame_face
from lrfr_tf.images.resize import resize
from lrfr_tf.main import run

PORTRAIT_FACE = (182, 64, 265, 171)
SUMMARIES: dict[str, Callable[[list[float]], float]] = {"min": min, "median": statistics.median}


@dataclasses.dataclass(frozen=True)
class Config:
    rounds: int = option(15, "timed calls of each", at_least=1)
    threads: int = option(0, "threads of TensorFlow's operations; 0: as many as there are processors", at_least=0)
    min_face_size: int = option(20, "the smallest face to search for, in pixels", at_least=5)


def main(config: Config) -> None:
    if importlib.util.find_spec("skimage") is None:
        raise UserError("The portrait comes with scikit-image, which is not installed (pip install scikit-image).")
    import tensorflow as tf  # here, after lrfr_tf has silenced it

    tf.config.threading.set_intra_op_parallelism_threads(config.threads)
    detectors = {engine: FaceDetector(min_face_size=config.min_face_size, engine=engine) for engine in ENGINES}
    cases = {name: measure(detectors, images, config.rounds) for name, images in scenes().items()}
    result = {"benchmark": "detect", **dataclasses.asdict(config), "cases": cases}
    print(json.dumps({**result, "cpus": os.cpu_count(), "versions": versions()}, indent=1))


def scenes() -> dict[str, list[np.ndarray]]:
    """Name -> images of one size, uint8."""
    from skimage.data import astronaut

    portrait = astronaut()
    generator = np.random.default_rng(0)
    framings = [
        frame_face(portrait, np.add(PORTRAIT_FACE, generator.integers(-12, 13, size=4)), generator.uniform(1.3, 2.2))
        for _ in range(64)
    ]
    tiles = [resize(portrait[:300, 90:390], 160, 160)[:, :: 1 - 2 * (i % 2)] for i in range(12)]
    scene = np.concatenate([np.concatenate(tiles[row : row + 4], axis=1) for row in (0, 4, 8)])
    one_face = resize(portrait[:330, 80:350], 218, 178)
    return {"178x218": [one_face], "640x480": [scene], "64x64, batch of 64": framings}


def measure(detectors: dict[str, FaceDetector], images: list[np.ndarray], rounds: int) -> dict[str, object]:
    """Faces found and times of each detector, in alternating calls."""
    faces = {}
    for engine, detector in detectors.items():
        for _ in range(3):
            faces[engine] = sum(len(detection.boxes) for detection in detector.detect(images))
    cpu: dict[str, list[float]] = {engine: [] for engine in detectors}
    wall: dict[str, list[float]] = {engine: [] for engine in detectors}
    for _ in range(rounds):
        for engine, detector in detectors.items():
            started, cpu_started = time.perf_counter(), time.process_time()
            detector.detect(images)
            cpu[engine].append(1000 * (time.process_time() - cpu_started))
            wall[engine].append(1000 * (time.perf_counter() - started))
    result: dict[str, object] = {
        engine: {"faces": faces[engine], "cpu_ms": summary(cpu[engine]), "wall_ms": summary(wall[engine])}
        for engine in detectors
    }
    return {
        **result,
        "cpu_ratio": {key: round(f(cpu["package"]) / f(cpu["compiled"]), 2) for key, f in SUMMARIES.items()},
    }


def summary(milliseconds: list[float]) -> dict[str, float]:
    return {key: round(function(milliseconds), 2) for key, function in SUMMARIES.items()}


if __name__ == "__main__":
    run(main, Config)
