"""Writes dsn_torch.json: the embedding that PyTorch computes with known weights of an image that is known too.

The network is SphereNet-10, written down once more in PyTorch: the shallowest that has residual units. Run it from the
root of the checkout, in an environment with PyTorch 2.13.0 and NumPy:

    python -m tests.golden.make_dsn_golden

The tests make the same weights and the same image again, so the conversion is proven where there is no PyTorch.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

OUTPUT = Path(__file__).with_name("dsn_torch.json")

UNITS = (0, 1, 2, 0)
CHANNELS = (64, 128, 256, 512)


def main() -> None:
    import torch

    network = torch_network(UNITS)
    network.load_state_dict({key: torch.from_numpy(values) for key, values in known_state().items()})
    embedding = torch_embedding(network, known_image()[None])[0]
    golden = {"versions": {"torch": torch.__version__}, "embedding": [round(float(value), 6) for value in embedding]}
    OUTPUT.write_text(json.dumps(golden) + "\n", encoding="utf-8")
    print(f"{len(embedding)} values, standard deviation {embedding.std():.4f}")


def torch_network(units: tuple[int, ...]) -> Any:
    """SphereNet in PyTorch with its own initial weights: one row of modules, as the keys of the authors' files say."""
    from torch import Tensor, nn

    class Unit(nn.Module):
        def __init__(self, channels: int) -> None:
            super().__init__()
            first, second = (nn.Conv2d(channels, channels, 3, 1, 1) for _ in range(2))
            self.branch = nn.Sequential(first, nn.PReLU(channels), second, nn.PReLU(channels))

        def forward(self, x: Tensor) -> Tensor:
            return x + self.branch(x)

    modules: list[nn.Module] = []
    inputs = 3
    for channels, count in zip(CHANNELS, units, strict=True):
        modules += [nn.Conv2d(inputs, channels, 3, 2, 1), nn.PReLU(channels)]
        modules += [Unit(channels) for _ in range(count)]
        inputs = channels
    return nn.Sequential(*modules, nn.Flatten(), nn.Linear(512 * 8 * 8, 512))


def torch_embedding(network: Any, images: np.ndarray) -> np.ndarray:
    """uint8 [N, 128, 128, 3] -> what the network says, float32 [N, 512]."""
    import torch

    pixels = torch.from_numpy(images.astype(np.float32)).permute(0, 3, 1, 2)
    with torch.no_grad():
        return network((pixels / 255 - 0.5) / 0.5).numpy()


def known_image() -> np.ndarray:
    """uint8 [128, 128, 3], no two of whose mirror images and turns are alike."""
    rows, columns = np.mgrid[0:128, 0:128]
    red = (rows * 2 + columns // 4) % 256
    green = (rows * columns) // 64 % 256
    blue = 255 - columns * 2
    return np.stack([red, green, blue], axis=-1).astype(np.uint8)


def known_state() -> dict[str, np.ndarray]:
    """The weights of SphereNet-10 by formula, under the keys of `torch_network`."""
    random = np.random.RandomState(0)  # whose stream never changes
    state: dict[str, np.ndarray] = {}

    def add(key: str, shape: tuple[int, ...], low: float, high: float) -> None:
        state[key] = (low + (high - low) * random.random_sample(shape)).astype(np.float32)

    def add_layer(convolution: str, prelu: str, inputs: int, outputs: int) -> None:
        # Large enough that the signal does not fade on its way up; biases and slopes differ from channel to channel.
        bound = (6 / (9 * inputs)) ** 0.5
        add(f"{convolution}.weight", (outputs, inputs, 3, 3), -bound, bound)
        add(f"{convolution}.bias", (outputs,), -0.2, 0.2)
        add(f"{prelu}.weight", (outputs,), 0.1, 0.5)

    position, inputs = 0, 3
    for channels, count in zip(CHANNELS, UNITS, strict=True):
        add_layer(f"{position}", f"{position + 1}", inputs, channels)
        position += 2
        for _ in range(count):
            add_layer(f"{position}.branch.0", f"{position}.branch.1", channels, channels)
            add_layer(f"{position}.branch.2", f"{position}.branch.3", channels, channels)
            position += 1
        inputs = channels
    bound = (512 * 8 * 8) ** -0.5
    add(f"{position + 1}.weight", (512, 512 * 8 * 8), -bound, bound)
    add(f"{position + 1}.bias", (512,), -0.2, 0.2)
    return state


if __name__ == "__main__":
    main()
