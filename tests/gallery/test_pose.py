"""The pose of a face that was turned by known angles comes back."""

import numpy as np
import pytest

from lrfr_tf.gallery.pose import HEAD, pose_of
from tests.faces_of_dots import landmarks_at


def seen_from(yaw: float, pitch: float, roll: float, scale: float = 0.4, center: tuple[float, float] = (40, 30)):
    """The five points of the mean head, turned up and then to the side, and last in the picture, float64 [5, 2]."""
    a, b, c = np.radians([yaw, pitch, roll])
    side = np.array([[np.cos(a), 0, -np.sin(a)], [0, 1, 0], [np.sin(a), 0, np.cos(a)]])
    up = np.array([[1, 0, 0], [0, np.cos(b), np.sin(b)], [0, -np.sin(b), np.cos(b)]])
    plane = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return scale * (HEAD @ (plane @ side @ up).T)[:, :2] + center


@pytest.mark.parametrize("yaw", [-80, -45, 0, 20, 60])
@pytest.mark.parametrize("roll", [-30, 0, 100])
def test_yaw_comes_back_whatever_the_roll(yaw: float, roll: float) -> None:
    pose = pose_of(seen_from(yaw, 0, roll))
    assert pose.yaw == pytest.approx(yaw, abs=1e-6)
    assert pose.pitch == pytest.approx(0, abs=1e-6)
    assert pose.turn == pytest.approx(abs(yaw), abs=1e-5)


@pytest.mark.parametrize("pitch", [-40, 15, 50])
def test_pitch_is_up(pitch: float) -> None:
    pose = pose_of(seen_from(0, pitch, 0))
    assert pose.pitch == pytest.approx(pitch, abs=1e-6)
    assert pose.turn == pytest.approx(abs(pitch), abs=1e-5)


def test_the_turn_is_the_angle_to_the_camera_in_any_direction() -> None:
    expected = np.degrees(np.arccos(np.cos(np.radians(40)) * np.cos(np.radians(30))))
    assert pose_of(seen_from(40, 30, 25)).turn == pytest.approx(expected, abs=1e-5)


def test_size_and_place_do_not_matter() -> None:
    near, far = pose_of(seen_from(35, 10, 0)), pose_of(seen_from(35, 10, 0, scale=0.05, center=(900, 3)))
    assert near.turn == pytest.approx(far.turn, abs=1e-6)


def test_a_face_seen_from_the_front_looks_into_the_camera() -> None:
    pose = pose_of(landmarks_at((50.0, 50.0)))
    assert abs(pose.yaw) < 1
    assert pose.turn < 15


@pytest.mark.parametrize("points", [np.zeros((5, 2)), np.full((5, 2), np.nan), np.ones((4, 2))])
def test_no_points_no_pose(points: np.ndarray) -> None:
    with pytest.raises(ValueError, match="five points"):
        pose_of(points)
