"""The same function in fewer operations, for inference.

Batch norm: in inference it is a scale and a shift with fixed numbers, so a convolution y = K x + b followed by it is
another convolution: K' = K g / sqrt(v + e), b' = (b - m) g / sqrt(v + e) + beta.

PReLU: relu(x) - a relu(-x), five passes over the data, is max(x, a x) for slopes a of at most 1.

A convolution with few output channels after a pixel shuffle: kernels for CPUs compute 16 channels at a time, so that 3
cost as much as 16. Before the shuffle the image has half the side and four times the channels, and one position holds
2 x 2 pixels: 12 output channels there, shuffled afterwards, are the same sums.
"""

import math
from typing import Any

import keras
from keras import layers, ops

from lrfr_tf.models.srgan import pixel_shuffle

CHANNELS_AT_A_TIME = 16  # float32 in a register of AVX-512


def fold_for_inference(network: keras.Model) -> keras.Model:
    """A copy of the network with all that this module knows: batch norm, PReLU, last convolution.

    The layers keep their names, and all weights but those of batch norm their shapes, order and values. The copy is
    not for training: slopes could grow above 1.

    Args:
        network: a flat functional model.

    Returns:
        A model with the same inputs and outputs, whose answers in inference differ by rounding alone.
    """
    network = fold_batch_norm(network)
    moved = {
        layer.name: shuffle for layer in network.layers if (shuffle := _shuffle_that_can_come_after(layer)) is not None
    }
    shuffles = {layer.name for between in moved.values() for layer in between if not isinstance(layer, layers.PReLU)}
    grouped = {layer.name for between in moved.values() for layer in between if isinstance(layer, layers.PReLU)}

    def copy(layer: layers.Layer) -> layers.Layer:
        if layer.name in shuffles:
            return layers.Identity(name=layer.name, dtype=layer.dtype_policy.name)
        if layer.name in moved:
            return ConvolutionBeforeShuffle.from_config(layer.get_config())
        if _is_a_maximum(layer):
            kept = {key: layer.get_config()[key] for key in ("name", "trainable", "dtype")}
            return MaximumOfSlopes(4 if layer.name in grouped else 1, **kept)
        return layer.__class__.from_config(layer.get_config())

    def call(layer: layers.Layer, *inputs: Any, **options: Any) -> Any:
        output = layer(*inputs, **options)
        # Named after its layer: Keras counts from 0 in each process, and a loaded network has the first names already.
        return pixel_shuffle(output, f"{layer.name}_shuffle") if layer.name in moved else output

    folded = keras.models.clone_model(network, clone_function=copy, call_function=call)
    for layer in network.layers:
        if layer.weights:
            folded.get_layer(layer.name).set_weights(layer.get_weights())
    return folded


