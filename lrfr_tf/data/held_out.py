"""The faces of a prepared tree that networks are scored on: those of the held-out identities, out of all its splits."""

from collections.abc import Sequence
from pathlib import Path

from lrfr_tf.data.face_cache import read_tree_manifest
from lrfr_tf.data.folders import SPLITS, FaceFile, is_held_out, list_faces
from lrfr_tf.errors import UserError

EVERY_SPLIT = (*SPLITS, "extra")


def list_held_out(root: Path, splits: Sequence[str], held_out_divisor: int) -> list[FaceFile]:
    """The faces of the identities that no reported network learned from.

    Args:
        root: a prepared tree.
        splits: where to look; a split that the tree lacks is passed over ("extra" exists only where a tree was prepared
            with --keep_dropped).
        held_out_divisor: identities whose number is divisible by it are held out; 0 takes everybody.

    Returns:
        The faces, split by split. Their `path` is `<split>/<identity>/<image>.png`, so that `load_faces(root / "hr",
        ...)` and `load_faces(root / "lr", ...)` read them.

    Raises:
        UserError: the tree is not finished, or nobody in it is held out.
    """
    read_tree_manifest(root)
    faces = [
        FaceFile(f"{split}/{face.path}", face.identity)
        for split in splits
        if (root / "hr" / split).is_dir()
        for face in list_faces(root / "hr", split)
        if held_out_divisor == 0 or is_held_out(face.identity, held_out_divisor)
    ]
    if not faces:
        raise UserError(
            f"{root} holds no face to score in its splits {', '.join(splits)}: no identity there is divisible by "
            f"--held_out_divisor={held_out_divisor}."
        )
    return faces
