"""Serves the network that keras-facenet 0.3.2 builds, called in two ways: as that package does, and as deepface does.

keras-facenet hands a batch to `model.predict`. deepface calls such a network eagerly, one face at a time.
"""

import importlib.metadata
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from lrfr_tf.speed.tensorflow_threads import set_threads
from lrfr_tf.speed.whiten import whiten
from lrfr_tf.speed.worker import Call, read_lists, serve


def prepare(folder: Path, threads: int) -> tuple[dict[str, Call], dict[str, Any]]:
    """uint8 faces -> unit-length embeddings; each case once `<case>, predict` and once `<case>, eager`."""
    set_threads(threads)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from keras_facenet.inception_resnet_v1 import InceptionResNetV1

    with np.load(folder / "weights.npz", allow_pickle=False) as weights:
        network = InceptionResNetV1(classes=weights["Bottleneck/kernel"].shape[1])
        for layer in network.layers:
            if layer.weights:
                layer.set_weights([weights[f"{layer.name}/{weight.name}"] for weight in layer.weights])

    def predict(faces: np.ndarray) -> np.ndarray:
        return network.predict(whiten(faces), verbose=0)

    def eager(faces: np.ndarray) -> np.ndarray:
        return np.concatenate([network(whiten(face[None]), training=False).numpy() for face in faces])

    def call(way: Callable[[np.ndarray], np.ndarray], faces: np.ndarray) -> Call:
        return lambda: {"embedding": way(faces)}

    cases = read_lists(folder / "embed.npz")
    calls = {f"{case}, {way.__name__}": call(way, cases[case][0]) for case in cases for way in (predict, eager)}
    return calls, {"version": importlib.metadata.version("keras-facenet")}


if __name__ == "__main__":
    serve(prepare)
