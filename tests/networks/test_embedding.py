"""Batching, resizing and names of the embedder; the real FaceNet against NumPy preprocessing."""

from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from lrfr_tf.errors import UserError
from lrfr_tf.models.facenet import UnitLength, inception_resnet_v1
from lrfr_tf.networks.embedders import KerasEmbedder
from lrfr_tf.networks.embedding import Embedder, load_embedder, template_for
from lrfr_tf.weights.facenet import set_layer_weights

SIZE = 12


@pytest.fixture
def kernel() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(SIZE * SIZE * 3, 5)).astype(np.float32)


@pytest.fixture
def embedder(kernel: np.ndarray) -> Embedder:
    """A linear map of the pixels: small, and easy to do by hand."""
    images = keras.Input((SIZE, SIZE, 3))
    x = keras.layers.Flatten()(images)
    x = keras.layers.Dense(5, use_bias=False, name="map")(x)
    model = keras.Model(images, UnitLength()(x))
    model.get_layer("map").set_weights([kernel])
    return KerasEmbedder(model, "linear", batch_size=4)


def by_hand(faces: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    mapped = faces.reshape(len(faces), -1).astype(np.float64) @ kernel
    return mapped / np.linalg.norm(mapped, axis=1, keepdims=True)


def test_any_number_of_faces_in_one_trace(embedder: Embedder, kernel: np.ndarray) -> None:
    faces = np.random.default_rng(1).integers(0, 256, (11, SIZE, SIZE, 3), np.uint8)
    for count in (1, 3, 4, 5, 8, 11):
        embeddings = embedder.embed(faces[:count])
        assert embeddings.dtype == np.float32
        np.testing.assert_allclose(embeddings, by_hand(faces[:count], kernel), atol=1e-5)
    assert embedder._embed_batch.experimental_get_tracing_count() == 1
    assert embedder.dimensions == 5


@pytest.mark.parametrize("faces", [[], np.zeros((0, 20, 20, 3), np.uint8)])
def test_no_faces(embedder: Embedder, faces) -> None:
    assert embedder.embed(faces).shape == (0, 5)


def test_crops_of_any_size_are_resized_as_by_pillow(embedder: Embedder, kernel: np.ndarray) -> None:
    generator = np.random.default_rng(2)
    crops = [generator.integers(0, 256, (h, w, 3), np.uint8) for h, w in ((40, 31), (SIZE, SIZE), (5, 6), (13, 12))]
    resized = [np.asarray(Image.fromarray(crop).resize((SIZE, SIZE), Image.Resampling.BICUBIC)) for crop in crops]
    np.testing.assert_allclose(embedder.embed(crops), by_hand(np.stack(resized), kernel), atol=1e-5)
    together = np.stack([crops[0], crops[0][::-1]])
    np.testing.assert_allclose(embedder.embed(together)[0], embedder.embed(crops)[0], atol=1e-6)


@pytest.mark.parametrize(
    "face", [np.zeros((9, 9, 3), np.float32), np.zeros((9, 9), np.uint8), np.zeros((9, 9, 4), np.uint8)]
)
def test_other_arrays_are_refused(embedder: Embedder, face: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"uint8 \[H, W, 3\]"):
        embedder.embed([face])


def test_unknown_model_and_wrong_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="'facenet-129' is not known; there are facenet-128, 20180402-114759"):
        load_embedder("facenet-129", None)
    (tmp_path / "some.h5").write_bytes(b"something else")
    for model in ("facenet-128", "20180408-102900"):
        with pytest.raises(UserError, match=r"some\.h5 is not"):
            load_embedder(model, tmp_path / "some.h5")


@pytest.mark.facenet
def test_real_facenet_equals_numpy_preprocessing(facenet_weights: Path, portrait: np.ndarray) -> None:
    embedder = load_embedder("facenet-128", facenet_weights)
    assert embedder.name == "facenet-128-6acdd8fb3a3f"
    assert embedder.dimensions == 128
    face = portrait[30:180, 152:302]
    darker = (face * 0.6).astype(np.uint8)
    landscape = portrait[300:450, 0:150]
    embeddings = embedder.embed([face, darker, landscape])

    network = inception_resnet_v1(128)
    set_layer_weights(network, facenet_weights)
    pixels = np.asarray(Image.fromarray(face).resize((160, 160), Image.Resampling.BICUBIC)).astype(np.float64)
    expected = keras.ops.convert_to_numpy(network(((pixels - pixels.mean()) / pixels.std())[None], training=False))[0]
    np.testing.assert_allclose(embeddings[0], expected / np.linalg.norm(expected), atol=1e-4)
    np.testing.assert_allclose(embedder.embed(face[None])[0], embeddings[0], atol=1e-5)
    assert embeddings[0] @ embeddings[1] > 0.98  # whitening takes brightness out
    assert embeddings[0] @ embeddings[2] < 0.5


def test_faces_are_aligned_as_an_embedder_was_trained(embedder: Embedder) -> None:
    assert template_for(embedder) == "lai"  # it takes boxes, so any template is as good
    assert template_for(embedder, "centred") == "centred"
    embedder.template = "centred"
    assert template_for(embedder) == template_for(embedder, "centred") == "centred"
    with pytest.raises(UserError, match="linear takes faces on the template 'centred', not on 'lai'"):
        template_for(embedder, "lai")
    embedder.template = "as delivered"
    with pytest.raises(UserError, match=r"aligned elsewhere \(template 'as delivered'\), so `template` must say"):
        template_for(embedder)
    assert template_for(embedder, "lai") == "lai"
