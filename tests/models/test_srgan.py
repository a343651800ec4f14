"""The SRGAN networks' contract: sizes, ranges, precision, saving, and that the generators learn."""

from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from lrfr_tf.models import srgan


def small_generator() -> keras.Model:
    return srgan.generator_paper(low_size=8, blocks=2, filters=8)


def small_generator_without_batch_norm() -> keras.Model:
    return srgan.generator_paper(low_size=8, blocks=2, filters=8, batch_norm=False)


def small_generator_with_attention() -> keras.Model:
    return srgan.generator_paper(low_size=8, blocks=2, filters=8, batch_norm=False, attention=True)


ALL_NETWORKS = [
    pytest.param(lambda: srgan.generator_keras_gan(8), 8, id="generator_keras_gan"),
    pytest.param(small_generator, 8, id="generator_paper"),
    pytest.param(small_generator_without_batch_norm, 8, id="generator_paper_without_batch_norm"),
    pytest.param(small_generator_with_attention, 8, id="generator_paper_with_attention"),
    pytest.param(lambda: srgan.discriminator_keras_gan(32), 32, id="discriminator_keras_gan"),
    pytest.param(lambda: srgan.discriminator_paper(32), 32, id="discriminator_paper"),
]


@pytest.fixture
def half_precision() -> Iterator[None]:
    previous = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_dtype_policy(previous)


def random_images(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 255, shape).astype(np.float32)


@pytest.mark.parametrize(
    ("build", "parameters"),
    [
        (srgan.generator_keras_gan, 2_042_691),
        (srgan.generator_paper, 1_554_883),
        (srgan.discriminator_keras_gan, 5_219_137),
    ],
)
def test_has_the_known_number_of_parameters(build: Callable[[], keras.Model], parameters: int) -> None:
    assert build().count_params() == parameters


def test_leaving_batch_norm_out_leaves_the_biases_in() -> None:
    network = small_generator_without_batch_norm()
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in network.layers)
    assert all(layer.use_bias for layer in network.layers if isinstance(layer, keras.layers.Conv2D))
    # Five normalized convolutions with 8 channels: scale, shift, mean and variance each.
    assert small_generator().count_params() - network.count_params() == 5 * 4 * 8


def test_upsampling_and_outer_kernels_are_settings_of_their_own() -> None:
    network = srgan.generator_paper(8, 1, 16, batch_norm=False, upsampling_filters=4, outer_kernel=3)
    shapes = [tuple(layer.kernel.shape) for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]
    trunk = [(3, 3, 3, 16), (3, 3, 16, 16), (3, 3, 16, 16), (3, 3, 16, 16)]
    assert shapes == [*trunk, (3, 3, 16, 16), (3, 3, 4, 16), (3, 3, 4, 3)]
    assert network.output_shape == (None, 32, 32, 3)
    # The network that ships.
    shipped = srgan.generator_paper(16, 8, 96, batch_norm=False, upsampling_filters=32, outer_kernel=3)
    assert shipped.count_params() == 1_563_875


def test_a_narrower_discriminator_is_narrower_everywhere() -> None:
    network = srgan.discriminator_paper(32, filters=16)
    channels = [layer.filters for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]
    assert channels == [16, 16, 32, 32, 64, 64, 128, 128]
    assert [layer.units for layer in network.layers if isinstance(layer, keras.layers.Dense)] == [256, 1]


def test_without_batch_norm_each_block_starts_close_to_the_identity() -> None:
    # VarianceScaling(uniform) has a standard deviation of sqrt(scale / fan); 3 x 3 x 32 channels go in and out.
    default = 1 / np.sqrt(3 * 3 * 32)
    for batch_norm, factor in ((True, 1.0), (False, 0.1)):
        network = srgan.generator_paper(low_size=8, blocks=2, filters=32, batch_norm=batch_norm)
        convolutions = [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]
        # First layer, two blocks of two, then the one before the long skip.
        deviations = [float(np.std(layer.kernel)) / default for layer in convolutions[1:6]]
        np.testing.assert_allclose(deviations, [1, factor, 1, factor, 1], rtol=0.05)
        assert np.any(np.asarray(convolutions[2].kernel) != np.asarray(convolutions[4].kernel))


