"""Embeddings of a tree that has grown: what was embedded is kept, and dealt to shards anew among what is added.

The new shards are made in a folder of their own, <embeddings>/.grown, which takes the place of the old ones when all of
them are there. So the old embeddings stay whole until then, and an interrupted run goes on.
"""

import functools
import shutil
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lrfr_tf.data.embeddings import EmbeddingSet, join, read_shard
from lrfr_tf.files import read_json
from lrfr_tf.resumable import MANIFEST, open_folder

GROWN = ".grown"
OF_THE_TREE = {"source", "splits"}  # what is different in the manifest where the tree has grown


def open_embeddings(output: Path, manifest: dict[str, Any], grown_from: Collection[str]) -> Path:
    """Opens `output`, which an earlier run may have begun, as `lrfr_tf.resumable.open_folder` does.

    Args:
        manifest: of the embeddings to make.
        grown_from: checksums of the tree, its "source", before it grew.

    Returns:
        Where the shards are to be written: `output`; or a folder in it, where it holds embeddings of the tree before.

    Raises:
        UserError: `output` was begun with other settings, or of another tree.
    """
    before = read_json(output / MANIFEST) if (output / MANIFEST).is_file() else {}
    changed = {key for key in before.keys() | manifest.keys() if before.get(key) != manifest.get(key)}
    if before and not changed:
        _put_in_place(output)  # an interrupted run had come that far
    same_splits = before.get("splits", {}).keys() == manifest["splits"].keys()
    if "source" in changed <= OF_THE_TREE and before.get("source") in grown_from and same_splits:
        grown = output / GROWN
        if (grown / MANIFEST).is_file() and read_json(grown / MANIFEST) != manifest:
            shutil.rmtree(grown)  # the tree has grown once more
        open_folder(grown, manifest, MANIFEST)
        return grown
    open_folder(output, manifest, MANIFEST, of_data=("source",))
    return output


def take_the_place(output: Path, splits: Collection[str]) -> None:
    """Puts the finished shards of `.grown` in the place of those before."""
    for split in splits:
        shutil.rmtree(output / split, ignore_errors=True)
    # From here on the manifest is the new one, and `open_embeddings` finishes what is interrupted.
    (output / GROWN / MANIFEST).replace(output / MANIFEST)
    _put_in_place(output)


def _put_in_place(output: Path) -> None:
    if not (output / GROWN).is_dir():
        return
    for entry in (output / GROWN).iterdir():
        entry.replace(output / entry.name)
    (output / GROWN).rmdir()


class EarlierRows:
    """What was embedded of one split, by the path of the image.

    Args:
        folder: the embeddings before; their last shards may be missing.
    """

    def __init__(self, folder: Path, split: str) -> None:
        self._read = functools.lru_cache(maxsize=2)(read_shard)  # a new shard takes its rows from one or two old ones
        self._places = {
            name: (path, row)
            for path in sorted((folder / split).glob("shard-*.npz"))
            for row, name in enumerate(self._read(path).paths)
        }

    def __contains__(self, path: str) -> bool:
        return path in self._places

    def rows(self, paths: Sequence[str]) -> list[EmbeddingSet]:
        """The row of each image, a set of one."""
        places = [self._places[path] for path in paths]
        return [self._read(shard).rows(np.array([row])) for shard, row in places]


def merged(paths: Sequence[str], labels: Sequence[int], parts: Sequence[EmbeddingSet]) -> EmbeddingSet:
    """The rows of some sets in the order of `paths`, with the labels of the class map of now."""
    rows = join(list(parts))
    places = {path: place for place, path in enumerate(rows.paths)}
    ordered = rows.rows(np.array([places[path] for path in paths]))
    ordered.labels[:] = labels
    return ordered
