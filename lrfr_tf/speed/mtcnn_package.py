"""Serves the package mtcnn 1.0.0, called as its documentation says."""

import importlib.metadata
from pathlib import Path
from typing import Any

import numpy as np

from lrfr_tf.files import read_json
from lrfr_tf.speed.tensorflow_threads import set_threads
from lrfr_tf.speed.worker import Call, flattened_faces, read_lists, serve


def prepare(folder: Path, threads: int) -> tuple[dict[str, Call], dict[str, Any]]:
    """Single images are detected one by one, a batch as one."""
    set_threads(threads)
    from mtcnn import MTCNN

    settings = read_json(folder / "detect.json")
    detector = MTCNN(device="CPU:0")
    thresholds = dict(zip(("threshold_pnet", "threshold_rnet", "threshold_onet"), settings["thresholds"], strict=True))

    def boxes(faces: list[dict[str, Any]]) -> np.ndarray:
        return np.array([face["box"] for face in faces], float).reshape(-1, 4)

    def call(images: list[np.ndarray], together: bool) -> Call:
        def detect() -> dict[str, np.ndarray]:
            options = {"min_face_size": settings["min_face_size"], "box_format": "xyxy", **thresholds}
            with np.errstate(all="ignore"):
                if together:
                    found = detector.detect_faces(images, **options)
                else:
                    found = [detector.detect_faces(image, **options) for image in images]
            return flattened_faces([boxes(faces) for faces in found])

        return detect

    inputs = read_lists(folder / "detect.npz")
    calls = {case: call(images, case in settings["together"]) for case, images in inputs.items()}
    return calls, {"version": importlib.metadata.version("mtcnn")}


if __name__ == "__main__":
    serve(prepare)
