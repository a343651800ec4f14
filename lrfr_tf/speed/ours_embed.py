"""Serves this project's FaceNet, out of its exports: one computes in float32, one in bfloat16."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from lrfr_tf.speed.matrix_product import matrix_product
from lrfr_tf.speed.peers import BFLOAT16, MATRIX_PRODUCT
from lrfr_tf.speed.tensorflow_threads import set_threads
from lrfr_tf.speed.worker import Call, read_lists, serve

# What is added to the name of a case -> the folder of the export.
EXPORTS = {"": "embedder", BFLOAT16: "embedder_bfloat16"}


def prepare(folder: Path, threads: int) -> tuple[dict[str, Call], dict[str, Any]]:
    """uint8 faces -> unit-length embeddings, each case as `<case>` and as `<case>, bfloat16`; and a matrix product."""
    set_threads(threads)
    exported = {suffix: tf.saved_model.load(str(folder / name)) for suffix, name in EXPORTS.items()}

    def call(faces: np.ndarray, suffix: str) -> Call:
        embed_faces = exported[suffix].signatures["embed"]

        def embed() -> dict[str, np.ndarray]:
            return {"embedding": embed_faces(faces=tf.constant(faces))["embedding"].numpy()}

        return embed

    cases = read_lists(folder / "embed.npz")
    calls: dict[str, Call] = {
        case + suffix: call(faces, suffix) for case, (faces,) in cases.items() for suffix in EXPORTS
    }
    multiply = matrix_product()
    return {**calls, MATRIX_PRODUCT: lambda: {"product": multiply()}}, {}


if __name__ == "__main__":
    serve(prepare)
