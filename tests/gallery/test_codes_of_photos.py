"""The table of codes of docs/enrolling.md, from files to answers, by the shipped network, at each level.

The expected verdicts are written out here, not taken from the table in code.
"""

import csv
import dataclasses
import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lrfr_tf.gallery.enroll import Answer
from lrfr_tf.gallery.gallery import Gallery
from lrfr_tf.gallery.references import Reference
from lrfr_tf.images.camera_numpy import photograph
from lrfr_tf.recognition.recognizer import Recognizer
from tests.gallery.photos_by_code import as_bytes, beside, blurred, head, wall, write

ACCEPTED, WARNING, REJECTED = "accepted", "accepted_with_warning", "rejected"
LEVELS = ("off", "standard", "strict")
OF_LEVELS = pytest.mark.parametrize("level", LEVELS)
DOUBTED = dict(zip(LEVELS, (ACCEPTED, WARNING, REJECTED), strict=True))  # most codes; at "off" nothing is said
COPIES = dict(zip(LEVELS, (ACCEPTED, REJECTED, REJECTED), strict=True))
Enroll = Callable[..., Answer]


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer("siamese")


@pytest.fixture
def gallery(recognizer: Recognizer, tmp_path: Path) -> Iterator[Gallery]:
    with Gallery.create(tmp_path / "people.db", recognizer) as gallery:
        yield gallery


@pytest.fixture
def enroll(gallery: Gallery, tmp_path: Path) -> Enroll:
    """Enrolls one file of a person, and checks that just what was not rejected is stored."""
    numbers = iter(range(100))

    def call(content: bytes | Image.Image, level: str, person: str = "eileen") -> Answer:
        content = content if isinstance(content, bytes) else as_bytes(content)
        before = len(gallery.references())
        answer = gallery.enroll(person, write(tmp_path / f"{next(numbers)}.png", content), level)
        assert len(gallery.references()) - before == (answer.verdict != REJECTED)
        assert (answer.reference is None) == (answer.verdict == REJECTED)
        assert bool(answer.sentence) == bool(answer.codes)
        return answer

    return call


def check(answer: Answer, code: str, verdict: str) -> None:
    """One code alone is said; none where a photo is simply accepted."""
    assert (answer.verdict, answer.codes) == (verdict, () if verdict == ACCEPTED else (code,))


@OF_LEVELS
def test_a_sharp_photo_without_fault_is_accepted(enroll: Enroll, portrait: np.ndarray, level: str) -> None:
    check(enroll(head(portrait, 70), level), "", ACCEPTED)


@OF_LEVELS
@pytest.mark.parametrize(
    "content", [b"", b"this is text", as_bytes(Image.new("RGB", (50, 50)))[:40]], ids=["empty", "text", "cut off"]
)
def test_what_is_no_picture(enroll: Enroll, content: bytes, level: str) -> None:
    check(enroll(content, level), "unreadable", REJECTED)


@OF_LEVELS
def test_a_picture_without_a_face(enroll: Enroll, level: str) -> None:
    check(enroll(wall(), level), "no_face", REJECTED)


@OF_LEVELS
@pytest.mark.parametrize("height", [10, 13, 17, 21, 28])
def test_small_faces_are_never_refused_for_it_at_standard(
    enroll: Enroll, gallery: Gallery, portrait: np.ndarray, level: str, height: int
) -> None:
    check(enroll(head(portrait, height), level), "small", DOUBTED[level])
    assert all(8 <= reference.height < 32 for reference in gallery.references())


@OF_LEVELS
@pytest.mark.parametrize("height", [36, 50])
def test_a_face_of_under_forty_pixels_is_not_small_from_32_on(
    enroll: Enroll, portrait: np.ndarray, level: str, height: int
) -> None:
    check(enroll(head(portrait, height), level), "", ACCEPTED)


@OF_LEVELS
def test_a_face_under_eight_pixels(enroll: Enroll, gallery: Gallery, portrait: np.ndarray, level: str) -> None:
    whole = Image.fromarray(portrait)
    side = round(0.07 * whole.width)
    answer = enroll(whole.resize((side, side), Image.Resampling.BICUBIC), level)
    assert answer.verdict == {"off": WARNING, "standard": REJECTED, "strict": REJECTED}[level]
    assert answer.codes[0] == "face_too_small"
    assert all(reference.height < 8 for reference in gallery.references())


