"""A small embedder as a SavedModel with its record, and the same in NumPy and Pillow."""

from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

from lrfr_tf.export.check import describe_signature
from lrfr_tf.files import write_json
from lrfr_tf.images.resize import resize_in_graph
from lrfr_tf.networks.saved_model import SCHEMA, content_checksum, file_checksums

GRID = 8  # the embedding is the picture at 8 x 8, less its mean, made unit length


class SmallEmbedder(tf.Module):
    """uint8 [N, H, W, 3] -> float32 [N, 192], with the signature `embed` of the shipped embedder."""

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.uint8, name="faces")])
    def embed(self, faces: tf.Tensor) -> dict[str, tf.Tensor]:
        small = tf.cast(resize_in_graph(faces, GRID, GRID), tf.float32)
        flat = tf.reshape(small, [-1, GRID * GRID * 3])
        flat -= tf.reduce_mean(flat, axis=1, keepdims=True)
        return {"embedding": flat / (tf.norm(flat, axis=1, keepdims=True) + 1e-6)}


def write_small_embedder(folder: Path, signature: str = "embed", **facts: object) -> Path:
    """Writes `folder` as an export: a SavedModel with `model.json`, which has `facts`, too."""
    module = SmallEmbedder()
    function = module.embed.get_concrete_function()
    tf.saved_model.save(module, str(folder), signatures={signature: function})
    files = file_checksums(folder)
    record = {
        "schema": SCHEMA,
        "kind": "embedder",
        "name": "small",
        "version": 1,
        "signatures": {signature: describe_signature(function)},
        "sha256": content_checksum(files),
        "files": files,
        **facts,
    }
    write_json(folder / "model.json", record)
    return folder


def pillow(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Pillow's bicubic, width first."""
    wide = Image.fromarray(image).resize((width, image.shape[0]), Image.Resampling.BICUBIC)
    return np.asarray(wide.resize((width, height), Image.Resampling.BICUBIC))


def embed_by_hand(face: np.ndarray, flip: bool = False) -> np.ndarray:
    """What the small embedder should answer for one face, float64 [192]."""
    flat = pillow(face, GRID, GRID).astype(np.float64).ravel()
    flat -= flat.mean()
    flat /= np.linalg.norm(flat) + 1e-6
    if flip:
        flat = flat + embed_by_hand(face[:, ::-1])
        flat /= np.linalg.norm(flat)
    return flat
