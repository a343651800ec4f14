"""Weights of the deep Siamese network (Lai & Lam 2021), from PyTorch's state dict into our SphereNet.

The keys of their state dict are positions in a row of modules and say nothing, so tensors are matched by their order:
for every convolution its kernel, its bias and the slopes of its PReLU, then kernel and bias of the last layer. The
ending of each key (weight or bias) and each shape are checked.
"""

import math
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from lrfr_tf.config import versions
from lrfr_tf.errors import UserError
from lrfr_tf.files import atomic_file, sha256, write_json
from lrfr_tf.models.spherenet import STAGE_CHANNELS, spherenet


def convert_state_dict(state: Mapping[str, np.ndarray], depth: int = 20) -> keras.Model:
    """Builds a SphereNet of this depth that gives the same embeddings as the PyTorch network.

    Kernels (out, in, height, width) become (height, width, in, out). The last layer sees the features flattened as
    channel, row, column in PyTorch and as row, column, channel here, so its inputs are put in our order.

    Args:
        state: key -> floats, in the order of the modules.

    Returns:
        The model of `lrfr_tf.models.spherenet.spherenet(depth)`.

    Raises:
        UserError: the number of tensors, a key's ending, a shape or a value does not fit.
    """
    network = spherenet(depth)
    layers = [layer for layer in network.layers if layer.weights]
    expected = [(layer, weight) for layer in layers for weight in layer.weights]
    if len(state) != len(expected):
        raise UserError(f"The state dict holds {len(state)} tensors; SphereNet-{depth} has {len(expected)}.")
    for (layer, weight), (key, tensor) in zip(expected, state.items(), strict=True):
        ending = "bias" if weight.name == "bias" else "weight"
        shape = _pytorch_shape(layer, weight)
        if key.rpartition(".")[2] != ending or tensor.shape != shape:
            raise UserError(
                f"{key} of the state dict has the shape {tensor.shape}; SphereNet-{depth} needs a {ending} of {shape} "
                f"there, for {layer.name}."
            )
        if not np.isfinite(tensor).all():
            raise UserError(f"{key} of the state dict holds values that are not finite.")
        weight.assign(_converted(layer, weight, tensor))
    return network


def read_state_dict(path: Path) -> dict[str, np.ndarray]:
    """Reads a PyTorch checkpoint that is a state dict; objects other than tensors are never made.

    Returns:
        Key -> float32 array, in the file's order.

    Raises:
        UserError: the file is missing, is no checkpoint, or holds anything else than a dict of floating-point tensors;
            or PyTorch is not installed.
    """
    if not path.is_file():
        raise UserError(f"The checkpoint {path} is missing.")
    try:
        import torch  # large, and needed by nothing else
    except ImportError:
        raise UserError("Reading a PyTorch checkpoint needs PyTorch: pip install 'lrfr-tf[torch]'.") from None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        # A pickle can run any code; what is not a tensor is not loaded, whatever it is.
        raise UserError(f"{path} is not a checkpoint of tensors alone, so it is not loaded.") from error
    except Exception as error:  # many kinds, by where the file is broken
        raise UserError(f"{path} is not a PyTorch checkpoint.") from error
    if not isinstance(state, Mapping) or not state:
        raise UserError(f"{path} holds no state dict but a {type(state).__name__}.")
    for key, tensor in state.items():
        if not isinstance(key, str) or not isinstance(tensor, torch.Tensor) or not tensor.is_floating_point():
            raise UserError(f"{path} holds no state dict: {key!r} is not a tensor of floating-point numbers.")
    return {key: tensor.to(torch.float32).numpy() for key, tensor in state.items()}


def import_checkpoint(checkpoint: Path, output: Path, depth: int = 20) -> dict[str, Any]:
    """Turns a PyTorch checkpoint into a `.weights.h5` file of ours, with a JSON record beside it.

    Args:
        output: where to; its name ends in ".weights.h5". The record takes ".json" in the place of that.

    Returns:
        The record: network, parameters, template, both files' names and SHA-256, versions.

    Raises:
        UserError: as `read_state_dict` and `convert_state_dict`, or `output` has another ending.
    """
    stem = output.name.removesuffix(".weights.h5")
    if stem in ("", output.name):
        raise UserError(f"`output`={output} must end in .weights.h5.")
    network = convert_state_dict(read_state_dict(checkpoint), depth)
    with atomic_file(output) as temporary:
        network.save_weights(temporary)
    record = {
        "network": network.name,
        "parameters": network.count_params(),
        "template": "lai",
        "weights": {"file": output.name, "sha256": sha256(output)},
        "source": {"file": checkpoint.name, "sha256": sha256(checkpoint)},
        "versions": versions(),
    }
    write_json(output.with_name(f"{stem}.json"), record)
    return record


def _pytorch_shape(layer: keras.Layer, weight: keras.Variable) -> tuple[int, ...]:
    shape = tuple(weight.shape)
    if isinstance(layer, keras.layers.Conv2D) and weight.name == "kernel":
        height, width, inputs, outputs = shape
        return (outputs, inputs, height, width)
    if isinstance(layer, keras.layers.Dense) and weight.name == "kernel":
        return shape[::-1]
    return (shape[-1],)


def _converted(layer: keras.Layer, weight: keras.Variable, tensor: np.ndarray) -> np.ndarray:
    if isinstance(layer, keras.layers.Conv2D) and weight.name == "kernel":
        return tensor.transpose(2, 3, 1, 0)
    if isinstance(layer, keras.layers.Dense) and weight.name == "kernel":
        outputs, inputs = tensor.shape
        channels = STAGE_CHANNELS[-1]
        side = math.isqrt(inputs // channels)
        return tensor.reshape(outputs, channels, side, side).transpose(2, 3, 1, 0).reshape(inputs, outputs)
    return tensor.reshape(weight.shape)  # a bias as it is; slopes [C] -> [1, 1, C]
