"""Published FaceNet weights in our network: against keras-facenet's own network, and on real faces."""

import http.client
import shutil
import urllib.error
import warnings
from dataclasses import dataclass
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from lrfr_tf.errors import UserError
from lrfr_tf.faces.detect import FaceDetector
from lrfr_tf.files import sha256
from lrfr_tf.images.decode import read_image
from lrfr_tf.images.resize import resize
from lrfr_tf.models.facenet import StandardiseFixed, facenet, inception_resnet_v1
from lrfr_tf.weights.facenet import (
    FACENET_512_KEYS,
    facenet_512_sha256,
    fetch_facenet_512,
    load_facenet_128,
    load_facenet_512,
    set_layer_weights,
)

KEY = "20180402-114759"


def outputs(model: keras.Model, images: np.ndarray) -> np.ndarray:
    return keras.ops.convert_to_numpy(model(images, training=False))


def write_legacy_file(path: Path, model: keras.Model) -> None:
    """Writes weights in the layout of the published .h5 files: a group a layer, with `weight_names` in order."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in model.layers]
        file.attrs["backend"] = b"tensorflow"
        file.attrs["keras_version"] = b"2.2.4-tf"
        for layer in model.layers:
            group = file.create_group(layer.name)
            names = [f"{layer.name}/{weight.name}:0" for weight in layer.weights]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, array in zip(names, layer.get_weights(), strict=True):
                group.create_dataset(name, data=array)


@dataclass(frozen=True)
class Oracle:
    """keras-facenet's own network with random weights, and those weights in a file."""

    path: Path
    network: keras.Model


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Oracle:
    keras.utils.set_random_seed(0)  # otherwise the weights would hang on the tests that ran before
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what their import says is not ours to judge
        from keras_facenet.inception_resnet_v1 import InceptionResNetV1
    model = InceptionResNetV1(input_shape=(160, 160, 3), classes=512)
    generator = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):  # fresh statistics are 0 and 1: they would prove nothing
            beta, mean, variance = (generator.uniform(low, high, layer.beta.shape) for low, high in
                                    ((-0.5, 0.5), (-0.2, 0.2), (0.3, 1.5)))  # fmt: skip
            layer.set_weights([beta, mean, variance])
    path = tmp_path_factory.mktemp("oracle") / f"{KEY}-weights.h5"
    write_legacy_file(path, model)
    return Oracle(path, model)


@pytest.fixture
def published(oracle: Oracle, monkeypatch: pytest.MonkeyPatch) -> str:
    """Makes the oracle's file the published one of KEY, by its SHA-256 in keras-facenet's catalog."""
    from keras_facenet import metadata

    digest = sha256(oracle.path)
    monkeypatch.setitem(metadata.MODEL_METADATA[KEY], "keras_weights_sha256", digest)
    return digest


def test_512_equals_keras_facenet_with_the_same_file(oracle: Oracle, published: str) -> None:
    theirs = oracle.network
    theirs.set_weights([np.zeros_like(weight) for weight in theirs.get_weights()])
    theirs.load_weights(oracle.path)  # their own way, so that the file is known to have the layout they read
    ours = load_facenet_512(KEY, oracle.path)
    pixels = np.random.default_rng(1).integers(0, 256, (3, 160, 160, 3)).astype(np.float32)
    pixels[1] = np.linspace(0, 255, 160)[:, None, None]
    expected = outputs(theirs, (pixels - 127.5) / 128)
    assert np.abs(expected[0] - expected[1]).max() > 0.01
    np.testing.assert_allclose(outputs(ours, pixels), expected, atol=1e-4)


def test_catalog_knows_both_512_models() -> None:
    assert [facenet_512_sha256(key)[:12] for key in FACENET_512_KEYS] == ["8b71e7045497", "af526097bd89"]


