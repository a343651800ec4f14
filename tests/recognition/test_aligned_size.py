"""A network that takes 112 pixels is given faces that were aligned to 112, wherever faces are cut out for it."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import pytest

from lrfr_tf.benchmarks.embed_crops import embed_files, pad_to_square, stretch_to_square
from lrfr_tf.benchmarks.survface.benchmark import protocol as survface_protocol
from lrfr_tf.benchmarks.tinyface.benchmark import protocol as tinyface_protocol
from lrfr_tf.data.embeddings import load_embeddings
from lrfr_tf.errors import UserError
from lrfr_tf.export.embedder import servable_embedder
from lrfr_tf.faces.align import align_face
from lrfr_tf.faces.detect import Detection, FaceDetector
from lrfr_tf.files import read_json
from lrfr_tf.gallery.gallery import Gallery
from lrfr_tf.images.decode import write_png
from lrfr_tf.models.backbone import backbone
from lrfr_tf.networks.embedders import KerasEmbedder
from lrfr_tf.networks.embedding import load_embedder
from lrfr_tf.networks.exported_classifier import load_exported_classifier
from lrfr_tf.networks.super_resolution import bicubic
from lrfr_tf.recognition.calibration import DecisionRule
from lrfr_tf.recognition.face_crops import FaceCutter
from lrfr_tf.recognition.identifier import Identifier, identifier_of_classifier, warm_up
from lrfr_tf.recognition.recognizer import Recognizer
from lrfr_tf.study.extract import Extraction, extract_tree
from lrfr_tf.weights.backbone import save_weights, write_embedder_record
from tests.faces_by_code import write_people
from tests.faces_of_dots import face_of_dots, landmarks_at
from tests.small_classifier import write_small_classifier
from tests.tools.small_embedders import embed_by_hand, write_small_embedder

SIDE = 112
LANDMARKS = landmarks_at((70.3, 61.8), scale=0.7, degrees=12.0).astype(np.float32)


class KnownPlace(FaceDetector):
    """Finds one face at one place in every image."""

    def detect(self, images: Sequence[np.ndarray]) -> list[Detection]:
        center = LANDMARKS.mean(axis=0)
        box = np.array([[*(center - 23), *(center + 23)]], np.float32)
        return [Detection(box, np.ones(1, np.float32), LANDMARKS[None]) for _ in images]


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exports") / "small"
    return write_small_embedder(folder / "1", template="centred", input_size=SIDE).parent


@pytest.fixture
def photo() -> np.ndarray:
    return face_of_dots(LANDMARKS, 120, 150, radius=2.5)


def test_what_is_known_of_an_embedder_says_it(export: Path, tmp_path: Path) -> None:
    assert load_embedder(str(export)).aligned_size == SIDE
    # Without a template faces are not aligned, and older records have no size: then it is 128, as ever.
    for name, facts in (("box", {"template": None, "input_size": 160}), ("older", {"template": "lai"}), ("none", {})):
        write_small_embedder(tmp_path / name / "1", **facts)
        assert load_embedder(str(tmp_path / name)).aligned_size == 128
    network = keras.Sequential([keras.Input((160, 160, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])
    assert KerasEmbedder(network, "a FaceNet").aligned_size == 128


@pytest.mark.parametrize("size", [0, -1, 10**9, "112", 112.0, None, [112]])
def test_a_record_with_a_size_that_is_none_is_refused(size: object, tmp_path: Path) -> None:
    write_small_embedder(tmp_path / "1", template="centred", input_size=size)
    with pytest.raises(UserError, match="is not the record of an export"):
        load_embedder(str(tmp_path))


@pytest.mark.parametrize("super_resolved", [False, True])
def test_a_face_is_aligned_once(super_resolved: bool, photo: np.ndarray) -> None:
    resolver = bicubic(32, 128) if super_resolved else None
    cutter = FaceCutter(KnownPlace(), "aligned", super_resolver=resolver, template="centred", size=SIDE)
    ((face,),) = cutter.find([photo])
    assert face.pixels.shape == (SIDE, SIDE, 3)
    assert np.array_equal(face.pixels, align_face(photo, LANDMARKS, template="centred", size=SIDE)) != super_resolved


def test_every_recognizer_cuts_at_the_size_of_its_network(export: Path, portrait: np.ndarray, tmp_path: Path) -> None:
    embedder = load_embedder(str(export))
    write_people(tmp_path / "people", portrait, {"1": 1})
    seen: list[tuple[int, ...]] = []
    whole = embedder.embed

    def embed(faces: Sequence[np.ndarray]) -> np.ndarray:
        seen.extend(face.shape for face in faces)
        return whole(faces)

    embedder.embed = embed  # type: ignore[method-assign]
    detector = FaceDetector()
    rule = DecisionRule(threshold=0.0)
    recognizer = Recognizer(embedder, detector=detector)
    identifier = Identifier(recognizer, Gallery.from_folder(tmp_path / "people", recognizer, rule=rule))
    (faces,) = identifier.identify([portrait])
    assert faces
    warm_up(identifier, recognizer.cutter)
    assert set(seen) == {(SIDE, SIDE, 3)}
    assert (recognizer.cutter.size, recognizer.enroller.size) == (SIDE, SIDE)

    model = write_small_classifier(tmp_path / "classifier", template="centred", aligned_size=SIDE)
    assert identifier_of_classifier(str(model), detector, rule).finder.size == SIDE
    older = write_small_classifier(tmp_path / "older", template="centred")
    assert load_exported_classifier(older).aligned_size == 128


def test_stored_embeddings_are_of_faces_of_that_size(export: Path, photo: np.ndarray, tmp_path: Path) -> None:
    embedder = load_embedder(str(export))
    write_png(tmp_path / "tree" / "hr" / "val" / "1" / "0.png", photo)
    how = Extraction(KnownPlace(), embedder, "miss", {"name": "mtcnn"}, "centred")
    extract_tree(tmp_path / "tree" / "hr", ("val",), ["1"], how, output=tmp_path / "out", hr_output=None)
    assert read_json(tmp_path / "out" / "manifest.json")["aligned"] == {"template": "centred", "size": SIDE}
    (found,) = load_embeddings(tmp_path / "out", "val").embeddings
    face = align_face(photo, LANDMARKS, template="centred", size=SIDE)
    np.testing.assert_allclose(found, embed_by_hand(face), atol=1e-5)


def test_images_of_benchmarks_become_squares_of_that_size(export: Path, photo: np.ndarray, tmp_path: Path) -> None:
    embedder = load_embedder(str(export))
    path = tmp_path / "1" / "a.png"
    write_png(path, photo)
    for crop in (stretch_to_square, pad_to_square):
        ((found,),) = embed_files(embedder, [path], crop, "")
        np.testing.assert_allclose(found, embed_by_hand(crop(photo, SIDE)), atol=1e-5)
    ((found,),) = embed_files(embedder, [path], stretch_to_square, "", landmarks={("1", "a"): LANDMARKS})
    np.testing.assert_allclose(
        found, embed_by_hand(align_face(photo, LANDMARKS, template="centred", size=SIDE)), atol=1e-5
    )
    assert "112 x 112" in tinyface_protocol("none", SIDE, True, False, template="centred")
    assert "resized to 112 x 112" in survface_protocol(("verification",), SIDE, False)


@pytest.mark.slow
def test_a_mobilefacenet_of_a_run_and_its_export(tmp_path: Path) -> None:
    """Random weights: what counts is the record of the run, and with it the record and the warm-up of the export."""
    keras.utils.set_random_seed(0)
    network = backbone("mobilefacenet")
    model = tmp_path / "run" / "model"
    model.mkdir(parents=True)
    save_weights(network, model / "mobilefacenet.weights.h5")
    write_embedder_record(model, "centred", SIDE)
    embedder = load_embedder(str(model / "mobilefacenet.weights.h5"), backbone="mobilefacenet")
    assert (embedder.template, embedder.aligned_size) == ("centred", SIDE)
    servable = servable_embedder(model, "float16")
    assert (servable.facts["template"], servable.facts["input_size"]) == ("centred", SIDE)
    sizes = {request.inputs["faces"].shape[1] for request in servable.requests if "faces" in request.inputs}
    assert sizes == {SIDE, 16}
