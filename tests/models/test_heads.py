"""The heads against NumPy, and the size of the original system's head."""

import numpy as np
import pytest

from lrfr_tf.models.heads import linear_head, mlp_head


def test_mlp_head_is_the_network_written_down() -> None:
    model = mlp_head(8, 5)
    values = np.random.default_rng(0).normal(size=(4, 8)).astype(np.float32)
    kernel_1, bias_1, kernel_2, bias_2, kernel_3, bias_3 = model.get_weights()
    hidden = np.maximum(values @ kernel_1 + bias_1, 0)
    hidden = np.maximum(hidden @ kernel_2 + bias_2, 0)
    np.testing.assert_allclose(model(values, training=False), hidden @ kernel_3 + bias_3, atol=1e-5)
    assert kernel_1.shape == (8, 1024)
    assert kernel_2.shape == (1024, 2048)


def test_mlp_head_drops_units_while_training_only() -> None:
    model = mlp_head(8, 5, dropout=0.5)
    values = np.ones((2, 8), np.float32)
    assert not np.allclose(model(values, training=True), model(values, training=False))


def test_mlp_head_has_the_size_of_the_original() -> None:
    assert mlp_head(512, 9809).count_params() == pytest.approx(22.72e6, rel=1e-3)


def test_linear_head_is_one_product() -> None:
    model = linear_head(3, 4)
    values = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    kernel, bias = np.arange(12, dtype=np.float32).reshape(3, 4), np.arange(4, dtype=np.float32)
    model.set_weights([kernel, bias])
    np.testing.assert_allclose(model(values), values @ kernel + bias, rtol=1e-5, atol=1e-5)
    assert linear_head(512, 9809).count_params() == 513 * 9809
