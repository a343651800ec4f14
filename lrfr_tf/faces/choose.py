"""Which face of a photo is the main one: that of the person whose photo it is, not of a bystander."""

from collections.abc import Sequence

import numpy as np

from lrfr_tf.faces.detect import Detection
from lrfr_tf.plural import counted

RULE = "the largest, weighted towards the middle"  # as manifests say it

FALL_OFF = 0.2  # what a face loses in a corner; one 1.3 times as high still wins from there, as 1.3 * (1 - 0.2) > 1
TIE = 0.01  # a detector's boxes are no surer than that
AMBIGUOUS_HEIGHT = 0.7  # of the main face
LEAST_OVERLAP = 0.5  # intersection over union of a box that is meant with a face's
NAMED = 20  # photos with a rival are named up to so many


def main_face(boxes: np.ndarray, scores: np.ndarray, height: int, width: int) -> int:
    """Chooses the main face: the largest, weighted towards the middle.

    A face is worth h * (1 - 0.2 * d): h is the height of its box, d how far the middle of the box lies from the middle
    of the photo, as a share of the way into a corner, 0 to 1. So a face that is 1.3 times as high as each other wins
    wherever it stands, and of equal faces the one nearest to the middle. How sure the detector is says nothing about
    which face is the main one; it decides where two are worth the same within 1 %.

    Args:
        boxes: float [n, 4], (x1, y1, x2, y2) in pixels, inside the photo; n is at least 1.
        scores: float [n], how sure the detector is of each.
        height, width: of the photo in pixels.

    Returns:
        The row of the face in `boxes`.

    Raises:
        ValueError: there is no face.
    """
    if len(boxes) == 0:
        raise ValueError("There is no face to choose from.")
    boxes = np.asarray(boxes, np.float64)
    middle = np.array([width, height]) / 2
    centers = (boxes[:, :2] + boxes[:, 2:]) / 2
    distances = np.linalg.norm(centers - middle, axis=1) / np.linalg.norm(middle)
    worth = (boxes[:, 3] - boxes[:, 1]) * (1 - FALL_OFF * distances)
    return int(np.argmax(np.where(worth >= (1 - TIE) * worth.max(), scores, -np.inf)))


def face_at(boxes: np.ndarray, box: Sequence[float]) -> int | None:
    """The face that a box means: the one that overlaps it most, by at least half of what the two cover together.

    Args:
        boxes: as for `main_face`; there may be none.
        box: (x1, y1, x2, y2) in pixels.

    Returns:
        The row of the face in `boxes`; None where there is none.
    """
    boxes, wanted = np.asarray(boxes, np.float64).reshape(-1, 4), np.asarray(box, np.float64)
    sides = np.minimum(boxes[:, 2:], wanted[2:]) - np.maximum(boxes[:, :2], wanted[:2])
    shared = np.prod(np.maximum(sides, 0), axis=1)
    covered = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) + np.prod(wanted[2:] - wanted[:2]) - shared
    overlaps = shared / np.maximum(covered, 1e-9)
    best = int(overlaps.argmax()) if len(overlaps) else 0
    return best if len(overlaps) and overlaps[best] >= LEAST_OVERLAP else None


def is_ambiguous(boxes: np.ndarray, main: int) -> bool:
    """Is another face at least 0.7 times as high as the main one, so that a person should look?

    Args:
        boxes: as for `main_face`.
        main: what it returned.
    """
    heights = np.asarray(boxes)[:, 3] - np.asarray(boxes)[:, 1]
    return bool((np.delete(heights, main) >= AMBIGUOUS_HEIGHT * heights[main]).any())


def only_main_face(found: Detection, photo: np.ndarray) -> tuple[Detection, bool]:
    """The main face of a photo alone, or none where none was found; and whether another face is about as large.

    Args:
        found: every face of the photo.
        photo: uint8 [H, W, 3].
    """
    if not found.found:
        return found, False
    main = main_face(found.boxes, found.scores, *photo.shape[:2])
    alone = Detection(found.boxes[[main]], found.scores[[main]], found.landmarks[[main]])
    return alone, is_ambiguous(found.boxes, main)


def ambiguity_note(photo: str) -> str:
    """Says in one sentence that a photo has two faces of about one size."""
    return f"{photo} shows another face about as large as the one that is taken ({RULE})."


def ambiguity_notes(photos: Sequence[str], named: int = NAMED) -> list[str]:
    """A sentence for each of the first photos, and how many more there are."""
    notes = [ambiguity_note(photo) for photo in photos[:named]]
    if len(photos) > named:
        notes.append(
            f"{counted(len(photos) - named, 'more photo shows', 'more photos show')} another face about as large."
        )
    return notes
