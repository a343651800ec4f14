"""Batch norm folded into the layer before it: the same function with fewer passes over the data.

In inference batch norm is a scale and a shift with fixed numbers, so a convolution y = K x + b followed by it is
another convolution: K' = K g / sqrt(v + e), b' = (b - m) g / sqrt(v + e) + beta.
"""

from typing import Any

import keras
from keras import layers, ops


def fold_batch_norm(network: keras.Model) -> keras.Model:
    """A copy of the network whose batch norm is part of the layers before it, wherever that is possible.

    It is possible after a convolution or a dense layer without an activation that nothing else looks at. Such a batch
    norm becomes an identity; others stay. The layers keep their names, and all weights are copied. The copy is for
    inference, or to be trained on without statistics of the batch.

    Args:
        network: a flat functional model.

    Returns:
        A model with the same inputs and outputs, whose answers in inference differ by rounding alone.
    """
    before = {layer.name: source for layer in network.layers if (source := _layer_to_fold_into(layer))}
    with_bias = set(before.values())

    def copy(layer: layers.Layer) -> layers.Layer:
        if layer.name in before:
            return layers.Identity(name=layer.name, dtype=layer.dtype_policy.name)
        settings = layer.get_config()
        if layer.name in with_bias:
            settings["use_bias"] = True
        return layer.__class__.from_config(settings)

    def call(layer: layers.Layer, *inputs: Any, **options: Any) -> Any:
        return layer(*inputs)  # without batch norm's own options, such as its mask

    folded = keras.models.clone_model(network, clone_function=copy, call_function=call)
    for layer in network.layers:
        if layer.weights and layer.name not in before and layer.name not in with_bias:
            folded.get_layer(layer.name).set_weights(layer.get_weights())
    for norm, name in before.items():
        kernel, bias = _folded_weights(network.get_layer(name), network.get_layer(norm))
        folded.get_layer(name).set_weights([kernel, bias])
    return folded


def _layer_to_fold_into(norm: layers.Layer) -> str | None:
    """The name of the layer that a batch norm can be folded into; None for other layers, and where there is none."""
    if not isinstance(norm, layers.BatchNormalization):
        return None
    source = norm.input._keras_history.operation
    linear = isinstance(source, (layers.Conv2D, layers.Dense)) and source.activation is keras.activations.linear
    return str(source.name) if linear and len(source._outbound_nodes) == 1 else None


def _folded_weights(layer: layers.Layer, norm: layers.Layer) -> tuple[Any, Any]:
    """Kernel and bias of the layer with the batch norm in it, as float32 arrays."""
    scale = ops.rsqrt(ops.convert_to_tensor(norm.moving_variance) + norm.epsilon)
    if norm.scale:
        scale = scale * ops.convert_to_tensor(norm.gamma)
    bias = -ops.convert_to_tensor(norm.moving_mean)
    if layer.use_bias:
        bias = bias + ops.convert_to_tensor(layer.bias)
    bias = bias * scale
    if norm.center:
        bias = bias + ops.convert_to_tensor(norm.beta)
    kernel = ops.convert_to_tensor(layer.kernel) * scale
    return ops.convert_to_numpy(kernel), ops.convert_to_numpy(bias)
