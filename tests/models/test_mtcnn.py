"""MTCNN's nets: the released sizes, and the layer that pools before it has finished its PReLU."""

import keras
import numpy as np
import pytest

from lrfr_tf.models.mtcnn import PReLUAndPool, TwoPassPReLU, output_net, proposal_net, refinement_net
from lrfr_tf.weights.mtcnn import mtcnn_nets


def test_the_released_numbers_of_parameters() -> None:
    assert proposal_net().count_params() == 6_632
    assert refinement_net().count_params() == 100_178
    assert output_net().count_params() == 389_040


def test_float32_under_every_precision_policy() -> None:
    keras.config.set_dtype_policy("mixed_bfloat16")
    for build in (proposal_net, refinement_net, output_net):
        net = build()
        assert {layer.compute_dtype for layer in net.layers if layer.weights} == {"float32"}
        assert {keras.backend.standardize_dtype(output.dtype) for output in net.outputs} == {"float32"}


@pytest.mark.parametrize(("height", "width"), [(12, 12), (13, 40), (31, 14)])
def test_the_proposal_net_answers_for_each_cell(height: int, width: int) -> None:
    offsets, answers = proposal_net()(np.zeros((2, height, width, 3), np.float32))
    rows, columns = -(-(height - 2) // 2) - 4, -(-(width - 2) // 2) - 4
    assert offsets.shape == (2, rows, columns, 4)
    assert answers.shape == (2, rows, columns, 2)


def test_a_gentle_prelu_is_a_prelu() -> None:
    images = np.random.default_rng(0).normal(size=(3, 7, 5, 4)).astype(np.float32)
    ours, theirs = TwoPassPReLU(), keras.layers.PReLU(shared_axes=[1, 2])
    for layer in (ours, theirs):
        layer.build(images.shape)
        layer.set_weights([np.array([[[-1.3, -0.2, 0.6, 1.0]]], np.float32)])
    np.testing.assert_array_equal(ours(images), theirs(images))


def test_only_slopes_of_pooled_layers_are_above_one() -> None:
    nets = mtcnn_nets()
    steep = {
        layer.name
        for net in (nets.proposal, nets.refinement, nets.output)
        for layer in net.layers
        if isinstance(layer, TwoPassPReLU) and np.max(layer.alpha) > 1
    }
    assert steep == set()


@pytest.mark.parametrize(("pool_size", "padding", "side"), [(2, "same", 9), (3, "same", 10), (3, "valid", 11)])
def test_pooling_within_the_prelu_changes_no_bit(pool_size: int, padding: str, side: int) -> None:
    generator = np.random.default_rng(0)
    images = generator.normal(size=(3, side, side, 6)).astype(np.float32)
    slopes = np.array([[[-1.3, -0.2, 0.0, 0.6, 1.0, 1.7]]], np.float32)
    joined = PReLUAndPool(pool_size, padding)
    joined.build(images.shape)
    joined.set_weights([slopes])
    activated = np.where(images > 0, images, slopes * images)
    expected = keras.layers.MaxPooling2D(pool_size, 2, padding=padding)(activated)
    np.testing.assert_array_equal(joined(images), expected)
    assert joined.compute_output_shape(images.shape) == expected.shape
