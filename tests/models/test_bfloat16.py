"""Networks that compute in bfloat16."""

import keras
import numpy as np
import pytest

from lrfr_tf.models.backbone import backbone
from lrfr_tf.models.bfloat16 import in_bfloat16


@pytest.mark.parametrize("name", ["spherenet4", "facenet"])
def test_every_layer_has_the_policy_that_the_network_is_built_with(name: str) -> None:
    ours = in_bfloat16(backbone(name))
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        built = backbone(name)
    finally:
        keras.config.set_dtype_policy("float32")

    assert [(type(layer), policy_of(layer)) for layer in layers_of(ours)] == [
        (type(layer), policy_of(layer)) for layer in layers_of(built)
    ]
    assert {policy_of(layer) for layer in layers_of(ours)} == {"float32", "mixed_bfloat16"}


def test_the_network_is_left_as_it_was_and_its_features_are_nearly_the_same() -> None:
    network = backbone("spherenet4")
    faces = np.random.default_rng(0).uniform(0, 255, (2, 128, 128, 3)).astype(np.float32)
    before = np.asarray(network(faces))

    features = np.asarray(in_bfloat16(network)(faces))

    assert np.array_equal(np.asarray(network(faces)), before)
    assert features.dtype == np.float32
    assert not np.array_equal(features, before)
    lengths = np.linalg.norm(before, axis=1) * np.linalg.norm(features, axis=1)
    assert ((before * features).sum(axis=1) / lengths).min() > 0.999


def layers_of(model: keras.Model) -> list[keras.layers.Layer]:
    """All layers, also of models within, that compute something."""
    return [layer for layer in model._flatten_layers() if not isinstance(layer, keras.layers.InputLayer | keras.Model)]


def policy_of(layer: keras.layers.Layer) -> str:
    return layer.dtype_policy.name
