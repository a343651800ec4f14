"""A network of float32 that computes in bfloat16, for processors that multiply it faster (AMX, AVX-512 BF16)."""

from typing import Any

import keras

POLICY = "mixed_bfloat16"
# Layers that are float32 under every policy: they see pixels, or give features. `models.facenet` and
# `models.spherenet` build them so.
FLOAT32_LAYERS = ("enlarged", "standardisation", "to_signed_range", "embedding", "features")


def in_bfloat16(network: keras.Model) -> keras.Model:
    """The same network with the same weights, float32, as if it had been built under the policy mixed_bfloat16.

    Products are of numbers of 8 significant bits, sums are float32. Pixels and features stay float32.
    """

    def with_policy(layer: Any) -> Any:
        config = layer.get_config()
        if layer.name not in FLOAT32_LAYERS and not isinstance(layer, keras.layers.InputLayer):
            config["dtype"] = POLICY
        return layer.__class__.from_config(config)

    clone = keras.models.clone_model(network, clone_function=with_policy, recursive=True)
    clone.set_weights(network.get_weights())
    return clone
