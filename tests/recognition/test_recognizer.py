"""From photos to names: the right ones, at the right place, from any thread, and without tracing anything twice."""

import itertools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lrfr_tf.errors import UserError
from lrfr_tf.faces.align import align_face, template_points
from lrfr_tf.faces.cascade import compiled_cascade
from lrfr_tf.faces.detect import Detection, FaceDetector
from lrfr_tf.files import read_json
from lrfr_tf.gallery.gallery import Gallery
from lrfr_tf.images.decode import read_image, write_png
from lrfr_tf.images.resize import resize
from lrfr_tf.networks.embedding import Embedder
from lrfr_tf.networks.super_resolution import bicubic
from lrfr_tf.recognition.calibration import DecisionRule, Threshold, write_calibration
from lrfr_tf.recognition.face_crops import BUCKETS, FaceCutter, buckets_for, in_buckets
from lrfr_tf.recognition.identifier import IdentifiedFace, Identifier, identifier_of_classifier, warm_up
from lrfr_tf.recognition.recognizer import Recognizer, calibration_of, embed_faces
from tests.faces_by_code import person, write_people
from tests.faces_of_dots import face_of_dots, landmarks_at, positions_of_dots
from tests.small_classifier import write_small_classifier
from tests.strangers_by_code import strangers
from tests.tools.small_runs import small_embedder

ANY = DecisionRule(threshold=0.0)
PEOPLE = {"1": 2, "2": 2, "10": 2}
IDENTITIES = dict(zip(PEOPLE, range(len(PEOPLE)), strict=True))


class NoDetector(FaceDetector):
    """Where no detector may run."""

    def detect(self, images: Sequence[np.ndarray]) -> list[Detection]:
        raise AssertionError("The detector was called.")


class KnownPlaces(FaceDetector):
    """Finds what it was told, in every image."""

    def __init__(self, boxes: Sequence, landmarks: Sequence) -> None:
        count = len(boxes)
        self.found = Detection(np.array(boxes, np.float32), np.ones(count, np.float32), np.array(landmarks, np.float32))

    def detect(self, images: Sequence[np.ndarray]) -> list[Detection]:
        return [self.found for _ in images]


