"""Trees of aligned faces in memory, as tools/prepare_aligned.py and tools/prepare_vggface2.py write them.

<root>/<identity>/<image>.jpg     a square of `size`, the landmarks on the template, with its margins about it
<root>/manifest.json              written last: a tree without it is not finished
"""

import dataclasses
import os
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from lrfr_tf.data.face_cache import read_faces
from lrfr_tf.data.folders import identity_name, is_held_out, sorted_names
from lrfr_tf.errors import UserError
from lrfr_tf.files import read_json
from lrfr_tf.images.decode import read_image
from lrfr_tf.plural import counted


@dataclasses.dataclass(frozen=True)
class AlignedFiles:
    """The faces of one or more trees: `identities` are places in `names`, `trees` in the list of trees, int64 [N]."""

    paths: list[str]
    identities: np.ndarray
    names: list[str]
    trees: np.ndarray


def list_aligned_faces(roots: Sequence[Path], held_out_divisor: int, excluded: Collection[str]) -> AlignedFiles:
    """Lists the faces of finished trees; a person who is in several is one identity.

    Args:
        held_out_divisor: identities whose number is divisible by it are left out; 0 keeps everybody.
        excluded: names of further identities to leave out, as `folders.identity_name` writes them.

    Raises:
        UserError: a tree is not finished, trees are framed differently, or nobody is left.
    """
    common_template(roots)
    found: list[tuple[str, str, int]] = []
    for tree, root in enumerate(roots):
        for target in sorted(find_face_files(root)):
            folder = target.split("/")[0]
            if not is_held_out(folder, held_out_divisor) and identity_name(folder) not in excluded:
                found.append((identity_name(folder), str(root / target), tree))
    if not found:
        raise UserError(
            f"No face is left in {', '.join(map(str, roots))} (identities divisible by {held_out_divisor} held out)."
        )
    names = sorted_names({name for name, _, _ in found})
    numbers = {name: number for number, name in enumerate(names)}
    identities = np.array([numbers[name] for name, _, _ in found], np.int64)
    trees = np.array([tree for _, _, tree in found], np.int64)
    return AlignedFiles([path for _, path, _ in found], identities, names, trees)


def read_aligned_faces(paths: Sequence[str]) -> np.ndarray:
    """Decodes faces of one size: uint8 [N, H, W, 3].

    Raises:
        UserError: a face cannot be read, differs in size, or all of them do not fit into the memory.
    """
    first = read_image(paths[0])
    # While TensorFlow makes the copy that it trains on, they are in memory twice.
    needed, memory = 2 * len(paths) * first.nbytes, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > memory:
        raise UserError(
            f"The {counted(len(paths), 'face')} such as {paths[0]} would take {needed / 1e9:.0f} GB of memory, and "
            "this machine has "
            f"{memory / 1e9:.0f} GB; use `faces_in`=files, or fewer trees."
        )
    return read_faces(paths, "read faces")


def find_face_files(root: Path) -> set[str]:
    """All finished faces, as <identity>/<image>.jpg; one walk, since a tree may hold millions."""
    found = set()
    for folder in os.scandir(root):
        if not folder.is_dir():
            continue
        for entry in os.scandir(folder.path):
            if entry.name.endswith(".jpg") and not entry.name.startswith("."):
                found.add(f"{folder.name}/{entry.name}")
    return found


def common_template(roots: Sequence[Path]) -> str:
    """The template of trees that are framed alike, as their manifests call it.

    Raises:
        UserError: a tree is not finished, or trees are framed differently.
    """
    framings = []
    for root in roots:
        manifest = read_json(root / "manifest.json") if (root / "manifest.json").is_file() else {}
        if "left_margin" not in manifest:
            raise UserError(
                f"{root} is not a finished tree of aligned faces; make it with lrfr prepare aligned or "
                "lrfr prepare vggface2."
            )
        framings.append((*(manifest[key] for key in ("template", "size", "left_margin")), manifest.get("margin", 0)))
        if framings[-1] != framings[0]:
            raise UserError(
                f"{roots[0]} and {root} are framed differently (template, size, left margin, margin: {framings[0]} and "
                f"{framings[-1]}); prepare both alike."
            )
    return framings[0][0]
