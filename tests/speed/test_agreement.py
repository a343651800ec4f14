"""What is not the same is not compared."""

import numpy as np
import pytest

from lrfr_tf.errors import UserError
from lrfr_tf.faces.boxes import intersection_over_union
from lrfr_tf.speed.agreement import compare_embeddings, compare_faces, compare_rounded_embeddings
from lrfr_tf.speed.worker import flattened_faces


def boxes(*some: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(some, float).reshape(-1, 4)


def test_overlap_by_hand() -> None:
    ious = intersection_over_union(
        boxes((0, 0, 10, 10))[:, None], boxes((0, 0, 10, 10), (5, 0, 15, 10), (20, 20, 30, 30))
    )
    np.testing.assert_allclose(ious, [[1, 1 / 3, 0]])


def test_faces_are_matched_within_their_image() -> None:
    ours = flattened_faces([boxes((0, 0, 10, 10), (20, 0, 30, 10)), boxes(), boxes((0, 0, 8, 8))])
    theirs = flattened_faces([boxes((20, 0, 30, 8), (0, 0, 10, 10)), boxes(), boxes((0, 0, 8, 8))])
    found = compare_faces(ours, theirs, "peer")
    assert found == {"ours": 3, "theirs": 3, "both": 3, "smallest_iou": 0.8, "mean_iou": 0.9333}
    elsewhere = flattened_faces([boxes((0, 0, 10, 10), (20, 0, 30, 10)), boxes((0, 0, 8, 8)), boxes()])
    with pytest.raises(UserError, match=r"peer finds 3 faces and ours finds 3, of which 2 are the same"):
        compare_faces(ours, elsewhere, "peer")


def test_a_face_is_matched_once() -> None:
    one, two = flattened_faces([boxes((0, 0, 10, 10))]), flattened_faces([boxes((0, 0, 10, 10), (0, 0, 10, 9))])
    with pytest.raises(UserError, match="of which 1 are the same"):
        compare_faces(one, two, "peer")


def test_one_face_in_ten_may_be_found_by_one_alone() -> None:
    ten = [(20.0 * i, 0.0, 20.0 * i + 10, 10.0) for i in range(10)]
    found = compare_faces(flattened_faces([boxes(*ten)]), flattened_faces([boxes(*ten[1:])]), "peer")
    assert (found["ours"], found["theirs"], found["both"]) == (10, 9, 9)
    with pytest.raises(UserError, match="cannot be compared"):
        compare_faces(flattened_faces([boxes(*ten)]), flattened_faces([boxes(*ten[2:])]), "peer")


def test_nobody_finds_anything() -> None:
    nothing = flattened_faces([boxes(), boxes()])
    assert compare_faces(nothing, nothing, "peer") == {"ours": 0, "theirs": 0, "both": 0}


def test_embeddings_must_be_equal() -> None:
    ours = np.eye(3, 4)
    assert compare_embeddings(ours, ours + 2e-5, "peer") == {"largest_difference": 2e-5}
    for theirs in (ours + 2e-4, np.where(ours > 0, np.nan, ours), ours[:, :3]):
        with pytest.raises(UserError, match="peer"):
            compare_embeddings(ours, theirs, "peer")


def test_rounded_embeddings_must_point_the_same_way() -> None:
    ours = np.eye(3, 8, dtype=np.float32)
    theirs = ours + 0.02 * np.roll(ours, 4, axis=1)
    expected = round(float(1 / np.sqrt(1 + 0.02**2)), 5)
    assert compare_rounded_embeddings(ours, theirs, "peer") == {"smallest_cosine": expected}
    for other in (ours + 0.1 * np.roll(ours, 4, axis=1), ours[:2], ours * np.nan):
        with pytest.raises(UserError, match="peer"):
            compare_rounded_embeddings(ours, other, "peer")
