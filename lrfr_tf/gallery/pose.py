"""Which way a face looks, from its five landmarks.

Five points of a mean head are laid over the landmarks as a far camera would see them (a turn, a scale and a shift, by
least squares); the turn is the answer. It is of this mean head: another nose, or a photo from near, shifts it by some
degrees. docs/enrolling.md has figures.
"""

import dataclasses
import math

import numpy as np

# Left eye, right eye, nose, left and right corner of the mouth as the viewer sees them: to the right, down and away
# from the viewer, with 64 between the eyes. Fitted to the points of 4,029 photos in all poses (VGGFace2 and persons of
# CelebA outside of training and reports), and tipped so that half of them look up.
HEAD = np.array([[-32.0, 0.0, 0.0], [32.0, 0.0, 0.0], [0.0, 35.4, -26.8], [-27.4, 64.6, 7.0], [27.4, 64.6, 7.0]])


@dataclasses.dataclass(frozen=True)
class Pose:
    """Which way a face looks, in degrees, with the head's own vertical axis upright in the picture.

    Attributes:
        yaw: to the viewer's right, -180 to 180.
        pitch: up, -90 to 90.
        turn: away from the camera in any direction, 0 to 180.
    """

    yaw: float
    pitch: float
    turn: float


def pose_of(landmarks: np.ndarray) -> Pose:
    """Estimates the pose of a face.

    Args:
        landmarks: float [5, 2], (x, y), as `lrfr_tf.faces.detect.Detection` has them.

    Raises:
        ValueError: another shape, a coordinate that is not finite, or all points are one.
    """
    points = np.asarray(landmarks, np.float64)
    if points.shape != (5, 2) or not np.isfinite(points).all() or np.ptp(points, axis=0).max() == 0:
        raise ValueError(f"A pose needs five points with finite coordinates that differ, not {list(points.shape)}.")
    head = HEAD - HEAD.mean(axis=0)
    seen = np.linalg.lstsq(head, points - points.mean(axis=0), rcond=None)[0].T
    left, _, right = np.linalg.svd(seen, full_matrices=False)
    first, second = left @ right  # the nearest two rows of a rotation
    third = np.cross(first, second)
    # Where the head's own "down" (0, 1, 0) and "towards the viewer" (0, 0, -1) point in the picture.
    upright = np.array([[second[1], -first[1]], [first[1], second[1]]])
    across, down = upright @ (-first[2], -second[2]) / max(math.hypot(first[1], second[1]), 1e-9)
    yaw = math.degrees(math.atan2(across, third[2]))
    pitch = math.degrees(math.asin(np.clip(-down, -1.0, 1.0)))
    return Pose(yaw, pitch, math.degrees(math.acos(np.clip(third[2], -1.0, 1.0))))
