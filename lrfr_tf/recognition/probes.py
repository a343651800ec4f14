"""What a recogniser is given of an aligned face at S pixels, and its embeddings."""

import numpy as np
from tqdm import tqdm

from lrfr_tf.images.degrade import degrade
from lrfr_tf.images.resize import resize
from lrfr_tf.recognition.embedding import Embedder

PROBE_FORMS = ("enlarged", "small")
EMBED_AT_ONCE = 128


def as_probe(faces: np.ndarray, size: int, form: str = "enlarged") -> np.ndarray:
    """Shrinks aligned faces to S x S; "enlarged" resizes them back, "small" leaves them so.

    Args:
        faces: uint8 [N, H, H, 3].
        size: S; faces of H = S stay as they are.

    Returns:
        uint8 [N, H, H, 3], or [N, S, S, 3].
    """
    if form not in PROBE_FORMS:
        raise ValueError(f"A probe is {' or '.join(PROBE_FORMS)}, not {form!r}.")
    side = faces.shape[1]
    if size == side:
        return faces
    small = degrade(faces, size)
    return small if form == "small" else resize(small, side, side)


def embed_probes(embedder: Embedder, faces: np.ndarray, size: int, form: str, progress: str) -> np.ndarray:
    """Embeds aligned faces at S pixels, chunk by chunk: uint8 [N, H, H, 3] -> float32 [N, D] of unit length.

    Args:
        size, form: as for `as_probe`.
        progress: the text of the progress bar.
    """
    embeddings = np.empty((len(faces), embedder.dimensions), np.float32)
    with tqdm(total=len(faces), desc=progress, unit="image") as bar:
        for start in range(0, len(faces), EMBED_AT_ONCE):
            chunk = as_probe(faces[start : start + EMBED_AT_ONCE], size, form)
            embeddings[start : start + len(chunk)] = embedder.embed(chunk)
            bar.update(len(chunk))
    return embeddings