@OF_LEVELS
@pytest.mark.parametrize(("share", "is_rival"), [(0.85, True), (0.5, False)])
def test_several_faces(enroll: Enroll, portrait: np.ndarray, level: str, share: float, is_rival: bool) -> None:
    check(enroll(beside(portrait, 80, share), level), "several_faces", DOUBTED[level] if is_rival else ACCEPTED)


@OF_LEVELS
def test_a_face_out_of_focus(enroll: Enroll, portrait: np.ndarray, level: str) -> None:
    check(enroll(blurred(portrait, 70, 1.5), level), "blurred", DOUBTED[level])


@OF_LEVELS
@pytest.mark.parametrize(("degrees", "is_extreme"), [(20, False), (65, True), (-65, True)])
def test_a_turned_head(
    enroll: Enroll, recognizer: Recognizer, portrait: np.ndarray, monkeypatch: pytest.MonkeyPatch,
    *, level: str, degrees: float, is_extreme: bool,
) -> None:  # fmt: skip
    """The landmarks of a turned head are put in the detector's place, as the portrait looks into the camera."""
    picture = head(portrait, 70)
    detector = recognizer.enroller.detector
    found = detector.detect([np.asarray(picture)])[0]
    eyes = np.linalg.norm(found.landmarks[0, 1] - found.landmarks[0, 0])
    turned = dataclasses.replace(found, landmarks=seen_from_the_side(degrees, eyes, found.landmarks[0, 2])[None])
    monkeypatch.setattr(detector, "detect", lambda images: [turned for _ in images])
    check(enroll(picture, level), "extreme_pose", DOUBTED[level] if is_extreme else ACCEPTED)


def seen_from_the_side(degrees: float, eyes: float, nose: np.ndarray) -> np.ndarray:
    """Five points of a plain head that is turned about its vertical axis, float32 [5, 2]."""
    head = np.array([[-0.5, -0.5, 0], [0.5, -0.5, 0], [0, 0, -0.45], [-0.4, 0.5, 0.1], [0.4, 0.5, 0.1]]) * eyes
    angle = np.radians(degrees)
    across = head[:, 0] * np.cos(angle) + head[:, 2] * np.sin(angle)
    return (np.stack([across, head[:, 1]], axis=1) + nose).astype(np.float32)


@OF_LEVELS
def test_the_same_bytes_are_not_stored_twice(enroll: Enroll, portrait: np.ndarray, level: str) -> None:
    content = as_bytes(head(portrait, 70))
    enroll(content, "off")
    check(enroll(content, level), "duplicate", COPIES[level])


@OF_LEVELS
@pytest.mark.parametrize("copy", ["JPEG", "smaller", "larger"])
def test_a_copy_of_a_picture_is_not_stored_twice(enroll: Enroll, portrait: np.ndarray, level: str, copy: str) -> None:
    picture = head(portrait, 80)
    enroll(picture, "off")
    factor = {"smaller": 0.6, "larger": 1.4}.get(copy, 1)
    side = round(picture.width * factor)
    again = as_bytes(picture.resize((side, side), Image.Resampling.BICUBIC), "JPEG", quality=70)
    check(enroll(again, level), "duplicate", COPIES[level])


@OF_LEVELS
def test_a_photo_unlike_the_person(enroll: Enroll, gallery: Gallery, portrait: np.ndarray, level: str) -> None:
    """Whoever is enrolled as eileen has a face that is at a right angle to hers."""
    dimensions = gallery.identity.dimensions
    other = np.random.default_rng(0).standard_normal(dimensions).astype(np.float32)
    gallery.add("eileen", [Reference(other / np.linalg.norm(other), height=90.0)])
    check(enroll(head(portrait, 70), level), "unlike_the_person", DOUBTED[level])


@OF_LEVELS
def test_a_photo_like_another_person(enroll: Enroll, gallery: Gallery, portrait: np.ndarray, level: str) -> None:
    enroll(head(portrait, 70), "off")
    mirrored = np.ascontiguousarray(portrait[:, ::-1])
    picture = Image.fromarray(mirrored).crop((512 - 350, 5, 512 - 110, 245))
    answer = enroll(picture, level, person="anna")
    check(answer, "like_another_person", DOUBTED[level])
    if level != "off":
        face = gallery.recognizer.enroller.find([np.asarray(picture)])[0][0]
        score = float(gallery.recognizer.embed([face])[0] @ gallery.references("eileen")[0].embedding)
        assert "eileen" in answer.sentence
        assert f"{score:.2f}" in answer.sentence