@keras.saving.register_keras_serializable(package="lrfr_tf")
class MaximumOfSlopes(layers.Layer):
    """PReLU with one slope a channel as max(x, a x), which it is for slopes of at most 1.

    Args:
        groups: the slopes are repeated so often, for an image before its pixel shuffle (4), or not (1).
    """

    def __init__(self, groups: int = 1, **settings: Any) -> None:
        super().__init__(**settings)
        self.groups = groups

    def build(self, input_shape: Any) -> None:
        self.alpha = self.add_weight(shape=(1, 1, input_shape[-1] // self.groups), initializer="zeros", name="alpha")

    def call(self, x: Any) -> Any:
        return ops.maximum(x, ops.tile(self.alpha, (1, 1, self.groups)) * x)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "groups": self.groups}


@keras.saving.register_keras_serializable(package="lrfr_tf")
class ConvolutionBeforeShuffle(layers.Conv2D):
    """The convolution of a pixel-shuffled image, on the image before: [N, H, W, 4 C] -> [N, H, W, 4 filters].

    Its weights are those of the convolution after the shuffle, kernel [k, k, C, filters], k odd, and bias [filters];
    the larger kernel is made of them in each call, which costs little.
    """

    def build(self, input_shape: Any) -> None:
        super().build((*input_shape[:-1], input_shape[-1] // 4))
        self.input_spec = layers.InputSpec(ndim=4, axes={-1: input_shape[-1]})

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], 4 * self.filters)

    def call(self, x: Any) -> Any:
        return ops.conv(x, self._larger_kernel(), padding="same") + ops.tile(self.bias, 4)

    def _larger_kernel(self) -> Any:
        """Kernel [b, b, 4 C, 4 filters]: for each of the 2 x 2 output pixels the kernel at its place among the pixels
        of the b x b positions around."""
        size, _, channels, filters = self.kernel.shape
        blocks = _side_before_shuffle(size)
        first = 2 * (blocks // 2) - size // 2  # row of the kernel's first row for the upper pixel
        spare = 2 * blocks - size
        places = [
            ops.pad(
                self.kernel,
                ((first + down, spare - first - down), (first + right, spare - first - right), (0, 0), (0, 0)),
            )
            for down in (0, 1)
            for right in (0, 1)
        ]
        kernel = ops.reshape(ops.stack(places, axis=3), (blocks, 2, blocks, 2, channels, 4 * filters))
        kernel = ops.transpose(kernel, (0, 2, 1, 3, 4, 5))  # the shuffle's order: row, column, channel
        return ops.reshape(kernel, (blocks, blocks, 4 * channels, 4 * filters))


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


def _is_a_maximum(layer: layers.Layer) -> bool:
    """Whether it is a PReLU with one slope a channel, none above 1."""
    by_channel = isinstance(layer, layers.PReLU) and set(layer.shared_axes or ()) == {1, 2}
    return by_channel and bool(ops.max(layer.alpha) <= 1)


def _shuffle_that_can_come_after(layer: layers.Layer) -> list[layers.Layer] | None:
    """The layers of the pixel shuffle before a convolution, and the PReLU between, if it is cheaper to move them."""
    if not isinstance(layer, layers.Conv2D) or not _is_plain(layer):
        return None
    size, filters = layer.kernel_size[0], layer.filters
    cost_after = size**2 * _computed(filters)  # a pixel and input channel, of which there are as many before
    if _side_before_shuffle(size) ** 2 * _computed(4 * filters) > cost_after:
        return None
    found: list[layers.Layer] = []
    source = _only_source(layer)
    if source is not None and _is_a_maximum(source):
        found.append(source)
        source = _only_source(source)
    for kind in (layers.Reshape, layers.Permute, layers.Reshape):
        if not isinstance(source, kind):
            return None
        found.append(source)
        source = _only_source(source)
    second, permute, first = found[-3:]
    _, height, width, channels = first.input.shape
    shuffled = (height, width, 2, 2, channels // 4), (1, 3, 2, 4, 5), (2 * height, 2 * width, channels // 4)
    return found if (first.target_shape, permute.dims, second.target_shape) == shuffled else None


def _is_plain(layer: layers.Conv2D) -> bool:
    """Whether it slides an odd square over every pixel, and adds a bias."""
    ones = (*layer.strides, *layer.dilation_rate, layer.groups) == (1, 1, 1, 1, 1)
    square = layer.kernel_size[0] == layer.kernel_size[1] and layer.kernel_size[0] % 2 == 1
    linear = layer.use_bias and layer.activation is keras.activations.linear
    return ones and square and linear and layer.padding == "same" and layer.data_format == "channels_last"


def _side_before_shuffle(size: int) -> int:
    """Side of the kernel before the shuffle that sees all that an odd kernel after it sees."""
    return 2 * math.ceil(size // 2 / 2) + 1


def _computed(channels: int) -> int:
    return math.ceil(channels / CHANNELS_AT_A_TIME) * CHANNELS_AT_A_TIME


def _only_source(layer: layers.Layer) -> layers.Layer | None:
    """The layer before, if nothing else looks at it."""
    source = layer.input._keras_history.operation
    return source if len(source._outbound_nodes) == 1 else None
