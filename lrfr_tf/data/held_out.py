"""Who is held out of training: the two halves of those persons, and their faces in a prepared tree."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from lrfr_tf.data.face_cache import read_tree_manifest
from lrfr_tf.data.folders import SPLITS, FaceFile, is_held_out, list_faces
from lrfr_tf.errors import UserError
from lrfr_tf.plural import counted

EVERY_SPLIT = (*SPLITS, "extra")
CALIBRATION, REPORTED, EVERYBODY = "calibration", "reported", "all"
HALVES = (EVERYBODY, CALIBRATION, REPORTED)
HELD_OUT_DIVISOR = 5  # of CelebA's identities


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


def held_out_or_everybody(persons: Collection[str], divisor: int | None, note: Callable[[str], None]) -> list[str]:
    """Who of some persons no network of ours learned from.

    Args:
        divisor: persons whose number is divisible by it; 0: everybody. None: everybody if nobody is a number, and
            otherwise `HELD_OUT_DIVISOR`.
        note: told, in one sentence, about persons who are left out for being no numbers, where that was not asked for.

    Raises:
        UserError: nobody is left.
    """
    chosen = HELD_OUT_DIVISOR if divisor is None else divisor
    names = [person for person in persons if not person.isdecimal()]
    if chosen == 0 or (divisor is None and len(names) == len(persons)):
        return list(persons)
    kept = [person for person in persons if is_held_out(person, chosen)]
    if not kept:
        raise UserError(
            f"Of {counted(len(persons), 'person')} nobody has a number that is divisible by "
            f"`held_out_divisor`={chosen}; "
            "0 takes everybody."
        )
    if names and divisor is None:
        note(
            f"Left out, since their names are no numbers: {len(names)} of {counted(len(persons), 'person')}, such as "
            f"{names[0]}; `held_out_divisor`=0 takes everybody."
        )
    return kept


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
            f"`held_out_divisor`={held_out_divisor}."
        )
    return faces
