"""Identities that an embedder does not learn from, so that its training can be watched on them."""

import numpy as np

from lrfr_tf.data.aligned import AlignedFiles
from lrfr_tf.errors import UserError
from lrfr_tf.plural import counted


def split_off_identities(files: AlignedFiles, count: int) -> tuple[AlignedFiles, AlignedFiles]:
    """Takes `count` identities with four images or more out of the training faces, evenly spread over those there are.

    Returns:
        (training faces, validation faces), each with identities numbered from 0 without gaps.

    Raises:
        UserError: there are too few such identities, or nobody is left.
    """
    many = np.flatnonzero(np.bincount(files.identities) >= 4)
    if len(many) < count or len(files.names) <= count:
        raise UserError(
            f"Of {counted(len(files.names), 'identity', 'identities')} only {len(many)} with four images or more can "
            f"be validated on, not {count}; "
            "lower `validation_identities`."
        )
    chosen = many[np.unique(np.linspace(0, len(many) - 1, count).astype(int))]
    validated = np.isin(files.identities, chosen)
    return _part(files, ~validated), _part(files, validated)


def limit_per_identity(files: AlignedFiles, count: int) -> AlignedFiles:
    """At most `count` faces of each identity, evenly spread over those there are."""
    kept = np.zeros(len(files.paths), bool)
    for number in range(len(files.names)):
        own = np.flatnonzero(files.identities == number)
        kept[own[np.unique(np.linspace(0, len(own) - 1, min(count, len(own))).astype(int))]] = True
    return _part(files, kept)


def _part(files: AlignedFiles, kept: np.ndarray) -> AlignedFiles:
    numbers, identities = np.unique(files.identities[kept], return_inverse=True)
    paths = [files.paths[place] for place in np.flatnonzero(kept)]
    return AlignedFiles(paths, identities, [files.names[number] for number in numbers], files.trees[kept])
