"""What a run was begun with, so that it is not resumed with something else at the same place."""

from collections.abc import Sequence
from pathlib import Path

from lrfr_tf.data.face_cache import checksums_of_trees
from lrfr_tf.files import sha256


def checksums_of_data(trees: Sequence[str], exclude: str | None) -> dict[str, str]:
    """Path -> SHA-256: of the manifest of each tree, and of the list of identities that are left out of them.

    Raises:
        UserError: a tree is not finished.
    """
    found = checksums_of_trees([Path(tree) for tree in trees])
    return found if exclude is None else {**found, exclude: sha256(exclude)}
