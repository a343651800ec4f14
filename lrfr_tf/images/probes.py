"""What a recognizer is given of an aligned face at S pixels."""

import numpy as np

from lrfr_tf.images.camera import CLEAN_LEVEL
from lrfr_tf.images.camera_numpy import photograph_all
from lrfr_tf.images.degrade import degrade
from lrfr_tf.images.resize import resize

PROBE_FORMS = ("enlarged", "small")


def shrink_to_probe(
    faces: np.ndarray,
    size: int,
    *,
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
        small = photograph_all(faces, size, camera, range(first_seed, first_seed + len(faces)), margin=margin)
    return small if form == "small" else resize(small, side, side)
