"""Embeddings on disk: shards of `.npz` (no pickle) beside a manifest, one folder a method.

<folder>/manifest.json               schema, embedder, detector, policy, number of images and shards of each split, and
                                     "aligned" where faces were aligned instead of cut out at their box
<folder>/classes.json                the class map, the same for every split and method
<folder>/<split>/shard-00000.npz     the arrays of `EmbeddingSet` for SHARD_SIZE images
"""

import dataclasses
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from lrfr_tf.data.folders import read_classes
from lrfr_tf.errors import UserError
from lrfr_tf.files import atomic_file, read_json

SCHEMA = 1
SHARD_SIZE = 1024


@dataclasses.dataclass(frozen=True)
class EmbeddingSet:
    """The faces of one split as one method shows them: N rows, in the order of the image folder.

    Attributes:
        paths: `<identity>/<image>.png`, the same for every method.
        labels: int64 [N], index into the shared class map.
        embeddings: float32 [N, D], unit length; zeros where there is no usable face.
        detected: bool [N], the detector found a face in this method's image.
        usable: bool [N], there is an embedding; False is a miss.
        boxes: float32 [N, 4] (x1, y1, x2, y2) in pixels of the method's image; NaN where nothing was detected.
        landmarks: float32 [N, 5, 2] (x, y), NaN where nothing was detected.
        scores: float32 [N], the detector's confidence; 0 where nothing was detected.
        crops: the way each crop was chosen: "detected", "whole", "hr_box" or "miss".
    """

    paths: list[str]
    labels: np.ndarray
    embeddings: np.ndarray
    detected: np.ndarray
    usable: np.ndarray
    boxes: np.ndarray
    landmarks: np.ndarray
    scores: np.ndarray
    crops: list[str]

    def rows(self, chosen: np.ndarray) -> "EmbeddingSet":
        """The rows that a boolean or integer array [.] chooses."""
        indices = np.arange(len(self.paths))[chosen]
        return EmbeddingSet(
            paths=[self.paths[i] for i in indices],
            crops=[self.crops[i] for i in indices],
            **{name: getattr(self, name)[indices] for name in ARRAYS},
        )


ARRAYS = ("labels", "embeddings", "detected", "usable", "boxes", "landmarks", "scores")


def shard_path(folder: Path, split: str, index: int) -> Path:
    """Where shard number `index` of a split lies."""
    return folder / split / f"shard-{index:05d}.npz"


def write_shard(path: Path, rows: EmbeddingSet) -> None:
    """Writes one shard, whole or not at all."""
    arrays = {name: getattr(rows, name) for name in ARRAYS}
    with atomic_file(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, paths=np.array(rows.paths, dtype=str), crops=np.array(rows.crops, dtype=str), **arrays)


def read_manifest(folder: Path) -> dict[str, Any]:
    """Reads `manifest.json` of a method's embeddings.

    Raises:
        UserError: there is none, or it is of another schema.
    """
    if not (folder / "manifest.json").is_file():
        raise UserError(f"{folder} holds no embeddings (no manifest.json); make them with lrfr embed.")
    manifest = read_json(folder / "manifest.json")
    if manifest.get("schema") != SCHEMA:
        raise UserError(f"{folder / 'manifest.json'} is of schema {manifest.get('schema')}, not {SCHEMA}.")
    return manifest


def cut_of(manifest: dict[str, Any]) -> tuple[str, str | None]:
    """How the faces of embeddings were cut out of the images, out of their manifest: ("box", None), or ("aligned", the
    template)."""
    aligned = manifest.get("aligned")
    return ("box", None) if aligned is None else ("aligned", aligned["template"])


def load_classes(folder: Path) -> list[str]:
    """The class map that the labels in this folder point into."""
    return read_classes(folder)


def load_embeddings(folder: Path, split: str) -> EmbeddingSet:
    """Reads all shards of one split.

    Raises:
        UserError: the split is unknown, incomplete or unreadable.
    """
    manifest = read_manifest(folder)
    if split not in manifest["splits"]:
        raise UserError(f"{folder} has no {split!r} split; it has {', '.join(manifest['splits'])}.")
    shards = []
    for index in range(manifest["splits"][split]["shards"]):
        path = shard_path(folder, split, index)
        if not path.is_file():
            raise UserError(f"{path} is missing; run the same command lrfr embed again to finish.")
        shards.append(read_shard(path))
    return join(shards)


def read_shard(path: Path) -> EmbeddingSet:
    """Reads one shard.

    Raises:
        UserError: the file is damaged; the message names it.
    """
    try:
        # Opened here: np.load leaves a file of its own open when it is damaged.
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as stored:
            return EmbeddingSet(
                paths=[str(item) for item in stored["paths"]],
                crops=[str(item) for item in stored["crops"]],
                **{name: stored[name] for name in ARRAYS},
            )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} is damaged ({error}); delete it and extract again.") from None


def join(parts: list[EmbeddingSet]) -> EmbeddingSet:
    """One set out of several, in order."""
    return EmbeddingSet(
        paths=[item for part in parts for item in part.paths],
        crops=[item for part in parts for item in part.crops],
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in ARRAYS},
    )
