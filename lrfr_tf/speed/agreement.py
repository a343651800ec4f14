"""Do two peers compute the same thing? Nothing is timed before they do."""

from typing import Any

import numpy as np

from lrfr_tf.errors import UserError
from lrfr_tf.faces.boxes import intersection_over_union
from lrfr_tf.plural import counted

SAME_FACE = 0.5  # IoU
LEAST_SHARE_OF_FACES = 0.9
LARGEST_DIFFERENCE = 1e-4
SMALLEST_COSINE = 0.999  # where one of two computes in bfloat16


def compare_faces(ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray], peer: str) -> dict[str, Any]:
    """Holds the faces of a peer against ours.

    The cascades of the peers round boxes and resize images in other ways than ours, so a face near a threshold may be
    found by one alone; nine in ten must be found by both.

    Args:
        ours, theirs: `boxes` [n, 4] (x1, y1, x2, y2) and the index of the `image` [n] of each.

    Returns:
        Counts of faces, how many both found, and the smallest and mean IoU of these.

    Raises:
        UserError: the peer finds other faces.
    """
    overlaps = []
    for image in np.union1d(ours["image"], theirs["image"]):
        mine, others = (faces["boxes"][faces["image"] == image] for faces in (ours, theirs))
        ious = intersection_over_union(mine[:, None], others[None])
        while ious.size and ious.max() > SAME_FACE:  # the best pair first; a face is paired once
            row, column = np.unravel_index(ious.argmax(), ious.shape)
            overlaps.append(float(ious[row, column]))
            ious = np.delete(np.delete(ious, row, 0), column, 1)
    counts = {"ours": len(ours["boxes"]), "theirs": len(theirs["boxes"]), "both": len(overlaps)}
    if counts["both"] < LEAST_SHARE_OF_FACES * max(counts["ours"], counts["theirs"]):
        raise UserError(
            f"{peer} finds {counted(counts['theirs'], 'face')} and ours finds {counts['ours']}, of which "
            f"{counts['both']} are the "
            "same; they cannot be compared."
        )
    found = {"smallest_iou": min(overlaps), "mean_iou": float(np.mean(overlaps))} if overlaps else {}
    return {**counts, **{key: round(value, 4) for key, value in found.items()}}


def compare_embeddings(ours: np.ndarray, theirs: np.ndarray, peer: str) -> dict[str, Any]:
    """The largest difference between the embeddings of a peer and ours, float [N, D] each.

    Raises:
        UserError: they are of another shape, or more than 1e-4 apart.
    """
    _check_shapes(ours, theirs, peer)
    difference = float(np.abs(ours - theirs).max())
    if not difference <= LARGEST_DIFFERENCE:
        raise UserError(f"The embeddings of {peer} are up to {difference:.2g} from ours; they cannot be compared.")
    return {"largest_difference": float(f"{difference:.2g}")}


def compare_rounded_embeddings(ours: np.ndarray, theirs: np.ndarray, peer: str) -> dict[str, Any]:
    """The smallest cosine between our float32 embeddings and those of what computes in bfloat16, float [N, D] each.

    Raises:
        UserError: they are of another shape, or a cosine is below 0.999.
    """
    _check_shapes(ours, theirs, peer)
    cosine = float(((ours * theirs).sum(axis=1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)).min())
    if not cosine >= SMALLEST_COSINE:
        raise UserError(f"The embeddings of {peer} have a cosine of {cosine:.4f} to ours; they cannot be compared.")
    return {"smallest_cosine": round(cosine, 5)}


def _check_shapes(ours: np.ndarray, theirs: np.ndarray, peer: str) -> None:
    if ours.shape != theirs.shape:
        raise UserError(f"{peer} gives embeddings {list(theirs.shape)}, ours {list(ours.shape)}.")
