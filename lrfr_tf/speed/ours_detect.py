"""Serves this project's compiled face detector."""

from pathlib import Path
from typing import Any

import numpy as np

from lrfr_tf.faces.detect import FaceDetector
from lrfr_tf.files import read_json
from lrfr_tf.speed.tensorflow_threads import set_threads
from lrfr_tf.speed.worker import Call, flattened_faces, read_lists, serve


def prepare(folder: Path, threads: int) -> tuple[dict[str, Call], dict[str, Any]]:
    """Single images are detected one by one, a batch as one."""
    set_threads(threads)
    settings = read_json(folder / "detect.json")
    detector = FaceDetector(tuple(settings["thresholds"]), settings["min_face_size"])

    def call(images: list[np.ndarray], together: bool) -> Call:
        groups = [images] if together else [[image] for image in images]
        return lambda: flattened_faces([face.boxes for group in groups for face in detector.detect(group)])

    inputs = read_lists(folder / "detect.npz")
    return {case: call(images, case in settings["together"]) for case, images in inputs.items()}, {}


if __name__ == "__main__":
    serve(prepare)
