"""Face crops -> unit-length FaceNet embeddings."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from lrfr_tf.errors import UserError
from lrfr_tf.images.resize import resize
from lrfr_tf.weights.facenet import (
    FACENET_128_SHA256,
    FACENET_512_KEYS,
    facenet_512_sha256,
    fetch_facenet_512,
    load_facenet_128,
    load_facenet_512,
)
from lrfr_tf.weights.sample_package import fetch_facenet_weights

EMBEDDERS = ("facenet-128", *FACENET_512_KEYS)


class Embedder:
    """A network in one compiled call: face crops in, unit-length embeddings out.

    `network` takes float RGB images [N, S, S, 3] in 0..255 and returns unit-length float32 [N, D]. `name` says which
    weights these are; stored embeddings carry it, since embeddings of two networks cannot be compared.
    """

    def __init__(self, network: keras.Model, name: str, batch_size: int = 32) -> None:
        self.network = network
        self.name = name
        self.dimensions = int(network.output_shape[-1])
        self.batch_size = batch_size
        self._size = int(network.input_shape[1])
        signature = [tf.TensorSpec([None, self._size, self._size, 3], tf.uint8)]

        # The free batch dimension is traced once and serves every batch size, so short batches are not padded and a
        # single face costs a single face. XLA (jit_compile) was no faster (801 against 749 ms of CPU time for 32 faces)
        # and compiles for seconds at every new batch size.
        @tf.function(input_signature=signature)
        def embed_batch(faces: tf.Tensor) -> tf.Tensor:
            return network(tf.cast(faces, tf.float32), training=False)

        self._embed_batch = embed_batch

    def embed(self, faces: np.ndarray | Sequence[np.ndarray]) -> np.ndarray:
        """Embeds face crops, uint8 RGB [N, H, W, 3] or a list of [H, W, 3] of any sizes, as float32 [N, D].

        Crops of another size than the network's are resized (bicubic, as everywhere). Rows have unit length.

        Raises:
            ValueError: a crop is not uint8 [H, W, 3].
        """
        batches = [faces[start : start + self.batch_size] for start in range(0, len(faces), self.batch_size)]
        embeddings = [self._embed_batch(self._resized(batch)).numpy() for batch in batches]
        return np.concatenate([np.zeros((0, self.dimensions), np.float32), *embeddings])

    def _resized(self, faces: np.ndarray | Sequence[np.ndarray]) -> np.ndarray:
        for face in faces:
            if face.dtype != np.uint8 or face.ndim != 3 or face.shape[2] != 3:
                raise ValueError(f"A face crop must be uint8 [H, W, 3], not {face.dtype} {list(face.shape)}.")
        own_size = (self._size, self._size, 3)
        return np.stack([face if face.shape == own_size else resize(face, *own_size[:2]) for face in faces])


def load_embedder(model: str, weights: Path | None = None) -> Embedder:
    """Loads FaceNet: "facenet-128", or a 512-D model, "20180402-114759" or "20180408-102900".

    `weights` is the model's published file; without it the file comes from the cache or is fetched into it. The name of
    the embedder is the model's and the first 12 digits of that file's SHA-256.

    Raises:
        UserError: the model is not known, the file is missing or is another one, or it cannot be fetched.
    """
    if model not in EMBEDDERS:
        raise UserError(f"The embedding model {model!r} is not known; there are {', '.join(EMBEDDERS)}.")
    if model == "facenet-128":
        network = load_facenet_128(fetch_facenet_weights() if weights is None else Path(weights))
        digest = FACENET_128_SHA256
    else:
        network = load_facenet_512(model, fetch_facenet_512(model) if weights is None else Path(weights))
        digest = facenet_512_sha256(model)
    return Embedder(network, f"{model}-{digest[:12]}")
