"""Hostile inputs to all that takes faces: a right answer or one clear error, and never the end of the process."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from lrfr_tf.export.classifier import servable_classifier
from lrfr_tf.export.embedder import servable_embedder
from lrfr_tf.export.super_resolution import servable_super_resolver
from lrfr_tf.faces.align import align_face, template_points
from lrfr_tf.faces.detect import FaceDetector
from lrfr_tf.models.backbone import backbone
from lrfr_tf.models.facenet import UnitLength
from lrfr_tf.models.srgan import generator_paper
from lrfr_tf.networks.embedders import KerasEmbedder
from lrfr_tf.networks.embedding import Embedder, load_embedder
from lrfr_tf.networks.super_resolution import save_super_resolver
from lrfr_tf.networks.super_resolvers import KerasSuperResolver
from lrfr_tf.training.classifier import fit_classifier
from lrfr_tf.weights.backbone import write_embedder_record
from tests.embeddings_by_code import random_embeddings

ROOT = Path(__file__).parents[2]
# What ships has a card; others are somebody's own exports.
SHIPPED = sorted(
    path.parent
    for path in ROOT.glob("saved_models/*/*/saved_model.pb")
    if (path.parents[1] / "MODEL_CARD.md").is_file()
)
FRESH = ["classifier", "super_resolver", "two embedders in bfloat16"]
# Every refusal names what it refuses: the input, the kind of file, or the type that was expected.
NAMED = r"\b(faces|images?|image_bytes|verify|JPEG|PNG|BMP|uint8 tensor|string tensor)\b"


@pytest.fixture(scope="module")
def small_embedder(tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    """A network of the real form, with weights that nobody trained."""
    path = tmp_path_factory.mktemp("weights") / "small.weights.h5"
    keras.utils.set_random_seed(0)
    backbone("spherenet4").save_weights(path)
    write_embedder_record(path.parent, "lai", 128)
    return load_embedder(str(path), backbone="spherenet4")


@pytest.fixture(scope="module")
def classifier_export(small_embedder: Embedder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SavedModel of seven classes."""
    folder = tmp_path_factory.mktemp("classifier")
    faces = random_embeddings(14, small_embedder.dimensions, classes=7)
    names = [f"person {number}" for number in range(7)]
    fit_classifier("cosine", faces, faces, names, embedder_name=small_embedder.name, seed=0).save(folder / "head")
    servable = servable_classifier(folder / "head", small_embedder)
    tf.saved_model.save(servable.module, str(folder / "1"), signatures=servable.signatures)
    return folder / "1"


@pytest.fixture(scope="module")
def super_resolver_export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SavedModel of a small generator."""
    folder = tmp_path_factory.mktemp("super_resolver")
    save_super_resolver(folder / "model", KerasSuperResolver("srgan", generator_paper(16, blocks=1, filters=4)))
    servable = servable_super_resolver(folder / "model")
    tf.saved_model.save(servable.module, str(folder / "1"), signatures=servable.signatures)
    return folder / "1"


@pytest.fixture(scope="module")
def embedder_export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SavedModel of a small embedder whose weights are constants of the graph."""
    folder = tmp_path_factory.mktemp("embedder")
    (folder / "small").mkdir()
    # The fewest weights of all: whenever a signature is first called, those in its graph are copied a hundred times.
    backbone("mobilefacenet").save_weights(folder / "small" / "mobilefacenet.weights.h5")
    write_embedder_record(folder / "small", "centred", 112)
    servable = servable_embedder(folder / "small", compute="bfloat16")
    tf.saved_model.save(servable.module, str(folder / "1"), signatures=servable.signatures)
    return folder / "1"


@pytest.fixture(scope="module")
def returned(
    classifier_export: Path, super_resolver_export: Path, embedder_export: Path
) -> dict[Any, list[dict[str, Any]]]:
    """What came of every request, by the model; all models are asked in one process."""
    folders = [*map(str, SHIPPED), str(classifier_export), str(super_resolver_export), str(embedder_export)]
    command = [sys.executable, "-X", "faulthandler", "-m", "tests.hostile_requests_by_code", *folders]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, f"ended with {done.returncode} at {lines[-1:]}: {done.stderr[-3000:]}"
    return {
        name: [line for line in lines if line["model"] == folder and line["result"] != "under way"]
        for name, folder in zip([*SHIPPED, *FRESH], folders, strict=True)
    }


def test_nothing_is_left_to_xla(classifier_export: Path, super_resolver_export: Path, embedder_export: Path) -> None:
    for folder in (classifier_export, super_resolver_export, embedder_export):
        graph = SavedModel.FromString((folder / "saved_model.pb").read_bytes()).meta_graphs[0].graph_def
        assert len(graph.library.function) > 3
        assert not any(function.attr["_XlaMustCompile"].b for function in graph.library.function)


@pytest.mark.parametrize("model", [*SHIPPED, *FRESH], ids=[*(folder.parent.name for folder in SHIPPED), *FRESH])
def test_every_signature_answers_or_refuses(model: Any, returned: dict[Any, list[dict[str, Any]]]) -> None:
    results = returned[model]
    wrong = [line for line in results if line["result"] != line["wanted"]]
    assert wrong == []
    if model in FRESH:  # the words of a shipped model are those of the day of its export
        refused = [line for line in results if line["result"] == "an error"]
        assert [line for line in refused if not re.search(NAMED, line["words"])] == []
    signatures = {line["signature"] for line in results}
    assert len(signatures) >= 3
    for signature in signatures:
        ours = [line for line in results if line["signature"] == signature]
        assert sum(line["result"] == "an answer" for line in ours) >= 4
        assert sum(line["result"] == "an error" for line in ours) >= 12


