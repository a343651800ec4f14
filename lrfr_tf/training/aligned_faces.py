"""The faces that a training of an embedder learns from."""

from pathlib import Path

from lrfr_tf.data.aligned import AlignedFiles, common_template, list_aligned_faces
from lrfr_tf.data.face_cache import identities_in_tree
from lrfr_tf.data.name_list import read_exclusions
from lrfr_tf.plural import counted
from lrfr_tf.training.settings import TrainingSettings
from lrfr_tf.training.strategy import Devices


def list_run_faces(config: TrainingSettings, devices: Devices) -> tuple[AlignedFiles, str]:
    """All faces of the trees but those of held-out and excluded identities, and the template they are aligned on.

    Raises:
        UserError: no face is left, trees are framed differently, or the list of identities does not fit them.
    """
    roots = [Path(root) for root in config.data]
    template = common_template(roots)
    there = {name for root in roots for name in identities_in_tree(root)} if config.exclude else set()
    excluded = read_exclusions(config.exclude, there, config.allow_unmatched_exclusions, devices.note)
    return list_aligned_faces(roots, config.held_out_divisor, excluded), template


def facts_of(files: AlignedFiles, template: str) -> dict[str, int | str]:
    """What `run.json` says of the faces that are learned from."""
    return {"template": template, "training_faces": len(files.paths), "training_identities": len(files.names)}


def in_words(files: AlignedFiles, divisor: int) -> str:
    """What the user is told of them."""
    without = f" (those whose number is divisible by {divisor} are left out)" if divisor else ""
    return f"{counted(len(files.paths), 'face')} of {counted(len(files.names), 'identity', 'identities')}{without}"