@pytest.fixture(scope="module")
def people(portrait: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("people")
    write_people(root, portrait, PEOPLE)
    return root


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return small_embedder()


def identifier_of(
    embedder: Embedder, people: Path, rule: DecisionRule | None = ANY, notes: list[str] | None = None, **how: Any
) -> Identifier:
    recognizer = Recognizer(embedder, **how)
    return Identifier(recognizer, Gallery.from_folder(people, recognizer, rule=rule, note=(notes or []).append))


@pytest.fixture(scope="module")
def identifier(people: Path, embedder: Embedder) -> Identifier:
    return identifier_of(embedder, people, cut="aligned")


def with_threshold(identifier: Identifier, score: float | None) -> Gallery:
    gallery = identifier.names
    assert isinstance(gallery, Gallery)
    return Gallery(gallery.names, gallery.embeddings, Threshold(score, "given"), gallery.embedder)


def test_every_face_gets_its_name_and_its_place(identifier: Identifier, portrait: np.ndarray) -> None:
    photos = [person(portrait, identity, 50) for identity in IDENTITIES.values()]
    group = np.concatenate(photos, axis=1)
    nobody = np.full((80, 100, 3), 200, np.uint8)
    answers = identifier.identify([photos[2], nobody, group, photos[0]])
    names = [[one.match.name for one in faces] for faces in answers]
    assert (names[0], names[1], names[3]) == (["10"], [], ["1"])
    assert {round(one.face.box[0]) // 96: one.match.name for one in answers[2]} == dict(enumerate(PEOPLE))
    for one in itertools.chain(*answers):
        face, match = one.face, one.match
        x1, y1, x2, y2 = face.box
        assert 25 < x2 - x1 < 96
        assert face.landmarks is not None
        assert all(x1 < x < x2 and y1 < y < y2 for x, y in face.landmarks)
        assert face.detection_score is not None
        assert 0.9 <= face.detection_score <= 1
        assert match.score == match.candidates[0].score == max(one.score for one in match.candidates) <= 1.0001
        assert {one.name for one in match.candidates} == set(PEOPLE)
    assert identifier.identify([]) == []


def test_a_person_is_the_mean_of_the_photos(people: Path, embedder: Embedder) -> None:
    detector = FaceDetector((0.6, 0.7, 0.8))
    notes: list[str] = []
    gallery = Gallery.from_folder(people, Recognizer(embedder, cut="aligned"), rule=ANY, note=notes.append)
    assert gallery.names == ["1", "2", "10"]
    assert notes == []
    embeddings, heights = [], []
    for path in sorted((people / "10").iterdir()):
        pixels = read_image(path)
        found = detector.detect([pixels])[0]
        embeddings.append(embedder.embed([align_face(pixels, found.landmarks[0])])[0])
        heights.append(found.boxes[0][3] - found.boxes[0][1])
    mean = np.average(embeddings, axis=0, weights=np.minimum(heights, 64))
    np.testing.assert_allclose(gallery.embeddings[2], mean / np.linalg.norm(mean), atol=1e-5)


def test_what_a_gallery_leaves_out_is_named(
    people: Path, embedder: Embedder, portrait: np.ndarray, tmp_path: Path
) -> None:
    write_png(tmp_path / "good" / "1.png", person(portrait, 0, 1))
    write_png(tmp_path / "wall" / "1.png", np.full((90, 90, 3), 128, np.uint8))
    for name in ("broken", "empty", ".hidden"):
        (tmp_path / name).mkdir()
    (tmp_path / "broken" / "1.jpg").write_text("this is text")
    notes: list[str] = []
    recognizer = Recognizer(embedder)
    assert Gallery.from_folder(tmp_path, recognizer, rule=ANY, note=notes.append).names == ["good"]
    told = " ".join(notes)
    assert "1.jpg is not an image that is known here" in told
    assert "wall/1.png shows no face" in told
    assert "wall has no photo in the gallery that shows a face" in told
    assert "broken has no photo in the gallery that shows a face" in told
    assert "empty has no photo in the gallery" in told
    assert len(notes) == 5
    (tmp_path / "good" / "1.png").unlink()
    with pytest.raises(UserError, match="No face was found in any photo of the gallery"):
        Gallery.from_folder(tmp_path, recognizer, rule=ANY, note=notes.append)


def test_below_the_threshold_nobody_is_named(identifier: Identifier, portrait: np.ndarray) -> None:
    small, large = person(portrait, 0, 60, 64), person(portrait, 0, 60, 192)
    (first,), (second,) = identifier.identify([small, large])
    exact = with_threshold(identifier, first.match.score)
    match = exact.identify(first.face)
    assert (match.name, match.decision) == ("1", "known")  # a score of the threshold or more
    assert [one.name for one in match.next_best] == ["2", "10"] or [one.name for one in match.next_best] == ["10", "2"]
    for score in (1.1, None):
        never = Identifier(identifier.finder, with_threshold(identifier, score))
        for (one,), before in zip(never.identify([small, large]), (first, second), strict=True):
            match = one.match
            assert (match.name, match.decision, match.score) == (None, "unknown", before.match.score)
            assert (match.candidates, match.threshold) == (before.match.candidates, score)  # who was nearest is told
            assert match.next_best == match.candidates


def test_faces_that_are_cropped_already(identifier: Identifier, portrait: np.ndarray) -> None:
    recognizer = identifier.finder
    assert isinstance(recognizer, Recognizer)
    without = Identifier(Recognizer(recognizer.embedder, cut="aligned", detector=NoDetector()), identifier.names)
    photo = recognizer.analyze(person(portrait, 1, 50))
    tiny = [resize(photo[0].pixels, side, side) for side in (16, 12)]
    faces = without.identify_crops([*tiny, photo[0].pixels])
    assert [one.match.name for one in faces] == ["2", "2", "2"]
    assert [one.face.box for one in faces] == [(0, 0, 16, 16), (0, 0, 12, 12), (0, 0, 128, 128)]
    assert faces[0].face.landmarks is None
    assert faces[0].face.detection_score is None
    for odd in ((1, 1), (1, 300), (5, 2)):
        (one,) = without.identify_crops([np.zeros((*odd, 3), np.uint8)])
        assert one.match.name in (*PEOPLE, None)
    for wrong in (np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8), "a path"):
        with pytest.raises(ValueError, match="Face 1"):
            without.identify_crops([tiny[0], wrong])  # type: ignore[list-item]


@pytest.mark.parametrize("count", [1, 2, 3, 5, 7, 8, 14, 27, 28, 32, 33, 100])
def test_batches_have_few_sizes_and_little_padding(count: int) -> None:
    batches = list(buckets_for(count))
    assert set(batches) <= set(BUCKETS)
    assert 0 <= sum(batches) - count <= batches[-1] / 8
    assert len(batches) <= count // 32 + 5


def test_what_was_padded_is_cut_off() -> None:
    random = np.random.default_rng(0)
    images = [random.integers(0, 256, (*side, 3), np.uint8) for side in [(4, 4)] * 7 + [(2, 9)] * 3 + [(4, 4)] * 8]
    sizes = []

    def sums(batch: np.ndarray) -> np.ndarray:
        sizes.append(len(batch))
        return batch.reshape(len(batch), -1).sum(axis=1)

    order = random.permutation(len(images))
    assert in_buckets(sums, [images[i] for i in order]) == [images[i].sum() for i in order]
    assert sizes == ([16, 2, 1] if images[order[0]].shape[0] == 4 else [2, 1, 16])
    assert in_buckets(sums, []) == []


def test_nothing_is_traced_twice(people: Path, portrait: np.ndarray) -> None:
    embedder, resolver = small_embedder(), bicubic()
    identifier = identifier_of(embedder, people, cut="aligned", super_resolver=resolver)
    assert isinstance(identifier.finder, Recognizer)
    warm_up(identifier, identifier.finder.cutter)

    def traces() -> tuple[int, int, int]:
        of_embedder = embedder._embed_batch.experimental_get_tracing_count()
        return compiled_cascade().traces, of_embedder, id(resolver._compiled)

    before = traces()
    assert before[:2] == (3, 1)
    for count in (1, 3, 6, 33):
        size = 60 + 7 * count
        identifier.identify([np.concatenate([person(portrait, 0, 80, size)] * min(count, 4), axis=1)])
        identifier.identify_crops([np.full((16, 16, 3), 9, np.uint8), np.zeros((40, 50, 3), np.uint8)] * count)
    assert traces() == before


def test_a_thousand_calls_from_threads(identifier: Identifier, portrait: np.ndarray) -> None:
    """Every answer is the serial one, to the bit."""
    photos = [person(portrait, identity, photo, 46 + photo) for photo in (0, 3, 6) for identity in (0, 1, 2)]
    photos += [np.concatenate([photos[0], photos[1]], axis=1), np.full((50, 40, 3), 90, np.uint8)]
    calls = [[photos[i % len(photos)]] if i % 7 else [photos[i % len(photos)], photos[0]] for i in range(1000)]
    serial = {}
    for call in calls:
        key = tuple(map(id, call))
        if key not in serial:
            serial[key] = identifier.identify(call)
    assert sum(len(faces) for faces in itertools.chain(*serial.values())) > 20
    with ThreadPoolExecutor(max_workers=16) as pool:
        answers = list(pool.map(identifier.identify, calls))
    assert len(answers) == 1000
    for call, answer in zip(calls, answers, strict=True):
        assert in_plain_values(answer) == in_plain_values(serial[tuple(map(id, call))])


def in_plain_values(answer: list[list[IdentifiedFace]]) -> list:
    return [[(one.face.box, one.face.embedding.tobytes(), one.match) for one in faces] for faces in answer]


@pytest.mark.parametrize("super_resolved", [False, True])
def test_an_aligned_face_lies_on_the_template(super_resolved: bool) -> None:
    landmarks = landmarks_at((70.3, 61.8), scale=0.7, degrees=12.0)
    photo = face_of_dots(landmarks, 120, 150, radius=2.5)
    center, half = landmarks.mean(axis=0), 23.0
    detector = KnownPlaces([[*(center - half), *(center + half)]], [landmarks])
    cutter = FaceCutter(detector, "aligned", super_resolver=bicubic(32, 128) if super_resolved else None)
    ((face,),) = cutter.find([photo])
    expected = align_face(photo, landmarks)
    assert face.pixels.shape == (128, 128, 3)
    if not super_resolved:
        np.testing.assert_array_equal(face.pixels, expected)
        return
    assert not np.array_equal(face.pixels, expected)  # it went through 32 pixels
    # The template is not the shape of the dots: the landmarks lie where a direct alignment puts them.
    wanted = positions_of_dots(expected, template_points(), window=14)
    np.testing.assert_allclose(positions_of_dots(face.pixels, template_points(), window=14), wanted, atol=1.5)


@pytest.mark.parametrize("cut", ["aligned", "box", "square"])
def test_native_pixels_are_those_of_the_photo(portrait: np.ndarray, cut: str) -> None:
    """Beside the template's 112 pixels a face of 30 has its own; one of 300 what the network is given."""
    for scale, has_fewer in ((0.3, True), (3.0, False)):
        landmarks = landmarks_at((256, 200), scale=scale)
        center, half = landmarks.mean(axis=0), 50 * scale
        detector = KnownPlaces([[*(center - half), *(center + half)]], [landmarks])
        cutter = FaceCutter(detector, cut, super_resolver=bicubic(20, 80), template="centred", size=112)
        ((face,),) = cutter.find([portrait])
        native = cutter.native(portrait, face)
        plain = FaceCutter(detector, cut, template="centred", size=112).find([portrait])[0][0]
        assert max(native.shape) < max(face.pixels.shape) or not has_fewer
        if cut == "box" or not has_fewer:
            np.testing.assert_array_equal(native, plain.pixels)
        else:
            assert 0.2 * 112 < len(native) < 0.5 * 112
            again = resize(native, *plain.pixels.shape[:2]).astype(np.float64)
            assert np.abs(again - plain.pixels).mean() < 3
    (crop,) = cutter.take([portrait[:40, :30]])
    np.testing.assert_array_equal(cutter.native(portrait, crop), crop.pixels)


def test_only_small_faces_are_super_resolved(portrait: np.ndarray) -> None:
    """16 to 64 pixels: squares of 32 pixels and less, at a box of 24.6."""
    landmarks = landmarks_at((256, 100))
    small, large = [240, 90, 264.6, 110], [240, 90, 265, 110]
    cutter = FaceCutter(KnownPlaces([small, large], [landmarks] * 2), "square", super_resolver=bicubic())
    (faces,) = cutter.find([portrait])
    assert all(face.pixels.shape == (64, 64, 3) for face in faces)
    # The square of 32 around (252.3, 100) begins at (236, 84); through 16 pixels, it has lost its detail.
    square = portrait[84:116, 236:268]
    np.testing.assert_array_equal(faces[0].pixels, resize(resize(square, 16, 16), 64, 64))
    square = portrait[84:117, 236:269]
    assert not np.array_equal(faces[1].pixels, resize(resize(square, 16, 16), 64, 64))
    np.testing.assert_allclose(faces[1].height, 20)
    box = FaceCutter(KnownPlaces([small], [landmarks]), "box", super_resolver=bicubic())
    assert box.find([portrait])[0][0].pixels.shape[1] in (50, 51)  # 24.6 of 32 pixels, at 64
    crops = box.take([np.zeros((32, 20, 3), np.uint8), np.zeros((33, 20, 3), np.uint8)])
    assert [crop.pixels.shape[:2] for crop in crops] == [(64, 64), (33, 20)]


def test_names_of_an_exported_classifier(portrait: np.ndarray, tmp_path: Path) -> None:
    write_small_classifier(tmp_path / "colors" / "1", closed_set=True)
    identifier = identifier_of_classifier(str(tmp_path / "colors"), FaceDetector())
    assert identifier.finder.cut == "box"
    strong, weak = np.full((16, 16, 3), (10, 200, 20), np.uint8), np.full((20, 30, 3), (30, 50, 60), np.uint8)
    green, grey = identifier.identify_crops([strong, weak])
    assert (green.match.name, green.match.rule) == ("Mr Grün", Threshold(0.5, "closed_set"))
    np.testing.assert_allclose(green.match.score, 200 / 230, rtol=1e-5)
    assert grey.match.decision == "unknown"
    assert [one.name for one in grey.match.candidates] == ["Dr Blue", "Mr Grün", "Ms Red"]
    (one,) = identifier.identify([portrait])[0]
    x1, y1, x2, y2 = (int(value) for value in one.face.box)
    colors = portrait[y1:y2, x1:x2].mean(axis=(0, 1))
    assert one.match.candidates[0].name == "Ms Red"
    np.testing.assert_allclose(one.match.score, colors[0] / colors.sum(), atol=0.01)
    write_small_classifier(tmp_path / "chain" / "1", super_resolver="srgan")
    assert identifier_of_classifier(str(tmp_path / "chain"), FaceDetector()).finder.cut == "square"


def test_a_threshold_must_come_from_somewhere(people: Path, embedder: Embedder, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"stand-in has no calibration: make one with lrfr calibrate"):
        identifier_of(embedder, people, None)
    with pytest.raises(UserError, match="stand-in behind bicubic"):
        identifier_of(embedder, people, None, strangers=strangers(), super_resolver=bicubic())
    assert calibration_of("facenet", embedder) is None
    calibrated = identifier_of(embedder, people, None, strangers=strangers())
    assert calibrated.threshold == DecisionRule().threshold_for(strangers(), len(PEOPLE))
    assert calibrated.threshold.persons == 3
    write_small_classifier(tmp_path / "cosines" / "1", head="cosine")
    with pytest.raises(UserError, match="compares with templates and has no calibration.json"):
        identifier_of_classifier(str(tmp_path / "cosines"), FaceDetector())
    given = identifier_of_classifier(str(tmp_path / "cosines"), FaceDetector(), DecisionRule(threshold=0.7))
    assert given.threshold.score == 0.7
    record = read_json(tmp_path / "cosines" / "1" / "model.json")
    write_calibration(tmp_path / "cosines", record, strangers(), {})
    carried = identifier_of_classifier(str(tmp_path / "cosines"), FaceDetector())
    assert carried.threshold == DecisionRule().threshold_for(strangers(), 3)


def test_probabilities_tell_no_strangers(tmp_path: Path) -> None:
    """A head that gives probabilities is as sure of a stranger as of its own persons: such an export names nobody."""
    strong = np.full((16, 16, 3), (10, 200, 20), np.uint8)
    write_small_classifier(tmp_path / "open" / "1")
    for rule in (DecisionRule(), DecisionRule(threshold=0.1)):
        (one,) = identifier_of_classifier(str(tmp_path / "open"), FaceDetector(), rule).identify_crops([strong])
        match = one.match
        assert (match.name, match.decision, match.candidates[0].name) == (None, "unknown", "Mr Grün")
        assert match.rule.as_json() == {"rule": "none", "extrapolated": False}
    write_small_classifier(tmp_path / "one" / "1", classes=1)
    with pytest.raises(UserError, match="one/1: a logistic head of one person names everybody"):
        identifier_of_classifier(str(tmp_path / "one"), FaceDetector())


def test_faces_of_any_size_embed_as_one_by_one(embedder: Embedder) -> None:
    random = np.random.default_rng(3)
    faces = [random.integers(0, 256, (side, side + 3, 3), np.uint8) for side in (20, 31, 20, 64, 5)]
    together = embed_faces(embedder, faces)
    np.testing.assert_allclose(together, np.concatenate([embedder.embed([face]) for face in faces]), atol=1e-6)
    np.testing.assert_allclose(embedder.embed(faces), together, atol=1e-6)
    assert embed_faces(embedder, []).shape == (0, embedder.dimensions)


def test_faces_are_cut_out_on_the_template_of_the_model(people: Path, embedder: Embedder) -> None:
    photo = read_image(people / "10" / "00.png")
    detector = FaceDetector()
    points = detector.detect([photo])[0].landmarks[0]
    (face,) = FaceCutter(detector, "aligned", template="centred").find([photo])[0]
    np.testing.assert_array_equal(face.pixels, align_face(photo, points, template="centred"))
    (face,) = FaceCutter(detector, "aligned").find([photo])[0]
    np.testing.assert_array_equal(face.pixels, align_face(photo, points, template="lai"))
    with pytest.raises(UserError, match=r"aligned elsewhere \(template 'as delivered'\)"):
        FaceCutter(detector, "aligned", template="as delivered")
    own = small_embedder()
    own.template = "centred"
    assert Recognizer(own, detector=detector).cutter.template == "centred"
