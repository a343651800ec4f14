"""Folding changes neither the answers nor the network that it is folded from."""

from collections.abc import Callable

import keras
import numpy as np
import pytest
from keras import layers

from lrfr_tf.models.facenet import inception_resnet_v1
from lrfr_tf.models.fold import ConvolutionBeforeShuffle, MaximumOfSlopes, fold_batch_norm, fold_for_inference
from lrfr_tf.models.srgan import generator_keras_gan, generator_paper, pixel_shuffle


def look_trained(network: keras.Model) -> keras.Model:
    """Gives biases and batch norms values that a training could have left; none is at its first value."""
    random = np.random.default_rng(0)
    for layer in network.layers:
        if isinstance(layer, layers.BatchNormalization):
            drawn = {
                "gamma": random.uniform(0.8, 1.2, layer.moving_mean.shape),
                "beta": random.uniform(-0.2, 0.2, layer.moving_mean.shape),
                "moving_mean": random.uniform(-0.2, 0.2, layer.moving_mean.shape),
                "moving_variance": random.uniform(0.5, 1.5, layer.moving_mean.shape),
            }
            for name, values in drawn.items():
                if getattr(layer, name, None) is not None:
                    getattr(layer, name).assign(values)
        elif isinstance(layer, layers.DepthwiseConv2D):
            layer.set_weights([random.uniform(-0.5, 0.5, weight.shape) for weight in layer.get_weights()])
        elif getattr(layer, "bias", None) is not None:
            layer.bias.assign(random.uniform(-0.1, 0.1, layer.bias.shape))
    return network


def norms(network: keras.Model) -> list[layers.BatchNormalization]:
    return [layer for layer in network.layers if isinstance(layer, layers.BatchNormalization)]


def channels(network: keras.Model) -> int:
    """Channels of all batch norms together."""
    return sum(norm.moving_mean.shape[0] for norm in norms(network))


def generator() -> keras.Model:
    return generator_paper(8, blocks=2, filters=8)


def generator_with_attention() -> keras.Model:
    return generator_paper(8, blocks=2, filters=8, attention=True)


def inception() -> keras.Model:
    return inception_resnet_v1(128, input_size=75, dropout=0.0)


@pytest.mark.parametrize(
    ("build", "weights_a_channel", "left"),
    [
        # Scale, shift, mean and variance go; the convolutions have a bias already.
        (generator, 4, 0),
        (generator_with_attention, 4, 0),
        # Shift, mean and variance go, and each convolution and the bottleneck get a bias.
        (inception, 2, 0),
        # Half of the norms follow a ReLU.
        (lambda: generator_keras_gan(8), 4, 16),
    ],
    ids=["paper", "paper_with_attention", "inception_resnet_v1", "keras_gan"],
)
def test_the_answers_stay_and_the_norms_go(build: Callable[[], keras.Model], weights_a_channel: int, left: int) -> None:
    keras.utils.set_random_seed(0)  # else the weights, and so the rounding, depend on the tests that ran before
    network = look_trained(build())
    images = np.random.default_rng(1).uniform(-1, 1, (2, *network.input_shape[1:])).astype(np.float32)
    if network.name.startswith("generator"):
        images = 127.5 * (images + 1)
    before, weights = np.asarray(network(images, training=False)), network.get_weights()
    folded = fold_batch_norm(network)
    after = np.asarray(folded(images, training=False))
    assert before.std() > 0.01 * np.abs(before).max()
    differences = np.abs(after - before) / np.abs(before).max()
    assert differences.mean() < 1e-6
    assert differences.max() < (1e-5 if left == 0 else 3e-5)  # a tanh, and 33 sums that grow
    assert len(norms(folded)) == left
    gone = channels(network) - channels(folded)
    assert gone > 0
    assert folded.count_params() == network.count_params() - weights_a_channel * gone
    assert [layer.name for layer in folded.layers] == [layer.name for layer in network.layers]
    assert all(np.array_equal(a, b) for a, b in zip(network.get_weights(), weights, strict=True))


def test_what_somebody_else_looks_at_is_left_alone() -> None:
    inputs = keras.Input((6,))
    x = layers.Dense(5)(inputs)
    shared = layers.Add()([x, layers.BatchNormalization()(x)])
    x = layers.BatchNormalization(name="alone", center=False)(layers.Dense(4, use_bias=False)(shared))
    network = look_trained(keras.Model(inputs, x))
    folded = fold_batch_norm(network)
    assert [norm.name == "alone" for norm in norms(folded)] == [False]
    rows = np.random.default_rng(2).normal(size=(7, 6)).astype(np.float32)
    np.testing.assert_allclose(folded(rows), network(rows), rtol=1e-5, atol=1e-6)


