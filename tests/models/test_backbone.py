"""The networks of the Siamese system by name, and FaceNet as one of them."""

from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from lrfr_tf.models.backbone import BACKBONES, backbone
from lrfr_tf.models.facenet import TRUNK, Enlarge
from lrfr_tf.models.fold import fold_batch_norm
from lrfr_tf.weights.facenet import load_facenet_128
from tests.faces_by_code import person


@pytest.fixture(scope="module")
def facenet() -> keras.Model:
    return backbone("facenet")


def test_names() -> None:
    expected = (*(f"spherenet{depth}" for depth in (4, 10, 20, 36, 64)), "facenet", "mobilefacenet")
    assert expected == BACKBONES
    with pytest.raises(ValueError, match="no backbone 'spherenet5'; there are spherenet4, "):
        backbone("spherenet5")


def test_a_spherenet() -> None:
    network = backbone("spherenet4")
    assert (network.name, network.input_shape, network.output_shape) == ("spherenet4", (None, 128, 128, 3), (None, 512))
    # Convolutions with bias and slopes, then 8 x 8 x 512 values to 512 features.
    sides = ((3, 64), (64, 128), (128, 256), (256, 512))
    assert network.count_params() == sum(9 * a * b + 2 * b for a, b in sides) + 8 * 8 * 512 * 512 + 512


def test_facenet_takes_aligned_faces_and_has_no_batch_norm(facenet: keras.Model) -> None:
    assert (facenet.input_shape, facenet.output_shape) == ((None, 128, 128, 3), (None, 128))
    trunk = facenet.get_layer(TRUNK)
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in trunk.layers)
    assert facenet.get_layer("features").compute_dtype == "float32"
    assert facenet.get_layer("enlarged").compute_dtype == "float32"


def test_enlarge_is_bicubic_without_rounding(portrait: np.ndarray) -> None:
    face = person(portrait, 1, 0, 128)
    planes = [Image.fromarray(face[..., channel].astype(np.float32), mode="F") for channel in range(3)]
    expected = np.stack([np.asarray(plane.resize((160, 160), Image.Resampling.BICUBIC)) for plane in planes], -1)
    found = np.asarray(Enlarge(160)(face[None].astype(np.float32)))[0]
    np.testing.assert_allclose(found, expected, atol=0.01)
    assert np.abs(found - np.round(found)).max() > 0.1


@pytest.mark.facenet
def test_with_the_published_weights_it_sees_what_facenet_sees(
    facenet: keras.Model, facenet_weights: Path, portrait: np.ndarray
) -> None:
    published = load_facenet_128(facenet_weights)
    facenet.get_layer(TRUNK).set_weights(fold_batch_norm(published.get_layer(TRUNK)).get_weights())
    faces = np.stack([person(portrait, identity, 0, 128) for identity in range(3)])
    features = np.asarray(facenet(faces.astype(np.float32)))
    features = features / np.linalg.norm(features, axis=1, keepdims=True)
    enlarged = np.stack(
        [np.asarray(Image.fromarray(face).resize((160, 160), Image.Resampling.BICUBIC)) for face in faces]
    )
    # Pillow rounds to grey levels.
    cosines = (features * np.asarray(published(enlarged.astype(np.float32)))).sum(axis=1)
    assert cosines.min() > 0.9995
