"""Folding batch norm changes neither the answers nor the network that it is folded from."""

from collections.abc import Callable

import keras
import numpy as np
import pytest
from keras import layers

from lrfr_tf.models.facenet import inception_resnet_v1
from lrfr_tf.models.fold import fold_batch_norm
from lrfr_tf.models.srgan import generator_keras_gan, generator_paper


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


def inception() -> keras.Model:
    return inception_resnet_v1(128, input_size=75, dropout=0.0)


@pytest.mark.parametrize(
    ("build", "weights_a_channel", "left"),
    [
        # Scale, shift, mean and variance go; the convolutions have a bias already.
        (generator, 4, 0),
        # Shift, mean and variance go, and each convolution and the bottleneck get a bias.
        (inception, 2, 0),
        # Half of the norms follow a ReLU.
        (lambda: generator_keras_gan(8), 4, 16),
    ],
    ids=["paper", "inception_resnet_v1", "keras_gan"],
)
def test_the_answers_stay_and_the_norms_go(build: Callable[[], keras.Model], weights_a_channel: int, left: int) -> None:
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
