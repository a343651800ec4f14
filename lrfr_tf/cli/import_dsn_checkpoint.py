"""Turns a PyTorch checkpoint of the deep Siamese network (Lai & Lam 2021) into a weight file of ours.

    python -m lrfr_tf.cli.import_dsn_checkpoint --checkpoint=0100000_net_backbone.pth --output=dsn.weights.h5

The checkpoint is the state dict of the backbone that the authors release, or that their training writes. Only tensors
are read from it. It needs PyTorch (pip install 'lrfr-tf[torch]'), which nothing else here does. Beside the weights
dsn.json says what they are and where they come from; the SHA-256 is printed. Use them with faces aligned by the
authors' template ("lai").
"""

from dataclasses import dataclass
from pathlib import Path

from lrfr_tf.config import option, required
from lrfr_tf.main import start
from lrfr_tf.models.spherenet import UNITS
from lrfr_tf.weights.dsn import import_checkpoint


@dataclass(frozen=True)
class Config:
    checkpoint: str = required("the PyTorch file (.pth): a state dict")
    output: str = required("the weight file to write; its name ends in .weights.h5")
    backbone: str = option("spherenet20", "the network", choices=tuple(f"spherenet{depth}" for depth in UNITS))


def main(config: Config) -> None:
    depth = int(config.backbone.removeprefix("spherenet"))
    record = import_checkpoint(Path(config.checkpoint), Path(config.output), depth)
    print(f"{config.output}: {record['network']}, {record['parameters']:,} parameters")
    print(f"sha256 {record['weights']['sha256']}")


if __name__ == "__main__":
    start("lrfr_tf.cli.import_dsn_checkpoint")