def test_fetched_once_through_keras_facenet(
    oracle: Oracle, published: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched = []

    def urlretrieve(url: str, filename: str) -> None:
        fetched.append(url)
        shutil.copy(oracle.path, filename)

    monkeypatch.setattr("urllib.request.urlretrieve", urlretrieve)
    path = fetch_facenet_512(KEY, tmp_path)
    assert path == fetch_facenet_512(KEY, tmp_path) == tmp_path / KEY / f"{KEY}-weights.h5"
    assert sha256(path) == published
    assert len(fetched) == 1
    assert fetched[0].endswith(f"{KEY}-weights.h5")


@pytest.mark.parametrize("error", [urllib.error.URLError("no route to example.org"), http.client.IncompleteRead(b"")])
def test_no_network_says_what_to_do(error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def urlretrieve(url: str, filename: str) -> None:
        Path(filename).write_bytes(b"half")
        raise error

    monkeypatch.setattr("urllib.request.urlretrieve", urlretrieve)
    with pytest.raises(UserError, match=f"{KEY}: connect to the network, or give a file as `facenet_weights`=FILE"):
        fetch_facenet_512(KEY, tmp_path)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_wrong_download_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("urllib.request.urlretrieve", lambda url, filename: Path(filename).write_bytes(b"error page"))
    with pytest.raises(UserError, match="another SHA-256"):
        fetch_facenet_512(KEY, tmp_path)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("load", [load_facenet_128, lambda path: load_facenet_512(KEY, path)])
def test_another_file_is_refused(load, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"absent\.h5 is missing"):
        load(tmp_path / "absent.h5")
    (tmp_path / "other.h5").write_bytes(b"something else")
    with pytest.raises(UserError, match=r"other\.h5 is not .*facenet.*: its SHA-256 begins with"):
        load(tmp_path / "other.h5")


def small_network() -> keras.Model:
    images = keras.Input((4, 4, 3))
    x = keras.layers.Conv2D(2, 1, name="convolution")(images)
    return keras.Model(images, keras.layers.BatchNormalization(scale=False, name="norm")(x))


def test_a_file_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "small.h5"
    write_legacy_file(path, small_network())
    assert set_layer_weights(small_network(), path) == 2
    with h5py.File(path, "a") as file:  # the same shapes in another order: the means would become the offsets
        names = file["norm"].attrs["weight_names"]
        file["norm"].attrs["weight_names"] = names[[1, 0, 2]]
    with pytest.raises(UserError, match="does not fit the layer norm"):
        set_layer_weights(small_network(), path)
    with h5py.File(path, "a") as file:
        file["norm"].attrs["weight_names"] = names
        file.copy("norm", "more")
    with pytest.raises(UserError, match="layers that the network lacks, such as more"):
        set_layer_weights(small_network(), path)
    with h5py.File(path, "a") as file:
        del file["more"], file["norm"]
    with pytest.raises(UserError, match="no weights for the layer norm"):
        set_layer_weights(small_network(), path)


@pytest.mark.facenet
def test_the_128_file_fills_245_layers(facenet_weights: Path) -> None:
    network = inception_resnet_v1(128)
    assert set_layer_weights(network, facenet_weights) == 245
    with h5py.File(facenet_weights) as file:
        group = file["model_weights/Block17_10_Branch_1_Conv2d_0c_7x1_BatchNorm"]
        stored = group["Block17_10_Branch_1_Conv2d_0c_7x1_BatchNorm/moving_mean:0"][()]
        total = sum(item.size for item in _datasets(file["model_weights"]))
    layer = network.get_layer("Block17_10_Branch_1_Conv2d_0c_7x1_BatchNorm")
    np.testing.assert_array_equal(layer.moving_mean.numpy(), stored)
    assert total == network.count_params() == 22_808_144


def _datasets(group: h5py.Group) -> list[h5py.Dataset]:
    found: list[h5py.Dataset] = []
    group.visititems(lambda name, item: found.append(item) if isinstance(item, h5py.Dataset) else None)
    return found


@pytest.mark.facenet
def test_persons_are_told_apart_and_whitening_is_right(facenet_weights: Path, sample_photos: Path) -> None:
    paths = sorted(sample_photos.glob("val/*/*.jpg"))
    assert len(paths) == 25
    photos = [read_image(path) for path in paths]
    crops = []
    for photo, detection in zip(photos, FaceDetector(thresholds=(0.6, 0.7, 0.8)).detect(photos), strict=True):
        x1, y1, x2, y2 = np.round(detection.boxes[0]).astype(int)
        crops.append(resize(photo[y1:y2, x1:x2], 160, 160))
    persons = np.array([path.parent.name for path in paths])
    whitened = load_facenet_128(facenet_weights)
    fixed = facenet(128, StandardiseFixed)
    set_layer_weights(fixed.get_layer("inception_resnet_v1"), facenet_weights)

    faces = np.stack(crops).astype(np.float32)
    same, different = _mean_cosines(outputs(whitened, faces), persons)
    assert same == pytest.approx(0.68, abs=0.05)  # measured elsewhere with another detector crop: 0.682 and -0.028
    assert different == pytest.approx(-0.03, abs=0.05)
    # On well-lit photos the wrong standardization costs little (0.713 -> 0.701); on dim ones it shows (0.714 -> 0.542).
    for brightness, least_gain in ((1.0, 0.0), (0.3, 0.1)):
        right_same, right_different = _mean_cosines(outputs(whitened, faces * brightness), persons)
        wrong_same, wrong_different = _mean_cosines(outputs(fixed, faces * brightness), persons)
        assert (right_same - right_different) - (wrong_same - wrong_different) > least_gain


def _mean_cosines(embeddings: np.ndarray, persons: np.ndarray) -> tuple[float, float]:
    cosines = embeddings @ embeddings.T
    same = persons[:, None] == persons[None, :]
    pairs = ~np.eye(len(persons), dtype=bool)
    return float(cosines[same & pairs].mean()), float(cosines[~same].mean())
