"""VGG19 features: the network against convolutions by hand, and bad files against one sentence."""

from collections.abc import Iterator
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf

from lrfr_tf.errors import UserError
from lrfr_tf.losses.perceptual import perceptual, vgg_preprocess
from lrfr_tf.weights.vgg19 import LAYERS, vgg19_features


@pytest.fixture(scope="module")
def random_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    keras.utils.set_random_seed(0)
    path = tmp_path_factory.mktemp("vgg19") / "random.weights.h5"
    keras.applications.VGG19(include_top=False, weights=None).save_weights(path)
    return path


@pytest.fixture
def half_precision() -> Iterator[None]:
    previous = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_dtype_policy(previous)


def second_block_by_hand(path: Path, x: np.ndarray) -> np.ndarray:
    """conv, conv, pool, conv, conv with the first four kernels of the file, without Keras."""
    with h5py.File(path) as file:
        for index, name in enumerate(["conv2d", "conv2d_1", "conv2d_2", "conv2d_3"]):
            kernel, bias = (file[f"layers/{name}/vars/{i}"][()] for i in (0, 1))
            x = tf.nn.relu(tf.nn.conv2d(x, kernel, 1, "SAME") + bias)
            if index == 1:
                x = tf.nn.max_pool2d(x, 2, 2, "VALID")
    return np.asarray(x)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [("block2_conv2", (32, 32, 128)), ("block3_conv3", (16, 16, 256)), ("block5_conv4", (4, 4, 512))],
)
def test_builds_up_to_the_layer_and_freezes(layer: str, shape: tuple[int, ...], random_weights: Path) -> None:
    network = vgg19_features(layer, random_weights)
    assert network(np.zeros((1, 64, 64, 3), np.float32)).shape == (1, *shape)
    assert network(np.zeros((1, 32, 48, 3), np.float32)).shape == (1, shape[0] // 2, shape[1] * 3 // 4, shape[2])
    assert network.layers[-1].name == layer
    assert network.trainable_weights == []
    assert len(network.layers) < 22
    assert layer in LAYERS


def test_computes_with_the_weights_of_the_file(random_weights: Path) -> None:
    images = np.random.default_rng(0).uniform(-128, 128, (2, 16, 16, 3)).astype(np.float32)
    expected = second_block_by_hand(random_weights, images)
    assert expected.max() > 1
    np.testing.assert_allclose(vgg19_features("block2_conv2", random_weights)(images), expected, rtol=1e-4, atol=1e-3)


@pytest.mark.usefixtures("half_precision")
def test_stays_in_float32_under_mixed_precision(random_weights: Path) -> None:
    network = vgg19_features("block2_conv2", random_weights)
    assert {layer.compute_dtype for layer in network.layers} == {"float32"}
    assert keras.config.dtype_policy().name == "mixed_float16"


def test_refuses_an_unknown_layer(random_weights: Path) -> None:
    with pytest.raises(ValueError, match="block1_pool"):
        vgg19_features("block1_pool", random_weights)


def test_names_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere\.h5 are missing; give `vgg_weights`=FILE\.$"):
        vgg19_features("block2_conv2", tmp_path / "nowhere.h5")


def test_names_a_file_that_is_not_weights(tmp_path: Path) -> None:
    pointer = tmp_path / "pointer.weights.h5"
    pointer.write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(UserError, match=r"pointer\.weights\.h5 does not hold .* give `vgg_weights`=FILE\.$"):
        vgg19_features("block2_conv2", pointer)


def test_names_a_file_of_another_network(tmp_path: Path) -> None:
    other = tmp_path / "other.weights.h5"
    keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3)]).save_weights(other)
    with pytest.raises(UserError, match=r"other\.weights\.h5 does not hold the weights of VGG19"):
        vgg19_features("block2_conv2", other)


def test_a_failed_download_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise Exception("URL fetch failure on https://example.invalid/vgg19.h5: None -- no route")

    monkeypatch.setattr(keras.applications, "VGG19", fail)
    with pytest.raises(UserError, match=r"cannot be downloaded \(URL fetch .*\); give `vgg_weights`=FILE\.$"):
        vgg19_features("block2_conv2", None)


@pytest.mark.shared_data
def test_a_blurred_portrait_is_further_away_than_one_that_is_only_brighter(
    shared_data: Path, portrait: np.ndarray
) -> None:
    network = vgg19_features("block3_conv3", shared_data / "vgg19" / "vgg19_imagenet_notop.weights.h5")
    face = portrait[36:164, 164:292][np.newaxis].astype(np.float32)
    blurred = face.reshape(1, 32, 4, 32, 4, 3).mean(axis=(2, 4)).repeat(4, axis=1).repeat(4, axis=2)
    brighter = face + np.sqrt(np.mean((blurred - face) ** 2))  # the same squared error in pixels
    assert float(perceptual(network, blurred, face)) > 2 * float(perceptual(network, brighter, face)) > 0


@pytest.mark.shared_data
def test_imagenet_weights_are_computed_with(shared_data: Path, portrait: np.ndarray) -> None:
    path = shared_data / "vgg19" / "vgg19_imagenet_notop.weights.h5"
    images = np.asarray(vgg_preprocess(portrait[np.newaxis, 36:164, 164:292]))
    features = np.asarray(vgg19_features("block2_conv2", path)(images))
    np.testing.assert_allclose(features, second_block_by_hand(path, images), rtol=1e-3, atol=0.1)
