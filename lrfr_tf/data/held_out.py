"""Who is held out of training: the two halves of those persons, and their faces in a prepared tree."""

from collections.abc import Sequence
from pathlib import Path

from lrfr_tf.data.face_cache import read_tree_manifest
from lrfr_tf.data.folders import SPLITS, FaceFile, is_held_out, list_faces
from lrfr_tf.errors import UserError

EVERY_SPLIT = (*SPLITS, "extra")
CALIBRATION, REPORTED, EVERYBODY = "calibration", "reported", "all"
HALVES = (EVERYBODY, CALIBRATION, REPORTED)


def held_out_half(identity: str) -> str | None:
    """Which half of the held-out identities of CelebA somebody belongs to; nobody belongs to both.

    What is fitted to people outside of training (thresholds, choices between versions) sees the half "calibration",
    whose numbers end in 5; the half "reported", whose numbers end in 0, is only measured.

    Returns:
        "calibration", "reported", or None for who is in neither, such as names that are no numbers.
    """
    if not identity.isdecimal():
        return None
    return {5: CALIBRATION, 0: REPORTED}.get(int(identity) % 10)


def in_half(identity: str, half: str) -> bool:
    """Whether somebody belongs to one of `HALVES`; everybody belongs to "all"."""
    return half == EVERYBODY or held_out_half(identity) == half


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
