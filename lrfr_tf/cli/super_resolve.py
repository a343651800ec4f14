"""Super-resolves the LR faces of a prepared tree; each model gives one method more beside hr/ and lr/.

lrfr super-resolve --data=datasets/celeba_face --model=bicubic,runs/srcnn/model,saved_models/srgan
"""

import dataclasses
from pathlib import Path

from lrfr_tf.config import option, required
from lrfr_tf.data.face_cache import load_faces, read_tree_manifest
from lrfr_tf.data.folders import SPLITS, list_faces
from lrfr_tf.networks.super_resolution import SuperResolutionNetwork, bicubic, load_super_resolver
from lrfr_tf.study.super_resolve_tree import super_resolve_tree


@dataclasses.dataclass(frozen=True)
class Config:
    data: str = required("a prepared tree (lrfr prepare celeba, lrfr prepare folder)")
    model: tuple[str, ...] = required(
        "model folders of runs (runs/srgan/model), exports (saved_models/srgan), or 'bicubic'"
    )
    output: str | None = option(None, "the faces of a model go to <output>/<its name>; default: the tree itself")
    splits: tuple[str, ...] = option(SPLITS, "splits to super-resolve")


def main(config: Config) -> None:
    data = Path(config.data)
    read_tree_manifest(data)
    output = Path(config.output) if config.output else data
    for model in config.model:
        resolver = bicubic_for(data, config.splits[0]) if model == "bicubic" else load_super_resolver(Path(model))
        super_resolve_tree(data, config.splits, resolver, output / resolver.name)
        print(f"{output / resolver.name}: faces of {', '.join(config.splits)} by {resolver.name}")


def bicubic_for(data: Path, split: str) -> SuperResolutionNetwork:
    """Bicubic between the tree's own sizes."""
    low, high = (load_faces(data / kind / split, list_faces(data / kind, split)[:1]).shape[1] for kind in ("lr", "hr"))
    return bicubic(low, high)