@pytest.fixture(scope="module")
def linear_embedder() -> Embedder:
    """A linear map of 12 x 12 pixels."""
    keras.utils.set_random_seed(0)
    images = keras.Input((12, 12, 3))
    x = keras.layers.Dense(5, name="map", bias_initializer="ones")(keras.layers.Flatten()(images))
    return KerasEmbedder(keras.Model(images, UnitLength()(x)), "linear", batch_size=4)


def memory_orders(image: np.ndarray) -> dict[str, np.ndarray]:
    """The same pixels, laid out in memory in every other way."""
    read_only = image.copy()
    read_only.setflags(write=False)
    strided = np.zeros((image.shape[0] * 2, image.shape[1] * 3, 3), np.uint8)
    strided[::2, ::3] = image
    return {
        "read-only": read_only,
        "Fortran": np.asfortranarray(image),
        "strided": strided[::2, ::3],
        "reversed": np.ascontiguousarray(image[::-1, ::-1])[::-1, ::-1],
        "channels reversed": np.ascontiguousarray(image[..., ::-1])[..., ::-1],
        "of a wider array": np.concatenate([image, image[..., :1]], axis=-1)[..., :3],
    }


@pytest.mark.parametrize("side", [12, 31])
def test_the_order_in_memory_changes_no_embedding(linear_embedder: Embedder, side: int) -> None:
    face = np.random.default_rng(0).integers(0, 256, (side, side + 1, 3), dtype=np.uint8)[:, :side]
    (expected,) = linear_embedder.embed([face.copy()])
    for name, same in memory_orders(face).items():
        assert np.array_equal(same, face)
        np.testing.assert_allclose(linear_embedder.embed([same])[0], expected, atol=1e-6, err_msg=name)


def test_the_order_in_memory_changes_no_detection(portrait: np.ndarray) -> None:
    photo = np.asarray(Image.fromarray(portrait[:240, 100:340]).resize((120, 120)))
    detector = FaceDetector()
    (expected,) = detector.detect([photo.copy()])
    assert expected.found
    for found, name in zip(detector.detect(list(memory_orders(photo).values())), memory_orders(photo), strict=True):
        np.testing.assert_allclose(found.boxes, expected.boxes, atol=1e-3, err_msg=name)
        np.testing.assert_allclose(found.landmarks, expected.landmarks, atol=1e-3, err_msg=name)


def test_the_order_in_memory_changes_no_aligned_face(portrait: np.ndarray) -> None:
    for scale in (0.7, 3.0):  # enlarged and, through `resize`, shrunk
        landmarks = template_points("lai", 128) * scale + (20, 10)
        expected = align_face(portrait.copy(), landmarks)
        for name, same in memory_orders(portrait).items():
            np.testing.assert_array_equal(align_face(same, landmarks), expected, err_msg=name)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (2, 3)])
def test_faces_of_odd_sizes_are_embedded_and_aligned(linear_embedder: Embedder, shape: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    for face in (np.zeros((*shape, 3), np.uint8), random.integers(0, 256, (*shape, 3), dtype=np.uint8)):
        np.testing.assert_allclose(np.linalg.norm(linear_embedder.embed([face]), axis=1), 1, atol=1e-5)
        aligned = align_face(face, template_points() * 0.1)
        assert aligned.shape == (128, 128, 3)
        assert aligned.dtype == np.uint8
        assert aligned.max() <= 255 * bool(face.max())


def test_nothing_to_do_is_an_empty_answer(linear_embedder: Embedder) -> None:
    assert FaceDetector().detect([]) == []
    assert FaceDetector().detect(np.zeros((0, 64, 64, 3), np.uint8)) == []
    assert linear_embedder.embed([]).shape == (0, 5)


GOOD = np.zeros((20, 20, 3), np.uint8)
WRONG_PICTURES: dict[str, Any] = {
    "no pixels": GOOD[:0],
    "no columns": GOOD[:, :0],
    "grey": GOOD[..., :1],
    "two dimensions": GOOD[..., 0],
    "four channels": np.zeros((20, 20, 4), np.uint8),
    "floats": GOOD.astype(np.float32),
    "a batch": GOOD[None],
    "a list": GOOD.tolist(),
    "nothing": None,
}


@pytest.mark.parametrize("what", WRONG_PICTURES)
def test_other_arrays_are_refused(linear_embedder: Embedder, what: str) -> None:
    wrong = WRONG_PICTURES[what]
    calls: list[Callable[[], Any]] = [
        lambda: FaceDetector().detect([GOOD, wrong]),
        lambda: linear_embedder.embed([GOOD, wrong]),
        lambda: align_face(wrong, template_points()),
    ]
    for call in calls:
        with pytest.raises(ValueError, match=r"\[H, W, 3\]|uint8"):
            call()


@pytest.mark.parametrize("shape", [(40, 40_000), (40_000, 40)])
def test_a_face_in_a_very_long_picture_is_aligned(shape: tuple[int, int]) -> None:
    """OpenCV warps no picture with a side above 32,766."""
    picture = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    far = np.array([35_000, 0]) if shape[1] > shape[0] else np.array([0, 35_000])
    for scale, place in ((0.25, far + (4, 3)), (0.25, far * 0 + (-9, 3)), (0.25, far * 2)):
        landmarks = template_points() * scale + place
        left, top = np.clip(place - 60, 0, (shape[1], shape[0]))
        part = picture[top : top + 200, left : left + 200]
        if part.size == 0:
            expected = np.zeros((128, 128, 3), np.uint8)
        else:
            expected = align_face(part, landmarks - (left, top))
        np.testing.assert_allclose(align_face(picture, landmarks).astype(int), expected, atol=2)
