"""FaceNet's architecture and preprocessing, against the published figures and NumPy."""

from collections import Counter
from pathlib import Path

import keras
import numpy as np
import pytest

from lrfr_tf.models.facenet import (
    ScaleSum,
    StandardiseFixed,
    UnitLength,
    WhitenEach,
    facenet,
    inception_resnet_v1,
    standardize_fixed,
    whiten_each,
)


@pytest.fixture(scope="module")
def network() -> keras.Model:
    return inception_resnet_v1(512)


def test_parameter_count_512(network: keras.Model) -> None:
    assert network.count_params() == 23_497_424
    assert network.output_shape == (None, 512)


def test_parameter_count_128() -> None:
    assert inception_resnet_v1(128).count_params() == 22_808_144


def test_layers_are_those_of_the_published_model(network: keras.Model) -> None:
    counts = Counter(type(layer).__name__ for layer in network.layers)
    assert counts == {
        "InputLayer": 1,
        "Conv2D": 132,
        "BatchNormalization": 112,
        "Activation": 131,
        "Concatenate": 23,
        "ScaleSum": 21,
        "MaxPooling2D": 3,
        "GlobalAveragePooling2D": 1,
        "Dropout": 1,
        "Dense": 1,
    }
    scales = [layer.scale for layer in network.layers if isinstance(layer, ScaleSum)]
    assert scales == [0.17] * 5 + [0.10] * 10 + [0.20] * 5 + [1.0]
    assert network.layers[-1].name == "Bottleneck_BatchNorm"


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        ("Block35_5_Activation", (17, 17, 256)),
        ("Mixed_6a", (8, 8, 896)),
        ("Mixed_7a", (3, 3, 1792)),
        ("Block8_6_ScaleSum", (3, 3, 1792)),
        ("AvgPool", (1792,)),
    ],
)
def test_feature_map_sizes(network: keras.Model, layer: str, shape: tuple[int, ...]) -> None:
    assert network.get_layer(layer).output.shape[1:] == shape


def test_smallest_input_is_75() -> None:
    with pytest.raises(ValueError, match="75"):
        inception_resnet_v1(input_size=74)
    assert inception_resnet_v1(input_size=75).input_shape == (None, 75, 75, 3)


def test_whiten_each_equals_numpy_and_survives_one_color() -> None:
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (3, 20, 24, 3)).astype(np.float32)
    images[2] = 200.0
    whitened = keras.ops.convert_to_numpy(whiten_each(images))
    for image, result in zip(images.astype(np.float64), whitened, strict=True):
        expected = (image - image.mean()) / max(image.std(), 1.0 / np.sqrt(image.size))
        np.testing.assert_allclose(result, expected, atol=1e-5)
    assert not whitened[2].any()


def test_standardize_fixed_divides_by_128() -> None:
    result = keras.ops.convert_to_numpy(standardize_fixed(np.array([0, 127, 128, 255], np.uint8)))
    np.testing.assert_array_equal(result, np.array([-127.5, -0.5, 0.5, 127.5]) / 128)


def test_keras_file_round_trip_in_safe_mode(tmp_path: Path) -> None:
    model = facenet(128, WhitenEach)
    model.save(tmp_path / "facenet.keras")
    reloaded = keras.saving.load_model(tmp_path / "facenet.keras", safe_mode=True)
    images = np.random.default_rng(1).integers(0, 256, (2, 160, 160, 3)).astype(np.float32)
    embeddings = keras.ops.convert_to_numpy(model(images, training=False))
    assert embeddings.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)
    assert not np.allclose(embeddings[0], embeddings[1], atol=1e-4)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(reloaded(images, training=False)), embeddings, atol=1e-6)


def test_standardize_fixed_layer_round_trip(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((2, 2, 3)), StandardiseFixed()])
    model.save(tmp_path / "fixed.keras")
    reloaded = keras.saving.load_model(tmp_path / "fixed.keras", safe_mode=True)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(reloaded(np.full((1, 2, 2, 3), 255.0))), 127.5 / 128)


def test_both_ends_stay_float32_under_mixed_precision() -> None:
    before = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy("mixed_float16")
    try:
        model = facenet(128, WhitenEach)
    finally:
        keras.mixed_precision.set_dtype_policy(before)
    assert model.get_layer("standardisation").compute_dtype == "float32"
    assert model.get_layer("inception_resnet_v1").get_layer("Bottleneck").compute_dtype == "float16"
    assert model.output.dtype == "float32"


def test_unit_length() -> None:
    rows = np.array([[3.0, 4.0], [0.0, -2.0]], np.float32)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(UnitLength()(rows)), [[0.6, 0.8], [0, -1]], atol=1e-6)
