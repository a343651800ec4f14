"""Faces at camera levels: what is shown is what the camera leaves, and the answer is that of the recognizer to it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from lrfr_tf.benchmarks.camera_levels import (
    NO_FACE,
    NOBODY,
    RIGHT,
    WRONG,
    ShownFace,
    ShownPhoto,
    show_photos,
    table_lines,
)
from lrfr_tf.benchmarks.people_faces import NATIVE, Condition, conditions_of, shrink_photo
from lrfr_tf.faces.detect import Detection, FaceDetector
from lrfr_tf.faces.frame import frame_face
from lrfr_tf.images.decode import read_image, write_png
from lrfr_tf.networks.super_resolution import bicubic
from lrfr_tf.recognition.calibration import Threshold
from lrfr_tf.recognition.face_crops import FaceCutter, FoundFace
from lrfr_tf.recognition.identifier import Identifier
from lrfr_tf.recognition.match import Candidate, Match
from lrfr_tf.sources.image_source import FolderSource
from tests.faces_by_code import person

SIDE = 96
BOX = (24.0, 16.0, 72.0, 80.0)  # of the face in a photo of that side


class InTheMiddle(FaceDetector):
    """Finds a face at that place of every photo, however small; nothing in noisy ones if so told."""

    def __init__(self, blind_below: int = 0) -> None:
        self.blind_below = blind_below

    def detect(self, images: Sequence[np.ndarray]) -> list[Detection]:
        found = []
        for image in images:
            count = int(len(image) >= self.blind_below)
            box = np.array([BOX], np.float32) * len(image) / SIDE
            points = np.array([[[40, 40], [56, 40], [48, 50], [42, 60], [54, 60]]], np.float32) * len(image) / SIDE
            found.append(Detection(box[:count], np.ones(count, np.float32), points[:count]))
        return found


class ByBrightness:
    """Names the face "dark" or "light"."""

    def __init__(self, threshold: float) -> None:
        self.threshold = Threshold(threshold, "given")

    def identify_all(self, faces: Sequence[FoundFace]) -> list[Match]:
        names = ["light" if face.pixels.mean() > 127 else "dark" for face in faces]
        return [Match((Candidate(name, 0.5),), self.threshold) for name in names]


@pytest.fixture
def source(portrait: np.ndarray, tmp_path: Path) -> FolderSource:
    for name in ("dark", "light"):
        face = person(portrait, 0, 0, SIDE)
        write_png(tmp_path / name / "0.png", (face // 3 if name == "dark" else 255 - (255 - face) // 3))
    write_png(tmp_path / "light" / "tiny.png", np.zeros((20, 20, 3), np.uint8))
    return FolderSource(tmp_path)


def show(source: FolderSource, detector: FaceDetector, threshold: float, notes: list[str]) -> list[ShownPhoto]:
    cutter = FaceCutter(detector, "box")
    identifier = Identifier(cutter, ByBrightness(threshold))
    photos = {"dark": ["dark/0.png"], "light": ["light/0.png", "light/tiny.png"]}
    finder = FaceCutter(InTheMiddle(), "box")
    return show_photos(
        photos,
        source,
        conditions_of([24], ["clean", "harsh"]),
        finder,
        identifier=identifier,
        resolver=bicubic(),
        note=notes.append,
    )


def test_the_recognizer_is_asked_about_what_the_camera_leaves(source: FolderSource, tmp_path: Path) -> None:
    notes: list[str] = []
    made = show(source, InTheMiddle(), 0.2, notes)
    assert [photo.name for photo in made] == ["dark/0.png", "light/0.png"]
    assert len(notes) == 1
    assert "tiny.png shows a face that is too small" in notes[0]
    for photo in made:
        assert list(photo.shown) == [NATIVE, Condition(24), Condition(24, "harsh")]
        assert photo.shown[NATIVE].enlarged is None
        for condition, shown in photo.shown.items():
            assert (shown.answer, shown.score) == (photo.person, 0.5)
            assert photo.outcome(condition) == RIGHT
            if condition != NATIVE:
                assert shown.enlarged is not None
                # A face of 64 px becomes one of 24, and the square around it 1.3 times that.
                assert shown.face.shape == (31, 31, 3)
                assert shown.enlarged.shape == (64, 64, 3)
    pixels = read_image(tmp_path / "dark" / "0.png")
    (native,) = FaceCutter(InTheMiddle(), "box").find([pixels])[0]
    small, box = shrink_photo(pixels, native, Condition(24, "harsh"), "dark/0.png")
    assert small.shape == (36, 36, 3)
    assert box == pytest.approx([value * 24 / 64 for value in BOX])
    assert np.array_equal(made[0].shown[Condition(24, "harsh")].face, frame_face(small, box, 1.3, 31))


def test_strangers_and_what_is_not_found_are_said(source: FolderSource) -> None:
    made = show(source, InTheMiddle(), 0.9, [])
    assert {shown.answer for photo in made for shown in photo.shown.values()} == {NOBODY}
    made = show(source, InTheMiddle(blind_below=50), 0.2, [])
    assert [shown.answer for shown in made[0].shown.values()] == ["dark", NO_FACE, NO_FACE]
    assert made[0].shown[Condition(24)].score is None
    assert made[0].outcome(Condition(24)) == NO_FACE


def test_the_table_counts_what_stands_in_it() -> None:
    nothing = np.zeros((4, 4, 3), np.uint8)

    def photo(name: str, *answers: tuple[str, float | None]) -> ShownPhoto:
        conditions = (NATIVE, Condition(24), Condition(24, "harsh"))
        shown = {c: ShownFace(nothing, None, *answer) for c, answer in zip(conditions, answers, strict=True)}
        return ShownPhoto(name, "ann", shown)

    photos = [
        photo("ann/0.png", ("ann", 0.8), ("ann", 0.6), (NOBODY, 0.2)),
        photo("ann/" + 40 * "x", ("ann", 0.8), ("bob", 0.5), (NO_FACE, None)),
    ]
    assert photos[1].outcome(Condition(24)) == WRONG
    assert [" ".join(line.split()) for line in table_lines(photos)] == [
        "photo as it is clean 24 px harsh 24 px",
        "ann/0.png ann 0.80 ann 0.60 unknown 0.20",
        f"ann/{27 * 'x'}… ann 0.80 bob 0.50 ✗ no face found",
        "",
        "right, of 2 2 1 0",
        "wrong name, of 2 0 1 0",
        "unknown, of 2 0 0 1",
        "no face found, of 2 0 0 1",
    ]
