"""Which face of a photo is meant: the person whose photo it is, and not somebody beside."""

from collections.abc import Sequence

import numpy as np

from lrfr_tf.faces.detect import Detection

RULE = "the largest, weighted towards the middle"  # as manifests say it

FALL_OFF = 0.2  # what a face loses in a corner; one 1.3 times as high still wins from there, as 1.3 * (1 - 0.2) > 1
TIE = 0.01  # a detector's boxes are no surer than that
RIVAL_HEIGHT = 0.7  # of the face that is meant
NAMED = 20  # photos with a rival are named up to so many


def meant_face(boxes: np.ndarray, scores: np.ndarray, height: int, width: int) -> int:
    """Chooses the face that is meant: the largest, weighted towards the middle.

    A face is worth h * (1 - 0.2 * d): h is the height of its box, d how far the middle of the box lies from the middle
    of the photo, as a share of the way into a corner, 0 to 1. So a face that is 1.3 times as high as each other wins
    wherever it stands, and of equal faces the one nearest to the middle. How sure the detector is says nothing about
    who is meant; it decides where two are worth the same within 1 %.

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
        raise ValueError("Where no face is found, none is meant.")
    boxes = np.asarray(boxes, np.float64)
    middle = np.array([width, height]) / 2
    centers = (boxes[:, :2] + boxes[:, 2:]) / 2
    distances = np.linalg.norm(centers - middle, axis=1) / np.linalg.norm(middle)
    worth = (boxes[:, 3] - boxes[:, 1]) * (1 - FALL_OFF * distances)
    return int(np.argmax(np.where(worth >= (1 - TIE) * worth.max(), scores, -np.inf)))


def has_rival(boxes: np.ndarray, meant: int) -> bool:
    """Is another face at least 0.7 times as high as the one that is meant, so that a person should look?

    Args:
        boxes: as for `meant_face`.
        meant: what it returned.
    """
    heights = np.asarray(boxes)[:, 3] - np.asarray(boxes)[:, 1]
    return bool((np.delete(heights, meant) >= RIVAL_HEIGHT * heights[meant]).any())


def only_meant(found: Detection, photo: np.ndarray) -> tuple[Detection, bool]:
    """The one face of a photo that is meant, or none where none was found; and whether it has a rival.

    Args:
        found: every face of the photo.
        photo: uint8 [H, W, 3].
    """
    if not found.found:
        return found, False
    meant = meant_face(found.boxes, found.scores, *photo.shape[:2])
    alone = Detection(found.boxes[[meant]], found.scores[[meant]], found.landmarks[[meant]])
    return alone, has_rival(found.boxes, meant)


def rival_note(photo: str) -> str:
    """Says in one sentence that a photo has two faces of about one size."""
    return f"{photo} shows another face about as large as the one that is taken ({RULE})."


def rival_notes(photos: Sequence[str], named: int = NAMED) -> list[str]:
    """A sentence for each of the first photos, and how many more there are."""
    notes = [rival_note(photo) for photo in photos[:named]]
    if len(photos) > named:
        notes.append(f"{len(photos) - named} more photos show another face about as large.")
    return notes
