"""The frozen teacher of an embedder: its embeddings of sharp faces, and their means."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import h5py
import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from lrfr_tf.data.aligned import AlignedFiles
from lrfr_tf.data.face_source import FacesInFiles, FaceSource
from lrfr_tf.files import atomic_file, sha256
from lrfr_tf.models.fold import fold_for_inference
from lrfr_tf.printable import name_bytes
from lrfr_tf.training.strategy import Devices
from lrfr_tf.weights.mobilefacenet import W600K_SHA256

BATCH_SIZE = 64


def compute_targets(
    files: AlignedFiles, trees: Sequence[str], cache: Path, load: Callable[[], keras.Model], *, devices: Devices
) -> np.ndarray:
    """What the teacher makes of all faces, tree by tree, unless it has been asked before.

    Args:
        cache: a folder with its answers.
        load: the teacher.

    Returns:
        float32 [N, D] of unit length, in the order of `files`.
    """
    teacher: keras.Model | None = None
    photos: dict[int, np.ndarray] = {}
    for tree, root in enumerate(trees):
        places = np.flatnonzero(files.trees == tree)
        own = [files.paths[place] for place in places]
        digest = hashlib.sha256(f"{W600K_SHA256}\n{sha256(Path(root) / 'manifest.json')}\n".encode())
        digest.update(name_bytes("\n".join(str(Path(path).relative_to(root)) for path in own)))
        cached = cache / f"{Path(root).name}-{digest.hexdigest()[:16]}.h5"
        if cached.is_file():
            with h5py.File(cached, "r") as file:
                answers = file["embeddings"][()]
        else:
            teacher = teacher or fold_for_inference(load())
            faces = FacesInFiles(own)
            answers = embed_as_teacher(teacher, faces, (faces.height - teacher.input_shape[1]) // 2)
            if devices.writes:
                with atomic_file(cached) as temporary, h5py.File(temporary, "w") as file:
                    file["embeddings"] = answers
        photos |= dict(zip(places.tolist(), answers, strict=True))
    return np.stack([photos[place] for place in range(len(files.paths))])


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
