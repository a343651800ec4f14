"""The embeddings of what an embedder is given of aligned faces at S pixels."""

import numpy as np
from tqdm import tqdm

from lrfr_tf.images.camera import CLEAN_LEVEL
from lrfr_tf.images.probes import as_probe
from lrfr_tf.networks.embedding import Embedder

EMBED_AT_ONCE = 128


def embed_probes(
    embedder: Embedder,
    faces: np.ndarray,
    size: int,
    form: str,
    progress: str,
    camera: str = CLEAN_LEVEL,
    margin: int = 0,
) -> np.ndarray:
    """Embeds aligned faces at S pixels, chunk by chunk: uint8 [N, H, H, 3] -> float32 [N, D] of unit length.

    Args:
        size, form, camera, margin: as for `images.probes.as_probe`; the seed of a face is its place.
        progress: the text of the progress bar.
    """
    embeddings = np.empty((len(faces), embedder.dimensions), np.float32)
    with tqdm(total=len(faces), desc=progress, unit="image") as bar:
        for start in range(0, len(faces), EMBED_AT_ONCE):
            chunk = as_probe(faces[start : start + EMBED_AT_ONCE], size, form, camera, start, margin)
            embeddings[start : start + len(chunk)] = embedder.embed(chunk)
            bar.update(len(chunk))
    return embeddings
