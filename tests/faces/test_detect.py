import dataclasses
import gc
import warnings

import numpy as np
import pytest
import tensorflow as tf
from mtcnn import MTCNN
from PIL import Image

from lrfr_tf.errors import UserError
from lrfr_tf.faces import cascade
from lrfr_tf.faces.detect import Detection, FaceDetector
from lrfr_tf.faces.pyramid import pyramid_scales


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector()


def shrunk(image: np.ndarray, height: int, width: int) -> np.ndarray:
    return np.array(Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC))


@pytest.fixture
def faces(portrait: np.ndarray) -> list[np.ndarray]:
    """Twelve 64 x 64 framings of the portrait's face."""
    generator = np.random.default_rng(7)
    framings = []
    for _ in range(12):
        side = int(generator.integers(170, 280))
        left = int(np.clip(223 - side // 2 + generator.integers(-20, 20), 0, 512 - side))
        top = int(np.clip(110 - side // 2 + generator.integers(-20, 20), 0, 512 - side))
        framings.append(shrunk(portrait[top : top + side, left : left + side], 64, 64))
    return framings


def assert_sound(detection: Detection, height: int, width: int, min_face_size: int) -> None:
    n = len(detection.boxes)
    assert detection.found == (n > 0)
    assert detection.boxes.shape == (n, 4)
    assert detection.scores.shape == (n,)
    assert detection.landmarks.shape == (n, 5, 2)
    for array in (detection.boxes, detection.scores, detection.landmarks):
        assert array.dtype == np.float32
        assert np.isfinite(array).all()
    x1, y1, x2, y2 = detection.boxes.T
    assert (x1 >= 0).all()
    assert (y1 >= 0).all()
    assert (x2 <= width).all()
    assert (y2 <= height).all()
    assert (x1 < x2).all()
    assert (y1 < y2).all()
    assert (np.maximum(x2 - x1, y2 - y1) >= min_face_size).all()
    assert (np.diff(detection.scores) <= 0).all()


def test_finds_the_face_of_the_portrait(detector: FaceDetector, portrait: np.ndarray) -> None:
    (found,) = detector.detect([portrait])
    assert_sound(found, 512, 512, 20)
    assert len(found.boxes) == 1
    x1, y1, x2, y2 = found.boxes[0]
    assert 160 < x1 < 200
    assert 240 < x2 < 295
    assert 30 < y1 < 90
    assert 150 < y2 < 190
    left_eye, right_eye, nose, mouth_left, mouth_right = found.landmarks[0]
    # Read off the picture by eye: the irises, the tip of the nose, the corners of the mouth.
    for point, x, y in ((left_eye, 204, 100), (right_eye, 246, 101), (nose, 224, 126)):
        assert abs(point[0] - x) < 8
        assert abs(point[1] - y) < 8
    assert mouth_left[0] < nose[0] < mouth_right[0]
    assert min(mouth_left[1], mouth_right[1]) > nose[1]


# The package's own constructor, unlike ours, lets python-lz4 complain on Python 3.13.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_agrees_with_the_package_at_its_own_pyramid(faces: list[np.ndarray], portrait: np.ndarray) -> None:
    ours, package = FaceDetector(), MTCNN()
    crowd = np.concatenate(
        [np.tile(shrunk(portrait[20:200, 140:310], 60, 60), (2, 3, 1)), np.zeros((9, 180, 3), np.uint8)]
    )
    for images in (faces, [portrait], [crowd]):
        height, width = images[0].shape[:2]
        rows = package.detect_faces(
            list(images), threshold_onet=0.9, output_type="numpy", box_format="xyxy", fit_to_image=False
        )
        for index, found in enumerate(ours.detect(images)):
            expected = rows[rows[:, 0] == index]
            expected = expected[np.argsort(-expected[:, 5])]
            boxes = np.clip(expected[:, 1:5], 0, (width, height, width, height))
            large = (boxes[:, 2:] - boxes[:, :2]).max(axis=1) >= 20
            assert large.any()
            np.testing.assert_allclose(found.boxes, boxes[large], atol=1e-3)
            np.testing.assert_allclose(found.scores, expected[large, 5], atol=1e-5)
            np.testing.assert_allclose(found.landmarks[:, :, 0], expected[large, 6:11], atol=1e-3)
            np.testing.assert_allclose(found.landmarks[:, :, 1], expected[large, 11:16], atol=1e-3)


def test_batch_equals_single_and_keeps_the_order_of_mixed_sizes(
    detector: FaceDetector, faces: list[np.ndarray], portrait: np.ndarray
) -> None:
    grey = np.full((64, 64, 3), 128, np.uint8)
    images = [*faces[:3], portrait, grey, shrunk(portrait, 100, 140), *faces[3:6], shrunk(portrait, 140, 100), faces[6]]
    together = detector.detect(images)
    in_threes = FaceDetector(batch_size=3).detect(images)
    assert len(together) == len(in_threes) == len(images)
    assert [found.found for found in together] == [image is not grey for image in images]
    for image, batch, threes in zip(images, together, in_threes, strict=True):
        (single,) = detector.detect([image])
        for other in (batch, threes):
            np.testing.assert_allclose(other.boxes, single.boxes, atol=0.01)
            np.testing.assert_allclose(other.scores, single.scores, atol=1e-4)
            np.testing.assert_allclose(other.landmarks, single.landmarks, atol=0.01)


def test_an_array_of_images_is_a_batch(detector: FaceDetector, faces: list[np.ndarray]) -> None:
    assert [found.found for found in detector.detect(np.stack(faces))] == [True] * len(faces)
    assert detector.detect([]) == []


def test_two_faces_most_confident_first(detector: FaceDetector, portrait: np.ndarray) -> None:
    blurred = shrunk(shrunk(portrait, 90, 90), 256, 256)
    pair = np.concatenate([blurred, shrunk(portrait, 256, 256)], axis=1)
    for image in (pair, pair[:, ::-1].copy()):
        (found,) = detector.detect([image])
        assert len(found.boxes) == 2
        assert_sound(found, 256, 512, 20)
        assert found.scores[0] > found.scores[1]
    (found,) = detector.detect([pair])
    centers = found.boxes[:, [0, 2]].mean(axis=1)
    assert sorted(centers < 256) == [False, True]
    singles = detector.detect([pair[:, :256], pair[:, 256:]])
    assert (singles[0].scores[0] > singles[1].scores[0]) == (centers[0] < 256)


def test_boxes_are_clipped_to_the_image(detector: FaceDetector, portrait: np.ndarray) -> None:
    cut = np.ascontiguousarray(portrait[76:190, 190:262])  # less than the face on all sides but below
    (found,) = detector.detect([cut])
    assert_sound(found, *cut.shape[:2], 20)
    assert found.found
    assert found.boxes[0, 0] == 0 or found.boxes[0, 1] == 0 or found.boxes[0, 2] == cut.shape[1]


def test_nothing_found_is_a_typed_empty_result(detector: FaceDetector) -> None:
    generator = np.random.default_rng(0)
    for shape in ((64, 64, 3), (1, 1, 3), (11, 300, 3), (200, 13, 3)):
        blank, noise = np.zeros(shape, np.uint8), generator.integers(0, 256, shape, dtype=np.uint8)
        for found in detector.detect([blank, noise]):
            assert_sound(found, *shape[:2], 20)
            assert not found.found


def test_any_min_face_size_on_small_images(
    detector: FaceDetector, portrait: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    face = portrait[20:220, 120:320]
    sizes = ((64, 64), (10, 10), (12, 12), (13, 40), (24, 24))
    images = [shrunk(face, *size) for size in sizes]
    true_box = detector.detect(images)[0].boxes[0]
    true_size = max(true_box[2] - true_box[0], true_box[3] - true_box[1])
    assert 30 < true_size < 40
    for min_face_size in range(5, 81):
        monkeypatch.setattr(detector, "min_face_size", min_face_size)
        results = detector.detect(images)
        for (height, width), found in zip(sizes, results, strict=True):
            assert_sound(found, height, width, min_face_size)
        # However much smaller the least size is, the face is still found; and not once the least size exceeds it.
        if min_face_size < 0.85 * true_size:
            assert results[0].found, min_face_size
        if min_face_size > 1.15 * true_size:
            assert not results[0].found, min_face_size


@pytest.mark.parametrize(("height", "width"), [(64, 64), (178, 218), (12, 500), (49, 49)])
def test_pyramid_levels_hold_a_cell_and_none_is_left_out(height: int, width: int) -> None:
    for min_face_size in range(5, 81):
        scales = pyramid_scales(height, width, min_face_size)
        assert bool(scales) == (min(height, width) >= min_face_size)
        if scales:
            assert scales[0] == pytest.approx(12 / min_face_size)
            np.testing.assert_allclose(np.divide(scales[1:], scales[:-1]), 0.709)
            assert min(height, width) * scales[-1] >= 12 - 1e-6
            assert min(height, width) * scales[-1] * 0.709 < 12


def test_large_images_are_shrunk_and_the_boxes_scaled_back(portrait: np.ndarray) -> None:
    wide = np.concatenate([portrait, np.zeros((512, 512, 3), np.uint8)], axis=1)
    (full,) = FaceDetector().detect([wide])
    (small,) = FaceDetector(max_side=301).detect([wide])
    assert len(full.boxes) == len(small.boxes) == 1
    assert_sound(small, 512, 1024, 20)
    np.testing.assert_allclose(small.boxes, full.boxes, atol=12)
    np.testing.assert_allclose(small.landmarks, full.landmarks, atol=5)
    assert not FaceDetector(max_side=40).detect([wide])[0].found
    assert not FaceDetector(max_side=100).detect([np.zeros((3, 1000, 3), np.uint8)])[0].found


def test_other_pixels_than_uint8_rgb_are_refused(detector: FaceDetector) -> None:
    good = np.zeros((64, 64, 3), np.uint8)
    wrong = (good / 255.0, good[:, :, 0], good[:, :, :1], good[None], good[:0], good.tolist(), tf.constant(good))
    for image in wrong:
        with pytest.raises(ValueError, match="Image 1 "):
            detector.detect([good, image])


@pytest.mark.parametrize(
    "options",
    [
        {"thresholds": (0.6, 0.7)},
        {"thresholds": (0.6, 0.7, 1.2)},
        {"min_face_size": 4},
        {"batch_size": 0},
        {"max_side": 11},
        {"engine": "graph"},
    ],
)
def test_options_out_of_range_are_user_errors(options: dict) -> None:
    with pytest.raises(UserError, match=r"\.$"):
        FaceDetector(**options)


def test_thresholds_are_obeyed(portrait: np.ndarray) -> None:
    score = FaceDetector().detect([portrait])[0].scores[0]
    assert FaceDetector(thresholds=(0.6, 0.7, score - 1e-4)).detect([portrait])[0].found
    assert not FaceDetector(thresholds=(0.6, 0.7, score + 1e-4)).detect([portrait])[0].found


def test_a_crowd_needs_bounded_work(monkeypatch: pytest.MonkeyPatch, portrait: np.ndarray) -> None:
    crowd = np.tile(shrunk(portrait[20:200, 140:310], 40, 40), (4, 5, 1))
    everyone = FaceDetector().detect([crowd])[0]
    monkeypatch.setattr(cascade, "PROPOSALS_PER_LEVEL", 10)
    fewer = FaceDetector().detect([crowd])[0]
    assert len(everyone.boxes) >= 15
    assert 0 < len(fewer.boxes) < len(everyone.boxes)


def test_no_output_no_warnings_and_no_growth(
    detector: FaceDetector, faces: list[np.ndarray], capfd: pytest.CaptureFixture[str]
) -> None:
    def in_use() -> int:
        gc.collect()
        return sum(isinstance(item, tf.Tensor | np.ndarray) for item in gc.get_objects())

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        detector.detect(faces)
        before = in_use()
        for side in range(40, 60):  # 20 batches, each of a new size
            detector.detect([np.ascontiguousarray(face[:side, :side]) for face in faces])
    assert in_use() <= before + 5
    assert capfd.readouterr().out == ""


def test_a_detection_is_frozen(detector: FaceDetector, portrait: np.ndarray) -> None:
    (found,) = detector.detect([portrait])
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.scores = np.zeros(1)  # type: ignore[misc]
