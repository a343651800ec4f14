"""Which of several faces is meant: the largest, of equal ones the middle one, of those the surest."""

from pathlib import Path

import numpy as np
import pytest

from lrfr_tf.faces.choose import ambiguity_notes, face_at, is_ambiguous, main_face, only_main_face
from lrfr_tf.faces.detect import Detection
from tests.pasted_pairs import meant, share_right

HEIGHT, WIDTH = 300, 400


def box(height: float, x: float, y: float) -> list[float]:
    """A face of that height around a point."""
    return [x - height * 0.4, y - height / 2, x + height * 0.4, y + height / 2]


def chosen(boxes: list[list[float]], scores: list[float]) -> int:
    return main_face(np.array(boxes, np.float32), np.array(scores, np.float32), HEIGHT, WIDTH)


def test_a_face_that_is_1_3_times_as_high_is_meant_wherever_it_stands() -> None:
    middle = box(20, WIDTH / 2, HEIGHT / 2)
    for x, y in ((11, 13), (WIDTH - 11, 13), (11, HEIGHT - 13), (WIDTH / 2, 13), (120, 200)):
        assert chosen([middle, box(26, x, y)], [1.0, 0.6]) == 1
        assert chosen([box(26, x, y), middle], [0.6, 1.0]) == 0
        assert chosen([middle, box(20, x, y)], [0.6, 1.0]) == 0  # of equal ones the one in the middle


def test_the_surest_is_meant_only_where_nothing_else_decides() -> None:
    left, right = box(40, 100, 150), box(40, 300, 150)
    assert chosen([left, right], [0.7, 0.9]) == 1
    assert chosen([left, right], [0.9, 0.7]) == 0
    assert chosen([left, box(42, 300, 150)], [0.9, 0.7]) == 1
    assert chosen([right], [0.1]) == 0
    with pytest.raises(ValueError, match="no face to choose from"):
        main_face(np.zeros((0, 4)), np.zeros(0), HEIGHT, WIDTH)


def test_a_rival_is_0_7_times_as_high() -> None:
    large = box(100, 100, 150)
    for height, rivals in ((69, False), (71, True), (120, True)):
        assert is_ambiguous(np.array([large, box(height, 300, 150)]), 0) is rivals
    assert not is_ambiguous(np.array([large]), 0)


def test_the_face_that_is_meant_comes_alone_with_its_own_landmarks() -> None:
    landmarks = np.arange(20, dtype=np.float32).reshape(2, 5, 2)
    boxes = np.array([box(20, 50, 50), box(90, 200, 150)], np.float32)
    photo = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    alone, rivaled = only_main_face(Detection(boxes, np.array([1, 0.8], np.float32), landmarks), photo)
    np.testing.assert_array_equal(alone.boxes, boxes[1:])
    np.testing.assert_array_equal(alone.landmarks, landmarks[1:])
    np.testing.assert_array_equal(alone.scores, np.array([0.8], np.float32))
    assert not rivaled
    nothing = Detection(boxes[:0], np.zeros(0, np.float32), landmarks[:0])
    assert only_main_face(nothing, photo) == (nothing, False)


def test_notes_name_some_and_count_the_rest() -> None:
    assert [note.split()[0] for note in ambiguity_notes(["a", "b", "c", "d"], named=2)] == ["a", "b", "2"]
    assert len(ambiguity_notes(["a", "b"], named=2)) == 2
    assert ambiguity_notes([]) == []


@pytest.mark.shared_data
def test_of_a_person_and_a_bystander_the_person_is_meant(shared_data: Path) -> None:
    """98 of 100 at least; `python -m tests.pasted_pairs` prints the shares of the other ways to choose, too."""
    share = share_right(shared_data / "celeba" / "celeba_people.zip", 300, {"meant": meant})["meant"]
    print(f"meant: {share:.2%} of 300 photos")
    assert share >= 0.98


def test_a_box_means_the_face_that_it_overlaps_most() -> None:
    boxes = np.array([[0, 0, 10, 10], [4, 0, 14, 10], [100, 100, 120, 120]], np.float32)
    assert face_at(boxes, (1, 0, 11, 10)) == 0
    assert face_at(boxes, (3, 0, 13, 10)) == 1
    assert face_at(boxes, (100, 100, 120, 110)) == 2  # half of what both cover
    assert face_at(boxes, (100, 100, 120, 109)) is None
    assert face_at(boxes, (50, 50, 60, 60)) is None
    assert face_at(np.zeros((0, 4)), (0, 0, 1, 1)) is None
    assert face_at(np.array([]), (0, 0, 1, 1)) is None
