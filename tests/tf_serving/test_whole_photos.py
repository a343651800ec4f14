"""Whole photos are told from crops by what the detector finds."""

import numpy as np
import pytest

from lrfr_tf.faces.detect import Detection, FaceDetector
from lrfr_tf.tf_serving.faces import NoCropError
from lrfr_tf.tf_serving.whole_photos import CropChecker
from tests.faces_by_code import FACE_BOX


def found(*boxes: tuple[float, float, float, float]) -> Detection:
    count = len(boxes)
    return Detection(np.array(boxes, np.float32).reshape(-1, 4), np.ones(count), np.zeros((count, 5, 2)))


@pytest.mark.parametrize(
    ("detection", "outcome"),
    [
        (found((10, 5, 90, 100)), ""),
        (found((20, 20, 60, 70)), "1 picture was sent (a.png) in which there is much beside the face"),
        (found(), "1 picture was sent (a.png) in which no face was found."),
        (found((20, 20, 55, 69)), "refused"),
        (found((20, 20, 55, 69), (0, 0, 25, 25)), "refused"),
        (found((10, 5, 90, 100), (0, 0, 25, 25)), ""),  # a face in the background of a crop
    ],
)
def test_the_share_of_the_face_tells(monkeypatch: pytest.MonkeyPatch, detection: Detection, outcome: str) -> None:
    monkeypatch.setattr(FaceDetector, "detect", lambda self, images: [detection] * len(images))
    checker, picture = CropChecker(20), np.zeros((100, 100, 3), np.uint8)
    if outcome == "refused":
        with pytest.raises(NoCropError, match="a.png is a whole photo and is not sent: .* the face fills 35 x 49"):
            checker(picture, "a.png")
        assert not checker.notes()
        return
    assert checker(picture, "a.png") is picture
    assert "".join(checker.notes()).startswith(outcome)
    assert bool(checker.notes()) == bool(outcome)


def test_very_small_pictures_need_no_detector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FaceDetector, "detect", lambda *_: pytest.fail("the detector ran"))
    checker = CropChecker(20)
    for size in (8, 16, 40):
        checker(np.zeros((size, size, 3), np.uint8), "a.png")
    assert not checker.notes()


def test_the_portrait_is_a_whole_photo_and_its_face_is_not(portrait: np.ndarray) -> None:
    checker = CropChecker(20)
    with pytest.raises(NoCropError):
        checker(portrait, "portrait.png")
    left, top, right, bottom = FACE_BOX
    crop = portrait[top:bottom, left:right]
    assert checker(crop, "crop.png") is crop
