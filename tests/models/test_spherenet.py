"""SphereNet's sizes, padding, initial weights, scaling and precision."""

from pathlib import Path

import keras
import numpy as np
import pytest

from lrfr_tf.models.spherenet import UNITS, spherenet


@pytest.fixture(scope="module")
def smallest() -> keras.Model:
    keras.utils.set_random_seed(0)
    return spherenet(4)


def images(count: int = 2) -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 255, (count, 128, 128, 3)).astype(np.float32)


def parameters(layers: list[keras.Layer], kind: type) -> int:
    return sum(layer.count_params() for layer in layers if isinstance(layer, kind))


def test_20_layers_have_the_published_number_of_parameters() -> None:
    network = spherenet()
    assert network.count_params() == 28_437_824
    assert parameters(network.layers, keras.layers.Dense) == 16_777_728
    without_dense = network.count_params() - parameters(network.layers, keras.layers.Dense)
    assert without_dense == 11_660_096
    assert network.output_shape == (None, 512)
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in network.layers)


@pytest.mark.parametrize("depth", UNITS)
def test_the_depth_counts_the_convolutions(depth: int) -> None:
    network = spherenet(depth, embedding_size=8)
    convolutions = [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]
    assert len(convolutions) == depth
    assert [layer.filters for layer in convolutions if layer.strides == (2, 2)] == [64, 128, 256, 512]
    slopes = [layer.alpha.shape for layer in network.layers if isinstance(layer, keras.layers.PReLU)]
    assert slopes == [(1, 1, layer.filters) for layer in convolutions]
    assert network.output_shape == (None, 8)


def test_an_unknown_depth_is_refused() -> None:
    with pytest.raises(ValueError, match="4, 10, 20, 36, 64 convolutions, not 18"):
        spherenet(18)


def test_starts_as_pytorch_starts() -> None:
    keras.utils.set_random_seed(0)
    network = spherenet(10)
    kernels = []
    for layer in network.layers:
        if isinstance(layer, keras.layers.PReLU):
            assert np.all(layer.alpha == 0.25)
        elif layer.weights:
            kernel, bias = layer.get_weights()
            bound = 1 / np.sqrt(np.prod(kernel.shape[:-1]))
            assert 0.95 * bound < np.abs(kernel).max() <= bound * 1.000001
            # A uniform distribution's deviation is its bound / sqrt(3).
            assert kernel.std() == pytest.approx(bound / np.sqrt(3), rel=0.03)
            assert 0.9 * bound < np.abs(bias).max() <= bound * 1.000001
            assert bias.std() == pytest.approx(bound / np.sqrt(3), rel=0.2)
            kernels.append(kernel)
    twins = [kernel for kernel in kernels if kernel.shape == (3, 3, 256, 256)]
    assert len(twins) == 4
    assert not np.array_equal(twins[0], twins[1])


def test_strided_convolutions_look_one_pixel_beyond_each_side(smallest: keras.Model) -> None:
    entry = keras.Model(smallest.input, smallest.get_layer("stage1_entry_convolution").output)
    x = images(1)
    kernel, bias = smallest.get_layer("stage1_entry_convolution").get_weights()
    padded = np.pad(x[0] / 127.5 - 1, ((1, 1), (1, 1), (0, 0)))
    output = np.asarray(entry(x))[0]
    assert output.shape == (64, 64, 64)
    # Output (i, j) is centered on the pixel (2 i, 2 j).
    for i, j in ((0, 0), (63, 63), (5, 40)):
        expected = np.einsum("hwc,hwco->o", padded[2 * i : 2 * i + 3, 2 * j : 2 * j + 3], kernel) + bias
        np.testing.assert_allclose(output[i, j], expected, atol=1e-5)


def test_a_unit_adds_its_input_and_is_not_activated_after_that() -> None:
    network = spherenet(10)
    before = network.get_layer("stage2_entry_prelu").output
    inside = network.get_layer("stage2_unit1_second_prelu").output
    after = network.get_layer("stage3_padding").input
    values = keras.Model(network.input, [before, inside, after])(images(1))
    before, inside, after = (np.asarray(value) for value in values)
    assert after.min() < 0
    np.testing.assert_allclose(after, before + inside, atol=1e-6)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_ends_are_float32_under_mixed_precision(policy: str) -> None:
    keras.config.set_dtype_policy(policy)
    network = spherenet(4)
    kinds = {layer.name: layer.compute_dtype for layer in network.layers}
    assert kinds["to_signed_range"] == kinds["embedding"] == "float32"
    assert kinds["stage1_entry_convolution"] == policy.removeprefix("mixed_")
    output = network(images())
    assert output.dtype == "float32"
    assert np.isfinite(output).all()


def test_saves_and_loads_in_safe_mode(smallest: keras.Model, tmp_path: Path) -> None:
    smallest.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras", safe_mode=True)
    np.testing.assert_array_equal(loaded(images()), smallest(images()))
