"""SRCNN's contract: sizes, ranges, precision, saving, and that it learns."""

from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
from scipy import ndimage

from lrfr_tf.models.srcnn import srcnn


@pytest.fixture
def half_precision() -> Iterator[None]:
    previous = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_dtype_policy(previous)


def random_images(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 255, shape).astype(np.float32)


@pytest.mark.parametrize(("variant", "parameters"), [("9-1-5", 20_099), ("9-5-5", 69_251)])
def test_has_the_published_number_of_parameters(variant: str, parameters: int) -> None:
    assert srcnn(variant).count_params() == parameters


def test_refuses_an_unknown_variant() -> None:
    with pytest.raises(ValueError, match="9-3-5"):
        srcnn("9-3-5")


def test_keeps_any_image_size() -> None:
    network = srcnn()
    for height, width in ((64, 64), (17, 40)):
        assert network(random_images(0, 2, height, width, 3)).shape == (2, height, width, 3)


def test_equals_three_convolutions_by_hand() -> None:
    network = srcnn("9-5-5")
    images = random_images(1, 1, 12, 14, 3)
    x = images[0] / 255
    convolutions = [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]
    for index, layer in enumerate(convolutions):
        kernel, bias = layer.get_weights()
        outputs = []
        for out in range(kernel.shape[-1]):
            planes = [
                ndimage.correlate(x[..., channel].astype(np.float64), kernel[:, :, channel, out], mode="constant")
                for channel in range(kernel.shape[2])
            ]
            outputs.append(np.sum(planes, axis=0) + bias[out])
        x = np.stack(outputs, axis=-1)
        if index < 2:
            x = np.maximum(x, 0)
    np.testing.assert_allclose(network(images)[0], x * 255, atol=1e-2)


def test_is_not_clipped() -> None:
    network = srcnn()
    network.get_layer("reconstruction").bias.assign([-3.0, 0.0, 3.0])
    output = np.asarray(network(random_images(2, 1, 16, 16, 3)))
    assert output[..., 0].min() < 0
    assert output[..., 2].max() > 255


@pytest.mark.usefixtures("half_precision")
def test_ends_in_float32_under_mixed_precision() -> None:
    network = srcnn()
    assert network.get_layer("mapping").compute_dtype == "float16"
    assert network.get_layer("reconstruction").compute_dtype == "float32"
    assert network(random_images(3, 1, 16, 16, 3)).dtype == "float32"


def test_saves_and_loads_in_safe_mode(tmp_path: Path) -> None:
    network = srcnn()
    network.save(tmp_path / "srcnn.keras")
    loaded = keras.saving.load_model(tmp_path / "srcnn.keras", safe_mode=True)
    images = random_images(4, 2, 20, 20, 3)
    np.testing.assert_array_equal(loaded(images), network(images))


def test_learns_to_copy() -> None:
    keras.utils.set_random_seed(0)
    images = random_images(5, 8, 2, 2, 3).repeat(8, axis=1).repeat(8, axis=2)
    network = srcnn()
    network.compile(keras.optimizers.Adam(3e-3), "mse")
    losses = network.fit(images, images, batch_size=4, epochs=15, verbose=0).history["loss"]
    # A constant image can do no better than the variance of the pixels.
    assert losses[-1] < 0.5 * images.var() < losses[0]
