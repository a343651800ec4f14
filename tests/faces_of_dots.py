"""Faces that are five bright dots, so that a test can tell where each landmark came to lie."""

import numpy as np

# A face of about 60 x 70 pixels, seen from the front: left eye, right eye, nose, left and right corner of the mouth.
SHAPE = np.array([[-18.0, -17.0], [18.0, -17.0], [0.0, 4.0], [-15.0, 24.0], [15.0, 24.0]])


def landmarks_at(center: tuple[float, float], scale: float = 1.0, degrees: float = 0.0) -> np.ndarray:
    """The five points of a face that is turned in the plane of the image, float64 [5, 2]."""
    sine, cosine = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    return scale * SHAPE @ np.array([[cosine, sine], [-sine, cosine]]) + center


def face_of_dots(landmarks: np.ndarray, height: int, width: int, radius: float = 2.0) -> np.ndarray:
    """A dark photo with a bright dot on each landmark, uint8 [height, width, 3]."""
    y, x = np.mgrid[:height, :width]
    dots = sum(np.exp(-((x - left) ** 2 + (y - top) ** 2) / (2 * radius**2)) for left, top in landmarks)
    grey = np.clip(20 + 200 * dots, 0, 255).astype(np.uint8)
    return np.stack([grey, grey, grey], axis=-1)


def positions_of_dots(image: np.ndarray, near: np.ndarray, window: int = 11) -> np.ndarray:
    """The center of brightness round each of the points `near`, float64 [n, 2], (x, y)."""
    found = []
    for x, y in np.rint(near).astype(int):
        top, left = y - window, x - window
        part = image[top : y + window + 1, left : x + window + 1, 0].astype(np.float64)
        weight = np.clip(part - 40, 0, None)  # the background is 20, and JPEG leaves a little noise
        rows, columns = np.indices(part.shape)
        found.append([left + (weight * columns).sum() / weight.sum(), top + (weight * rows).sum() / weight.sum()])
    return np.array(found)
