"""A small classifier as a SavedModel with its record: it names a face by its strongest color."""

from pathlib import Path

import tensorflow as tf

from lrfr_tf.export.check import describe_signature
from lrfr_tf.files import write_json
from lrfr_tf.networks.saved_model import SCHEMA, content_checksum, file_checksums

NAMES = ("Ms Red", "Mr Grün", "Dr Blue")


class SmallClassifier(tf.Module):
    """uint8 [N, H, W, 3] -> identity, string [N, 3], and score, float32 [N, 3]: the share of each color."""

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.uint8, name="faces")])
    def identify(self, faces: tf.Tensor) -> dict[str, tf.Tensor]:
        colors = tf.reduce_mean(tf.cast(faces, tf.float32), axis=[1, 2])
        shares = colors / tf.reduce_sum(colors, axis=1, keepdims=True)
        scores, places = tf.math.top_k(shares, 3)
        return {"identity": tf.gather(tf.constant(NAMES), places), "score": scores}


def write_small_classifier(
    folder: Path,
    head: str = "logistic",
    super_resolver: str | None = None,
    closed_set: bool = False,
    classes: int = 3,
    **facts: object,
) -> Path:
    """Writes `folder` as an export: a SavedModel with `model.json`, which has `facts`, too."""
    module = SmallClassifier()
    function = module.identify.get_concrete_function()
    tf.saved_model.save(module, str(folder), signatures={"identify": function})
    files = file_checksums(folder)
    parts = {"embedder": "facenet-128-abc", "super_resolver": super_resolver, "head": head, "classes": classes}
    record = {
        "schema": SCHEMA,
        "kind": "classifier",
        "name": "colors",
        "version": 1,
        "signatures": {"identify": describe_signature(function)},
        "parts": parts,
        "cut": "box" if super_resolver is None else "square",
        "closed_set": closed_set,
        "sha256": content_checksum(files),
        "files": files,
        **facts,
    }
    write_json(folder / "model.json", record)
    return folder
