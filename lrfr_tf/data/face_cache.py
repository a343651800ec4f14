"""Prepared faces in memory: one uint8 array, decoded once."""

import os
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from tqdm import tqdm

from lrfr_tf.data.folders import FaceFile, identity_name, is_held_out, list_faces
from lrfr_tf.errors import UserError
from lrfr_tf.files import read_json, sha256
from lrfr_tf.images.decode import read_image


def read_tree_manifest(root: Path) -> dict:
    """The manifest of a prepared tree.

    Raises:
        UserError: the tree was not made by a prepare tool, or was not finished.
    """
    if not (root / "manifest.json").is_file():
        raise UserError(
            f"{root} is not a finished tree of faces (no manifest.json); make it with lrfr prepare celeba or "
            "lrfr prepare folder."
        )
    return read_json(root / "manifest.json")


def checksums_of_trees(roots: Sequence[Path]) -> dict[str, str]:
    """Path -> SHA-256 of the manifest of each tree, which is another where the tree was made of anything else.

    Raises:
        UserError: a tree is not finished.
    """
    for root in roots:
        read_tree_manifest(root)
    return {str(root): sha256(root / "manifest.json") for root in roots}


def identities_in_tree(root: Path) -> set[str]:
    """Everybody whose photos a finished tree was made of, also those who were left out of it, as folders are called.

    Args:
        root: a tree by tools/prepare_celeba.py or tools/prepare_folder.py, or one of aligned faces.

    Raises:
        UserError: the tree is not finished.
    """
    manifest = read_tree_manifest(root)
    splits = [root] if "left_margin" in manifest else [path for path in (root / "hr").glob("*") if path.is_dir()]
    found = {entry.name for split in splits for entry in os.scandir(split) if entry.is_dir()}
    return found.union(manifest.get("excluded_identities", ()), manifest.get("dropped_identities", ()))


def load_faces(folder: Path, faces: Sequence[FaceFile], progress: str | None = None) -> np.ndarray:
    """Decodes the images of one split folder into uint8 [N, H, W, 3].

    Args:
        folder: `<root>/<kind>/<split>`.
        progress: the text of a progress bar; None shows none.

    Raises:
        UserError: an image cannot be read or differs in size from the first.
    """
    return read_faces([folder / face.path for face in faces], progress)


def read_faces(paths: Sequence[str | Path], progress: str | None = None) -> np.ndarray:
    """Decodes images of one size into uint8 [N, H, W, 3].

    Args:
        progress: the text of a progress bar; None shows none.

    Raises:
        UserError: an image cannot be read or differs in size from the first.
    """
    first = read_image(paths[0])
    images = np.empty((len(paths), *first.shape), np.uint8)

    def fill(index: int) -> None:
        image = read_image(paths[index])
        if image.shape != first.shape:
            raise UserError(
                f"{paths[index]} is {image.shape[1]} x {image.shape[0]} pixels, but {paths[0]} is "
                f"{first.shape[1]} x {first.shape[0]}; all faces have one size."
            )
        images[index] = image

    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        filled = pool.map(fill, range(len(paths)))
        for _ in tqdm(filled, total=len(paths), desc=progress, unit="image", disable=progress is None):
            pass
    return images


def load_training_faces(
    roots: Sequence[Path], splits: Sequence[str], held_out_divisor: int, excluded: Collection[str] = ()
) -> tuple[np.ndarray, list[str]]:
    """The HR faces that a super-resolution network may learn from, out of one or more prepared trees.

    Identities whose number is divisible by `held_out_divisor` are left out (0 keeps everybody), and so are those in
    `excluded`. A split that a tree lacks is passed over ("extra" exists only where a tree was prepared with
    --keep_dropped).

    Returns:
        (uint8 [N, H, W, 3], the path of each).

    Raises:
        UserError: a tree is not finished, sizes differ, or nothing is left.
    """
    parts: list[np.ndarray] = []
    names: list[str] = []
    for root in roots:
        read_tree_manifest(root)
        for split in splits:
            folder = root / "hr" / split
            if not folder.is_dir():
                continue
            faces = [
                face
                for face in list_faces(root / "hr", split)
                if not is_held_out(face.identity, held_out_divisor) and identity_name(face.identity) not in excluded
            ]
            if not faces:
                continue
            parts.append(load_faces(folder, faces, f"read {folder}"))
            names += [str(folder / face.path) for face in faces]
    if not parts:
        raise UserError(
            f"No face is left to train on in {', '.join(map(str, roots))} (splits {', '.join(splits)}, identities "
            f"divisible by {held_out_divisor} held out)."
        )
    if len({part.shape[1:] for part in parts}) > 1:
        raise UserError(f"The faces of {', '.join(map(str, roots))} differ in size; prepare all with one `high_size`.")
    return np.concatenate(parts), names
