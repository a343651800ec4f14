"""What a recogniser is given of an aligned face at S pixels, and its embeddings."""

import numpy as np
from tqdm import tqdm

from lrfr_tf.images.camera import CLEAN_LEVEL
from lrfr_tf.images.camera_numpy import photograph_all
from lrfr_tf.images.degrade import degrade
from lrfr_tf.images.resize import resize
from lrfr_tf.recognition.embedding import Embedder

PROBE_FORMS = ("enlarged", "small")
EMBED_AT_ONCE = 128


def as_probe(
    faces: np.ndarray,
    size: int,
    form: str = "enlarged",
    camera: str = CLEAN_LEVEL,
    first_seed: int = 0,
    margin: int = 0,
) -> np.ndarray:
    """Shrinks aligned faces to S x S; "enlarged" resizes them back, "small" leaves them so.

    Args:
        faces: uint8 [N, H + 2 * margin, H + 2 * margin, 3].
        size: S; clean faces of H = S stay as they are.
        camera: how they are shrunk, one of `images.camera.LEVELS`.
        first_seed: of the camera's accidents; face i has this seed plus i.
        margin: what lies around the face, in pixels; only a camera sees it, which may be misplaced.

    Returns:
        uint8 [N, H, H, 3], or [N, S, S, 3].
    """
    if form not in PROBE_FORMS:
        raise ValueError(f"A probe is {' or '.join(PROBE_FORMS)}, not {form!r}.")
    side = faces.shape[1] - 2 * margin
    inner = faces[:, margin : margin + side, margin : margin + side]
    if camera == CLEAN_LEVEL and size == side:
        return inner
    if camera == CLEAN_LEVEL:
        small = degrade(inner, size)
    else:
        small = photograph_all(faces, size, camera, range(first_seed, first_seed + len(faces)), margin)
    return small if form == "small" else resize(small, side, side)


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
        size, form, camera, margin: as for `as_probe`; the seed of a face is its place.
        progress: the text of the progress bar.
    """
    embeddings = np.empty((len(faces), embedder.dimensions), np.float32)
    with tqdm(total=len(faces), desc=progress, unit="image") as bar:
        for start in range(0, len(faces), EMBED_AT_ONCE):
            chunk = as_probe(faces[start : start + EMBED_AT_ONCE], size, form, camera, start, margin)
            embeddings[start : start + len(chunk)] = embedder.embed(chunk)
            bar.update(len(chunk))
    return embeddings