@pytest.mark.parametrize("batch_norm", [True, False])
def test_attention_changes_nothing_at_first(batch_norm: bool) -> None:
    networks = []
    for attention in (False, True):
        keras.utils.set_random_seed(0)
        networks.append(srgan.generator_paper(8, 2, 8, batch_norm, attention=attention))
    without, attentive = networks
    images = random_images(10, 2, 8, 8, 3)
    np.testing.assert_allclose(attentive(images), without(images), rtol=1e-4, atol=1e-3)
    assert attentive.count_params() - without.count_params() == 2 * 8 * (3 * 3 + 1)


@pytest.mark.parametrize("batch_norm", [True, False])
def test_a_generator_with_attention_begins_as_a_trained_one_without(batch_norm: bool) -> None:
    plain, attentive = (srgan.generator_paper(8, 2, 8, batch_norm, attention=attention) for attention in (False, True))
    generator = np.random.default_rng(3)
    plain.set_weights([generator.uniform(0.1, 0.4, weight.shape) for weight in plain.get_weights()])
    srgan.copy_weights_without_attention(plain, attentive)
    images = random_images(12, 2, 8, 8, 3)
    np.testing.assert_allclose(attentive(images), plain(images), rtol=1e-4, atol=1e-2)


def test_attention_weighs_each_channel_of_each_pixel() -> None:
    network = small_generator_with_attention()
    weights = [layer for layer in network.layers if isinstance(layer, keras.layers.DepthwiseConv2D)]
    images, before = random_images(11, 1, 8, 8, 3), None
    for layer in weights:
        layer.bias.assign(np.full(layer.bias.shape, -50.0))  # nothing of a block is let through
        answer = np.asarray(network(images))
        assert before is None or np.abs(answer - before).max() > 1e-6
        before = answer
    without_blocks = srgan.generator_paper(8, 0, 8, batch_norm=False)
    blocks = {layer.name for layer in weights}
    kept = [layer.get_weights() for layer in network.layers if layer.weights and layer.name not in blocks]
    kept = kept[:2] + kept[2 + 3 * len(weights) :]  # a block has two convolutions and a PReLU
    without_blocks.set_weights([weight for layer in kept for weight in layer])
    np.testing.assert_allclose(without_blocks(images), before, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("build", [srgan.generator_keras_gan, srgan.generator_paper])
def test_generators_enlarge_four_times(build: Callable[..., keras.Model]) -> None:
    assert build().output_shape == (None, 64, 64, 3)
    assert build(low_size=12).output_shape == (None, 48, 48, 3)
    assert build()(random_images(0, 2, 16, 16, 3)).shape == (2, 64, 64, 3)


def test_keras_gan_generator_stays_within_the_pixel_range() -> None:
    network = srgan.generator_keras_gan(8)
    output_layer = next(layer for layer in reversed(network.layers) if isinstance(layer, keras.layers.Conv2D))
    output_layer.bias.assign([-20.0, 0.0, 20.0])
    output = np.asarray(network(random_images(1, 1, 8, 8, 3)))
    np.testing.assert_allclose(output[..., 0], 0, atol=1e-3)
    np.testing.assert_allclose(output[..., 2], 255, atol=1e-3)


def test_paper_generator_is_not_clipped() -> None:
    network = small_generator()
    output_layer = next(layer for layer in reversed(network.layers) if isinstance(layer, keras.layers.Conv2D))
    output_layer.kernel.assign(np.zeros(output_layer.kernel.shape))
    output_layer.bias.assign([-2.0, 0.0, 1.0])
    # 0..255 is -1..1 inside.
    expected = np.broadcast_to([-127.5, 127.5, 255.0], (1, 32, 32, 3))
    np.testing.assert_allclose(network(random_images(2, 1, 8, 8, 3)), expected, atol=1e-3)


def test_discriminators_give_logits_for_patches_or_for_the_image() -> None:
    images = random_images(3, 2, 64, 64, 3)
    assert srgan.discriminator_keras_gan()(images).shape == (2, 4, 4, 1)
    assert srgan.discriminator_paper()(images).shape == (2, 1)
    for network in (srgan.discriminator_keras_gan(32), srgan.discriminator_paper(32)):
        network.get_layer("logits").bias.assign([5.0])
        # A sigmoid would end at 1.
        assert np.asarray(network(random_images(4, 1, 32, 32, 3))).max() > 2


def test_only_the_first_discriminator_layer_has_no_batch_norm() -> None:
    for network in (srgan.discriminator_keras_gan(32), srgan.discriminator_paper(32)):
        kinds = [type(layer).__name__ for layer in network.layers]
        assert kinds.count("Conv2D") == 8
        assert kinds.count("BatchNormalization") == 7
        assert kinds.index("BatchNormalization") > [i for i, kind in enumerate(kinds) if kind == "Conv2D"][1]


def test_pixel_shuffle_equals_depth_to_space() -> None:
    inputs = keras.Input((5, 7, 12))
    network = keras.Model(inputs, srgan.pixel_shuffle(inputs))
    x = random_images(5, 2, 5, 7, 12)
    np.testing.assert_array_equal(network(x), tf.nn.depth_to_space(x, 2))


def test_prelu_slopes_are_shared_over_the_image() -> None:
    slopes = [layer.alpha.shape for layer in small_generator().layers if isinstance(layer, keras.layers.PReLU)]
    # The first layer's, one a block, one an upsampling stage.
    assert slopes == [(1, 1, 8)] * (1 + 2 + 2)


@pytest.mark.parametrize(("build", "size"), ALL_NETWORKS)
@pytest.mark.usefixtures("half_precision")
def test_ends_in_float32_under_mixed_precision(build: Callable[[], keras.Model], size: int) -> None:
    network = build()
    assert {layer.compute_dtype for layer in network.layers} == {"float16", "float32"}
    output = network(random_images(6, 1, size, size, 3))
    assert output.dtype == "float32"
    assert np.isfinite(output).all()


@pytest.mark.parametrize(("build", "size"), ALL_NETWORKS)
def test_saves_and_loads_in_safe_mode(build: Callable[[], keras.Model], size: int, tmp_path: Path) -> None:
    network = build()
    network.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras", safe_mode=True)
    images = random_images(7, 2, size, size, 3)
    np.testing.assert_array_equal(loaded(images), network(images))


@pytest.mark.parametrize("build", [small_generator, small_generator_without_batch_norm, small_generator_with_attention])
def test_generator_learns(build: Callable[[], keras.Model]) -> None:
    keras.utils.set_random_seed(0)
    low = random_images(8, 8, 8, 8, 3)
    high = low.repeat(4, axis=1).repeat(4, axis=2)
    network = build()
    network.compile(keras.optimizers.Adam(3e-3), "mse")
    losses = network.fit(low, high, batch_size=4, epochs=30, verbose=0).history["loss"]
    # A constant image can do no better than the variance of the pixels.
    assert losses[-1] < 0.7 * high.var() < losses[0]


@pytest.mark.parametrize("build", [srgan.discriminator_keras_gan, srgan.discriminator_paper])
def test_discriminator_learns(build: Callable[..., keras.Model]) -> None:
    keras.utils.set_random_seed(0)
    sharp = random_images(9, 8, 32, 32, 3)
    blurred = sharp.mean(axis=(1, 2), keepdims=True) + np.zeros_like(sharp)
    network = build(size=32)
    network.compile(keras.optimizers.Adam(1e-4), keras.losses.BinaryCrossentropy(from_logits=True))
    images = np.concatenate([sharp, blurred])
    labels = np.repeat([1.0, 0.0], 8).reshape(16, *[1] * (len(network.output_shape) - 1))
    labels = np.broadcast_to(labels, (16, *network.output_shape[1:]))
    losses = network.fit(images, labels, batch_size=16, epochs=6, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]
