"""The frozen teacher of an embedder: a network's embeddings of all sharp faces, computed once a run."""

from pathlib import Path

import h5py
import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from lrfr_tf.data.face_source import FaceSource
from lrfr_tf.files import sha256, written_whole
from lrfr_tf.weights.facenet import load_facenet_128

BATCH_SIZE = 64


def teacher_embeddings(weights: Path, faces: FaceSource, cache: Path, writes: bool) -> np.ndarray:
    """What FaceNet 128-D makes of the faces, out of the cache if it is of these weights and of so many faces.

    Args:
        weights: the published file.
        cache: an HDF5 file; written, if `writes`, where it does not fit.

    Returns:
        float32 [N, 128] of unit length.
    """
    digest = sha256(weights)
    stored = _read(cache, digest, faces.count)
    if stored is not None:
        return stored
    embeddings = embed_as_teacher(load_facenet_128(weights), faces)
    if writes:
        with written_whole(cache) as temporary, h5py.File(temporary, "w") as file:
            file["embeddings"] = embeddings
            file.attrs["weights_sha256"] = digest
    return embeddings


def embed_as_teacher(teacher: keras.Model, faces: FaceSource, margin: int = 0) -> np.ndarray:
    """What a teacher makes of sharp aligned faces: the mean of its embeddings of each and of its mirror image.

    Args:
        teacher: takes float images of its own size in 0..255 and gives embeddings.
        faces: of each the right-most square is looked at, without its margin.
        margin: rows and columns on every side that are cut away.

    Returns:
        float32 [N, D] of unit length.
    """
    size = tuple(teacher.input_shape[1:3])
    inner = slice(margin, faces.height - margin)

    @tf.function
    def embed(batch: tf.Tensor) -> tf.Tensor:
        enlarged = keras.ops.image.resize(
            tf.cast(batch, tf.float32), size, interpolation="bicubic", antialias=True, data_format="channels_last"
        )
        both = teacher(tf.concat([enlarged, enlarged[:, :, ::-1]], 0), training=False)
        both = tf.math.l2_normalize(both, axis=-1)
        return tf.math.l2_normalize(tf.reduce_sum(tf.stack(tf.split(both, 2)), 0), axis=-1)

    numbers = tf.data.Dataset.range(faces.count).batch(BATCH_SIZE)
    batches = numbers.map(
        lambda places: faces(places)[:, :, -faces.height :][:, inner, inner], tf.data.AUTOTUNE
    ).prefetch(2)
    return np.concatenate([embed(batch).numpy() for batch in tqdm(batches, desc="teacher", unit="batch")])


def mean_rows(embeddings: np.ndarray, identities: np.ndarray) -> np.ndarray:
    """The mean embedding of each identity, made unit length: float32 [N, D] and int [N] -> float32 [C, D]."""
    rows = np.zeros((int(identities.max()) + 1, embeddings.shape[1]), np.float32)
    np.add.at(rows, identities, embeddings)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _read(path: Path, digest: str, count: int) -> np.ndarray | None:
    """What is stored, if it is of this teacher and of so many faces."""
    if not path.is_file():
        return None
    with h5py.File(path, "r") as file:
        if file.attrs["weights_sha256"] != digest or len(file["embeddings"]) != count:
            return None
        return file["embeddings"][()]
