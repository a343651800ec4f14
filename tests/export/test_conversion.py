"""Networks as ONNX and TFLite: their answers are those of the network, from a run and from an export."""

import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from lrfr_tf.errors import UserError
from lrfr_tf.export import embedder as export_embedder
from lrfr_tf.export import servable as export_module
from lrfr_tf.export.convertible import Convertible, _with_plain_resizing, load_convertible
from lrfr_tf.export.to_onnx import as_onnx, open_onnx
from lrfr_tf.export.to_tflite import as_tflite, float_operations, open_tflite
from lrfr_tf.files import read_json, write_json
from lrfr_tf.models.facenet import WhitenEach, facenet
from lrfr_tf.models.srcnn import srcnn
from lrfr_tf.networks.embedders import KerasEmbedder
from lrfr_tf.networks.super_resolution import save_super_resolver
from lrfr_tf.networks.super_resolvers import KerasSuperResolver
from tests.checked_here import checked_here
from tests.faces_by_code import person
from tests.small_convertible import small_enlarging_network, write_small_backbone, write_small_generator


@pytest.fixture(scope="module")
def generator(tmp_path_factory: pytest.TempPathFactory) -> Convertible:
    return load_convertible(write_small_generator(tmp_path_factory.mktemp("run") / "model"))


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small embedder, stored in half precision as the shipped one."""
    root = tmp_path_factory.mktemp("export")
    model = write_small_backbone(root / "run" / "model")
    with checked_here():
        export_module.export_saved_model(
            export_embedder.servable_embedder(model, precision="float16"), root / "out", "siamese", 1
        )
    return root / "out" / "siamese"


@pytest.fixture(scope="module")
def embedder(export: Path) -> Convertible:
    return load_convertible(export)


def faces_of(portrait: np.ndarray, size: int, count: int = 5) -> np.ndarray:
    return np.stack([person(portrait, identity, 0, size) for identity in range(count)])


def test_a_generator_as_onnx_answers_any_number_of_faces(generator: Convertible, portrait: np.ndarray) -> None:
    pytest.importorskip("tf2onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    content = as_onnx(generator)
    low = faces_of(portrait, 16)
    expected = generator.reference(low)
    assert expected.std() > 10
    for count in (5, 1):
        levels = np.abs(open_onnx(content)(low[:count]).astype(int) - expected[:count])
        assert levels.max() <= 1
        assert (levels > 0).mean() < 0.001
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (entry,), (leaves,) = session.get_inputs(), session.get_outputs()
    assert (entry.name, entry.type, entry.shape[1:]) == ("images", "tensor(uint8)", [16, 16, 3])
    assert (leaves.name, leaves.type, leaves.shape[1:]) == ("super_resolved", "tensor(uint8)", [64, 64, 3])


def test_an_exported_embedder_as_onnx_is_the_saved_model(embedder: Convertible, portrait: np.ndarray) -> None:
    pytest.importorskip("tf2onnx")
    pytest.importorskip("onnxruntime")
    faces = faces_of(portrait, 128)
    found = open_onnx(as_onnx(embedder))(faces)
    np.testing.assert_allclose(found, embedder.reference(faces), atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("kind", ["generator", pytest.param("embedder", marks=pytest.mark.slow)])
def test_tflite_keeps_the_answers_in_half_and_in_a_quarter_of_the_size(
    kind: str, portrait: np.ndarray, request: pytest.FixtureRequest
) -> None:
    pytest.importorskip("ai_edge_litert")
    model = request.getfixturevalue(kind)
    faces = faces_of(portrait, model.size)
    expected = model.reference(faces).astype(float)
    half = as_tflite(model, "float16")
    quarter = as_tflite(model, "int8", faces)
    # The small generator is mostly graph, the embedder mostly weights.
    assert len(quarter) < (0.6 if kind == "embedder" else 1.5) * len(half)
    near = open_tflite(half)(faces)
    rough = open_tflite(quarter)(faces)
    assert near.dtype == rough.dtype == model.reference(faces[:1]).dtype
    assert near.shape == rough.shape == expected.shape
    if kind == "generator":
        assert np.abs(near - expected).max() <= 1
        assert 0 < np.abs(rough - expected).mean() < 4
    else:
        assert (near * expected).sum(axis=1).min() > 0.9999
        cosines = (rough * expected).sum(axis=1) / np.linalg.norm(rough, axis=1)
        assert 0.95 < cosines.min() < 0.9999999
    # All convolutions of the one form compute in float32, none of the other's.
    assert float_operations(half)["CONV_2D"] >= 4
    assert "CONV_2D" not in float_operations(quarter)


@pytest.mark.slow
def test_an_exported_facenet_is_rebuilt(portrait: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keras.utils.set_random_seed(0)
    monkeypatch.setattr(export_module, "check_in_a_new_process", lambda *_: {})
    network = facenet(128, WhitenEach)
    monkeypatch.setattr(export_embedder, "load_published_embedder", lambda *_: KerasEmbedder(network, "facenet-128"))
    export_module.export_saved_model(export_embedder.servable_facenet("facenet"), tmp_path, "facenet", 1)
    model = load_convertible(tmp_path / "facenet")
    assert model.size == 160
    faces = faces_of(portrait, 160, 2)
    expected = keras.ops.convert_to_numpy(network(faces.astype(np.float32), training=False))
    np.testing.assert_allclose(model.compute(tf.constant(faces)), expected, atol=1e-4)
    np.testing.assert_allclose(model.reference(faces), expected, atol=1e-4)


def test_int8_needs_faces(generator: Convertible) -> None:
    with pytest.raises(ValueError, match="the latter with calibration faces"):
        as_tflite(generator, "int8")


def test_enlarging_by_two_products_is_the_layer() -> None:
    network = small_enlarging_network()
    images = np.random.default_rng(0).uniform(0, 255, (3, 20, 20, 3)).astype(np.float32)
    plain = _with_plain_resizing(network)
    assert [type(layer).__name__ for layer in plain.layers][1] == "EnlargeByProducts"
    expected = keras.ops.convert_to_numpy(network(images))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(plain(images)), expected, atol=1e-3)


def test_a_network_that_enlarges_first_goes_to_onnx(portrait: np.ndarray, tmp_path: Path) -> None:
    pytest.importorskip("tf2onnx")
    pytest.importorskip("onnxruntime")
    save_super_resolver(tmp_path / "model", KerasSuperResolver("srcnn", srcnn(), enlarge_first=True))
    model = load_convertible(tmp_path / "model")
    low = faces_of(portrait, 16)
    assert np.abs(open_onnx(as_onnx(model))(low).astype(int) - model.reference(low)).max() <= 1


def test_a_network_that_enlarges_first_goes_to_tflite(portrait: np.ndarray, tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert")
    save_super_resolver(tmp_path / "model", KerasSuperResolver("srcnn", srcnn(), enlarge_first=True))
    model = load_convertible(tmp_path / "model")
    with pytest.raises(UserError, match="TFLite has no operations for all of srcnn"):
        as_tflite(model, "float16")


def test_what_cannot_be_converted_is_refused(export: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"holds no super-resolution model"):
        load_convertible(tmp_path)
    copy = tmp_path / "1"
    shutil.copytree(export / "1", copy)
    record = read_json(copy / "model.json")
    write_json(copy / "model.json", record | {"backbone": "spherenet10"})
    with pytest.raises(UserError, match="are not those of the network spherenet10"):
        load_convertible(copy)
    write_json(copy / "model.json", record | {"source_of_larger": {}})
    with pytest.raises(UserError, match=r"holds two networks, .* neither exported anew nor converted"):
        load_convertible(copy)
    write_json(copy / "model.json", record | {"backbone": "other"})
    with pytest.raises(UserError, match=r"holds the network other; embedders of spherenet4.* facenet_128"):
        load_convertible(copy)
    write_json(copy / "model.json", record | {"kind": "classifier", "parts": {}, "cut": "box"})
    with pytest.raises(UserError, match="of the kind classifier; super_resolution and embedder convert"):
        load_convertible(copy)
    write_json(copy / "model.json", record)
    (copy / "saved_model.pb").write_bytes(b"cut off")
    with pytest.raises(UserError, match="saved_model.pb is missing or is not the file"):
        load_convertible(copy)
