"""Degrading: the same pixels in both forms, and Pillow's."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from lrfr_tf.images.degrade import degrade, degrade_in_graph


@pytest.mark.parametrize(("high", "low"), [(64, 16), (128, 8), (128, 12), (160, 16)])
def test_both_forms_equal_pillow(high: int, low: int, portrait: np.ndarray) -> None:
    images = np.stack([portrait[20 : 20 + high, 150 : 150 + high], portrait[200 : 200 + high, 50 : 50 + high]])
    expected = np.stack([np.asarray(Image.fromarray(image).resize((low, low), 3)) for image in images])
    assert expected.std() > 20
    np.testing.assert_array_equal(degrade(images, low), expected)
    np.testing.assert_array_equal(degrade_in_graph(images, low), expected)


def test_graph_form_works_in_a_data_pipeline() -> None:
    images = np.random.default_rng(3).integers(0, 256, (6, 64, 64, 3), dtype=np.uint8)
    batches = tf.data.Dataset.from_tensor_slices(images).batch(4).map(lambda batch: degrade_in_graph(batch, 16))
    np.testing.assert_array_equal(np.concatenate(list(batches.as_numpy_iterator())), degrade(images, 16))
