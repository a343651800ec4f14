"""Very small faces are found where no larger one is, and only there."""

import numpy as np

from lrfr_tf.faces.detect import FaceDetector
from lrfr_tf.faces.second_look import THRESHOLDS, SecondLookDetector
from tests.gallery.photos_by_code import beside, head, wall


def test_a_face_of_ten_pixels_is_found_where_it_is_alone(portrait: np.ndarray) -> None:
    photos = [np.asarray(picture) for picture in (head(portrait, 10), wall(), head(portrait, 80), head(portrait, 14))]
    first, wall_, large, second = SecondLookDetector((0.6, 0.7, 0.8)).detect(photos)
    assert [one.found for one in FaceDetector((0.6, 0.7, 0.8)).detect(photos)] == [False, False, True, False]
    assert not wall_.found
    for found, photo, height in ((first, photos[0], 10), (second, photos[3], 14)):
        top, bottom = found.boxes[0, 1::2] / len(photo)
        assert 0.8 * height < found.boxes[0, 3] - found.boxes[0, 1] < 1.2 * height
        expected_top, expected_bottom = large.boxes[0, 1::2] / len(photos[2])
        np.testing.assert_allclose([top, bottom], [expected_top, expected_bottom], atol=0.08)


def test_a_photo_with_a_larger_face_is_not_searched_again(portrait: np.ndarray) -> None:
    picture = np.asarray(beside(portrait, 60, 0.2))
    found = SecondLookDetector((0.6, 0.7, 0.8)).detect([picture])[0]
    np.testing.assert_array_equal(found.boxes, FaceDetector((0.6, 0.7, 0.8)).detect([picture])[0].boxes)
    assert len(found.boxes) == 1
    assert len(FaceDetector(THRESHOLDS, 8).detect([picture])[0].boxes) == 2


def test_nothing_asked_and_a_picture_too_small_for_a_face() -> None:
    detector = SecondLookDetector((0.6, 0.7, 0.8))
    assert detector.detect([]) == []
    assert not detector.detect([np.zeros((4, 4, 3), np.uint8)])[0].found
