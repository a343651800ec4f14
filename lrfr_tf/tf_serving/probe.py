"""A face whose embedding is known, by which a server shows that it computes with the same network.

A server tells a model's name and version, but not its content. So each request holds this face, too.
"""

from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from lrfr_tf.errors import UserError


def embedding_of_probe(version: Path) -> np.ndarray:
    """What an export makes of `probe_face`, float32 [D]; another process loads it, and gives its memory back.

    Raises:
        UserError: the export is damaged, or the process was ended.
    """
    try:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            return pool.submit(_compute, str(version)).result()
    except BrokenProcessPool:
        raise UserError(f"The process that loads {version} for a moment was ended; is there enough memory?") from None


def probe_face(size: int) -> np.ndarray:
    """The face, made by code: uint8 [size, size, 3]."""
    from lrfr_tf.networks.synthetic_faces import synthetic_faces

    return synthetic_faces(1, size)[0]


def _compute(version: str) -> np.ndarray:
    from lrfr_tf.silence import silence_tensorflow

    silence_tensorflow()
    from lrfr_tf.networks.embedding import load_embedder

    embedder = load_embedder(version)
    return embedder.embed([probe_face(embedder.aligned_size)])[0]
