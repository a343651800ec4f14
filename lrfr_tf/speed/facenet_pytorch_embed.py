"""Serves facenet-pytorch's Inception-ResNet-v1 with our weights; runs in the peers' environment, without TensorFlow.

Its module has 512 outputs; the last two layers are made anew with as many as our weights have.
"""

import importlib.metadata
import re
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lrfr_tf.speed.peers import BFLOAT16
from lrfr_tf.speed.torch_boxes import stand_in_for_torchvision
from lrfr_tf.speed.whiten import whiten
from lrfr_tf.speed.worker import Call, read_lists, serve

CHANNELS_LAST = "channels last"


def prepare(folder: Path, threads: int) -> tuple[dict[str, Call], dict[str, Any]]:
    """uint8 faces -> unit-length embeddings.

    Each case once with the channels before the rows, as this package's own detector hands on its crops, and once as
    `<case>, channels last`: nobody needs to know of that, but it is faster. `<case>, bfloat16` is the latter in
    PyTorch's automatic mixed precision.
    """
    torch.set_num_threads(threads)
    stand_in_for_torchvision()
    from facenet_pytorch import InceptionResnetV1

    network = InceptionResnetV1().eval()
    with np.load(folder / "weights.npz", allow_pickle=False) as weights:
        dimensions = weights["Bottleneck/kernel"].shape[1]
        network.last_linear = torch.nn.Linear(1792, dimensions, bias=False)
        network.last_bn = torch.nn.BatchNorm1d(dimensions, eps=0.001)
        untouched = network.eval().load_state_dict(
            state_of({name: weights[name] for name in weights.files}), strict=False
        )
    # Our batch norm has no scale and torch's counters of batches are not used; nothing else may be left as it was.
    left = [key for key in untouched.missing_keys if not re.search(r"(bn\.weight|num_batches_tracked)$", key)]
    if left or untouched.unexpected_keys:
        raise ValueError(f"Weights that fit nowhere, or are missing: {left + list(untouched.unexpected_keys)}.")

    def call(faces: np.ndarray, layout: torch.memory_format, mixed: bool = False) -> Call:
        def embed() -> dict[str, np.ndarray]:
            with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=mixed):
                images = torch.from_numpy(whiten(faces)).permute(0, 3, 1, 2).contiguous(memory_format=layout)
                return {"embedding": network(images).float().numpy()}

        return embed

    calls = {}
    for case, (faces,) in read_lists(folder / "embed.npz").items():
        calls[case] = call(faces, torch.contiguous_format)
        calls[f"{case}, {CHANNELS_LAST}"] = call(faces, torch.channels_last)
        calls[f"{case}{BFLOAT16}"] = call(faces, torch.channels_last, mixed=True)
    return calls, {"version": importlib.metadata.version("facenet-pytorch"), "torch": torch.__version__}


def state_of(weights: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    """The weights under the names of facenet-pytorch, in PyTorch's order of dimensions."""
    layers = {name.split("/")[0] for name in weights}
    convolutions = {layer for layer in layers if f"{layer}_BatchNorm" in layers}
    kinds = {"kernel": "weight", "bias": "bias", "beta": "bias", "moving_mean": "running_mean"}
    kinds["moving_variance"] = "running_var"
    state = {}
    for name, array in weights.items():
        layer, kind = name.split("/")
        norm = layer.endswith("_BatchNorm")
        place = place_of(layer.removesuffix("_BatchNorm"), convolutions)
        if layer.startswith("Bottleneck"):
            place = "last_bn" if norm else "last_linear"
        elif norm or layer in convolutions:
            place += ".bn" if norm else ".conv"
        order = {4: (3, 2, 0, 1), 2: (1, 0), 1: (0,)}[array.ndim]
        state[f"{place}.{kinds[kind]}"] = torch.from_numpy(array.transpose(order).copy())
    return state


def place_of(layer: str, convolutions: set[str]) -> str:
    """Block17_3_Branch_1_Conv2d_0b_1x7 -> repeat_2.2.branch1.1, and so on."""
    block, _, rest = layer.partition("_Branch_")
    if not rest:
        if match := re.fullmatch(r"(Block\d+_\d+)_Conv2d_1x1", layer):
            return f"{_block(match[1])}.conv2d"
        return re.sub(r"_\dx\d$", "", layer).lower()
    branch = rest.split("_")[0]
    siblings = sorted(name for name in convolutions if name.startswith(f"{block}_Branch_{branch}_"))
    number = f".{siblings.index(layer)}" if len(siblings) > 1 else ""
    return f"{_block(block)}.branch{branch}{number}"


def _block(name: str) -> str:
    if name.startswith("Mixed"):
        return name.lower()
    kind, number = name.split("_")
    if name == "Block8_6":
        return "block8"
    return f"{ {'Block35': 'repeat_1', 'Block17': 'repeat_2', 'Block8': 'repeat_3'}[kind] }.{int(number) - 1}"


if __name__ == "__main__":
    serve(prepare)
