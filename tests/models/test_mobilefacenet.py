"""MobileFaceNet: its size, and its second convolution against the grouped one that it stands for."""

import keras
import numpy as np
import pytest

from lrfr_tf.models.mobilefacenet import EMBEDDING_SIZE, INPUT_SIZE, SwapHalves, mobilefacenet
from lrfr_tf.weights.mobilefacenet import even_then_odd, pair_kernels


def test_size_and_shapes() -> None:
    network = mobilefacenet()
    assert network.count_params() == 3_398_400
    assert network.input_shape == (None, INPUT_SIZE, INPUT_SIZE, 3)
    assert network.output_shape == (None, EMBEDDING_SIZE)
    assert (
        sum(isinstance(layer, keras.layers.Conv2D | keras.layers.DepthwiseConv2D) for layer in network.layers) == 50
    )  # one is two


def test_a_grouped_convolution_in_two_steps() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(2, 6, 5, 8)).astype(np.float32)
    kernel = random.normal(size=(8, 2, 3, 3)).astype(np.float32)  # PyTorch's order: output, input of the group
    bias = random.normal(size=8).astype(np.float32)
    halves = even_then_odd(8)
    own, partner = (keras.layers.DepthwiseConv2D(3, padding="same", use_bias=with_bias) for with_bias in (True, False))
    for layer, weights in zip((own, partner), pair_kernels(kernel), strict=True):
        layer.build((None, 6, 5, 8))
        layer.set_weights([weights, bias[halves]] if layer.use_bias else [weights])
    in_two_steps = np.asarray(own(x[..., halves]) + partner(SwapHalves()(x[..., halves])))
    for group in range(4):
        members = slice(2 * group, 2 * group + 2)
        plain = keras.layers.Conv2D(2, 3, padding="same")
        plain.build((None, 6, 5, 2))
        plain.set_weights([np.transpose(kernel[members], (2, 3, 1, 0)), bias[members]])
        found = in_two_steps[..., [group, 4 + group]]
        np.testing.assert_allclose(found, np.asarray(plain(x[..., members])), atol=1e-5)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_embeddings_are_float32_under_every_precision(policy: str) -> None:
    keras.config.set_dtype_policy(policy)
    images = np.random.default_rng(0).uniform(0, 255, (1, INPUT_SIZE, INPUT_SIZE, 3)).astype(np.float32)
    embeddings = np.asarray(mobilefacenet()(images))
    assert embeddings.dtype == np.float32
    assert np.isfinite(embeddings).all()