@pytest.mark.shared_data
@OF_LEVELS
def test_real_faces_of_others(enroll: Enroll, gallery: Gallery, shared_data: Path, level: str) -> None:
    """A photo of one person under another's name, before and after its own person is enrolled."""
    anna, berta = (real_photos(shared_data, person) for person in ("05035", "05075"))
    for photo in anna[:4]:
        check(enroll(photo, level, person="anna"), "", ACCEPTED)
    check(enroll(berta[0], level, person="anna"), "unlike_the_person", DOUBTED[level])
    for photo in berta[1:4]:
        enroll(photo, "off", person="berta")
    answer = enroll(berta[4], level, person="anna")
    assert answer.verdict == DOUBTED[level]
    assert answer.codes == (() if level == "off" else ("like_another_person", "unlike_the_person"))
    assert level == "off" or "berta" in answer.sentence


@pytest.mark.shared_data
@pytest.mark.parametrize("camera", ["clean", "moderate"])
@pytest.mark.parametrize("height", [16, 24, 36])
def test_small_real_faces_are_not_refused(enroll: Enroll, shared_data: Path, camera: str, height: int) -> None:
    """Of one person's photos as cameras take them nearly all are accepted at "standard"; none is refused as small."""
    photos = [np.array(Image.open(io.BytesIO(photo))) for photo in real_photos(shared_data, "05035")]
    answers = [enroll(Image.fromarray(small_photo(photo, height, camera)), "standard") for photo in photos]
    assert {answer.codes[0] for answer in answers if answer.verdict == REJECTED} <= {"no_face", "duplicate"}
    assert sum(answer.verdict != REJECTED for answer in answers) >= len(answers) - 2
    assert all(("small" in answer.codes) == (height < 30) for answer in answers if answer.verdict != REJECTED)


@pytest.mark.shared_data
def test_heads_in_profile(recognizer: Recognizer, shared_data: Path, tmp_path: Path) -> None:
    """By the points that come with the photos: how far the eyes are apart, beside their distance to the mouth."""
    with zipfile.ZipFile(shared_data / "vggface2" / "vgg_heads.zip") as archive:
        rows = list(csv.reader(io.StringIO(archive.read("vgg_heads/points.csv").decode())))[1:]
        points = {row[0]: np.array(row[1:11], float).reshape(5, 2) for row in rows}
        eyes = {name: abs(own[1, 0] - own[0, 0]) / (own[3:, 1] - own[:2, 1]).mean() for name, own in points.items()}
        shares = {}
        for what, chosen in (("profile", lambda ratio: ratio < 0.4), ("frontal", lambda ratio: ratio > 0.95)):
            names = [name for name in sorted(eyes) if chosen(eyes[name])][:40]
            with Gallery.create(tmp_path / f"{what}.db", recognizer) as gallery:
                answers = [
                    gallery.enroll(what, write(tmp_path / name.replace("/", "-"), archive.read(name))) for name in names
                ]
            seen = [answer for answer in answers if answer.codes[:1] != ("no_face",)]
            shares[what] = np.mean(["extreme_pose" in answer.codes for answer in seen])
            assert len(seen) >= 20
    assert shares["profile"] > 0.7
    assert shares["frontal"] < 0.05


def real_photos(shared_data: Path, person: str) -> list[bytes]:
    """The files of one person of CelebA."""
    with zipfile.ZipFile(shared_data / "celeba" / "celeba_people.zip") as archive:
        return [archive.read(name) for name in sorted(archive.namelist()) if f"/{person}/" in name and "jpg" in name]


def small_photo(photo: np.ndarray, height: int, camera: str) -> np.ndarray:
    """A head crop as a camera takes it from so far that its face is about so many pixels high."""
    side = min(photo.shape[:2])
    top, left = (photo.shape[0] - side) // 2, (photo.shape[1] - side) // 2
    square = photo[top : top + side, left : left + side]
    return photograph(square, round(1.75 * height), camera, 0, misplaced=False)