def test_a_network_that_begins_with_batch_norm() -> None:
    inputs = keras.Input((6,))
    network = look_trained(keras.Model(inputs, layers.Dense(3)(layers.BatchNormalization()(inputs))))
    folded = fold_batch_norm(network)
    assert len(norms(folded)) == 1
    rows = np.random.default_rng(3).normal(size=(4, 6)).astype(np.float32)
    np.testing.assert_array_equal(folded(rows), network(rows))


def of_kind(network: keras.Model, kind: type[layers.Layer]) -> list[str]:
    return [layer.name for layer in network.layers if type(layer) is kind]


def trained_generator(
    largest_slope: float, outer_kernel: int = 9, batch_norm: bool = True, attention: bool = False
) -> keras.Model:
    """A small generator of mid grey levels, with slopes of both signs, up to a largest that is among them."""
    keras.utils.set_random_seed(0)
    network = look_trained(
        generator_paper(8, 2, 8, batch_norm, upsampling_filters=4, outer_kernel=outer_kernel, attention=attention)
    )
    random = np.random.default_rng(3)
    for layer in network.layers:
        if isinstance(layer, layers.PReLU):
            slopes = random.uniform(-1.5, largest_slope, layer.alpha.shape)
            slopes[0, 0, 1] = largest_slope
            layer.alpha.assign(slopes)
    return network


@pytest.mark.parametrize("batch_norm", [True, False])
@pytest.mark.parametrize(("outer_kernel", "attention"), [(3, False), (3, True), (5, False), (7, False), (9, False)])
def test_a_generator_in_fewer_operations_gives_the_same_pixels(
    outer_kernel: int, attention: bool, batch_norm: bool
) -> None:
    network = trained_generator(1.0, outer_kernel, batch_norm, attention)
    images = np.random.default_rng(4).integers(0, 256, (64, 8, 8, 3)).astype(np.float32)
    before, weights = np.asarray(network(images, training=False)), network.get_weights()
    folded = fold_for_inference(network)
    after = np.asarray(folded(images, training=False))
    assert before.std() > 5
    np.testing.assert_allclose(after, before, atol=2e-6 * np.abs(before).max())
    levels = np.abs(np.clip(np.rint(after), 0, 255) - np.clip(np.rint(before), 0, 255))
    assert levels.max() <= 1
    assert (levels > 0).mean() < 1e-3
    assert all(np.array_equal(a, b) for a, b in zip(network.get_weights(), weights, strict=True))
    assert not of_kind(folded, layers.PReLU)
    # The last convolution alone has so few channels that it is cheaper before the shuffle.
    assert of_kind(folded, ConvolutionBeforeShuffle) == of_kind(network, layers.Conv2D)[-1:]
    assert [weight.shape for weight in folded.weights] == [weight.shape for weight in fold_batch_norm(network).weights]


def test_slopes_above_one_stay_prelu() -> None:
    network = trained_generator(1.2)
    folded = fold_for_inference(network)
    assert of_kind(folded, layers.PReLU) == of_kind(network, layers.PReLU)
    images = np.random.default_rng(5).integers(0, 256, (4, 8, 8, 3)).astype(np.float32)
    before = np.asarray(network(images, training=False))
    np.testing.assert_allclose(folded(images, training=False), before, atol=2e-6 * np.abs(before).max())
    gentle = trained_generator(0.9)
    assert len(of_kind(fold_for_inference(gentle), MaximumOfSlopes)) == len(of_kind(gentle, layers.PReLU))


def test_a_shuffle_that_somebody_else_looks_at_stays_where_it_is() -> None:
    inputs = keras.Input((4, 4, 8))
    shuffled = pixel_shuffle(inputs)
    outputs = layers.Concatenate()([layers.Conv2D(3, 3, padding="same")(shuffled), shuffled])
    network = look_trained(keras.Model(inputs, outputs))
    folded = fold_for_inference(network)
    assert not of_kind(folded, ConvolutionBeforeShuffle)
    images = np.random.default_rng(6).normal(size=(2, 4, 4, 8)).astype(np.float32)
    np.testing.assert_array_equal(folded(images), network(images))


def test_a_network_whose_layers_have_the_first_names_is_folded() -> None:
    # As one that a process loads: Keras counts the names of new layers from 0 there.
    keras.utils.clear_session()
    network = trained_generator(1.0, outer_kernel=3, batch_norm=False, attention=True)
    assert "reshape" in {layer.name for layer in network.layers}
    keras.utils.clear_session()
    images = np.random.default_rng(6).integers(0, 256, (2, 8, 8, 3)).astype(np.float32)
    before = np.asarray(network(images, training=False))
    np.testing.assert_allclose(fold_for_inference(network)(images, training=False), before, rtol=1e-4, atol=1e-3)
