"""What tools/extract_embeddings.py left of one embedder, held against the tree that is evaluated."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lrfr_tf.data.embeddings import EmbeddingSet, load_classes, load_embeddings, read_manifest
from lrfr_tf.data.folders import FaceFile, is_held_out
from lrfr_tf.errors import UserError
from lrfr_tf.files import read_json, sha256
from lrfr_tf.resumable import GROWN_FROM


@dataclasses.dataclass(frozen=True)
class StoredEmbeddings:
    """The embeddings of some methods by one embedder.

    Attributes:
        folder: one folder for each method.
        settings: the manifest of the HR embeddings; embedder, detector, policy and alignment are those of every method.
        classes: the class map.
        tests: method -> its test split; the paths are the same for all.
    """

    folder: Path
    settings: dict[str, Any]
    classes: list[str]
    tests: dict[str, EmbeddingSet]

    @property
    def faces(self) -> list[FaceFile]:
        """The test images."""
        return [FaceFile(path, path.split("/")[0]) for path in self.tests["hr"].paths]


def read_stored_embeddings(folder: Path, data: Path, methods: Sequence[str]) -> StoredEmbeddings:
    """Reads the test splits of `<folder>/<method>`.

    Args:
        data: the prepared tree.
        methods: folders to read, "hr" among them.

    Raises:
        UserError: something is missing, or was made from other images or with other settings.
    """
    manifests = {method: read_manifest(folder / method) for method in methods}
    for key in ("embedder", "detector", "policy", "aligned"):
        if len({str(manifest.get(key)) for manifest in manifests.values()}) > 1:
            raise UserError(f"The embeddings in {folder} were made with different settings ({key}).")
    if manifests["hr"]["source"] in read_json(data / "manifest.json").get(GROWN_FROM, ()):
        raise UserError(
            f"Photos were added to {data} after the embeddings in {folder} were made; run the same "
            "lrfr embed command again."
        )
    if manifests["hr"]["source"] != sha256(data / "manifest.json"):
        raise UserError(f"The embeddings in {folder} were made from another tree than {data}.")
    tests = {method: load_embeddings(folder / method, "test") for method in methods}
    for method, test in tests.items():
        if test.paths != tests["hr"].paths:
            raise UserError(f"{folder / method} and {folder / 'hr'} hold different test images.")
    return StoredEmbeddings(folder, manifests["hr"], load_classes(folder / "hr"), tests)


def check_same_images(facenet: StoredEmbeddings, siamese: StoredEmbeddings) -> None:
    """Holds the embeddings of the Siamese network against FaceNet's, beside which they will stand.

    Raises:
        UserError: the Siamese ones are not of aligned faces, or the two are of other images, or of faces found in
            another way.
    """
    if "aligned" not in siamese.settings:
        raise UserError(
            f"The embeddings in {siamese.folder} are not of aligned faces; lrfr embed makes them with crop=aligned."
        )
    for key in ("detector", "policy"):
        if facenet.settings[key] != siamese.settings[key]:
            raise UserError(
                f"The embeddings in {facenet.folder} and {siamese.folder} were made with different settings ({key})."
            )
    if facenet.classes != siamese.classes or facenet.tests["hr"].paths != siamese.tests["hr"].paths:
        raise UserError(f"{facenet.folder} and {siamese.folder} hold different test images.")


def blocks_of_images(identities: Sequence[str], held_out_divisor: int) -> dict[str, np.ndarray]:
    """The images that each block of a result counts: "held_out" first, where there is such a block, and "all".

    Args:
        identities: who each of the N images shows.
        held_out_divisor: see `lrfr_tf.data.folders.is_held_out`.

    Returns:
        bool [N] for each block.

    Raises:
        UserError: nobody was held out.
    """
    everybody = np.ones(len(identities), bool)
    if held_out_divisor == 0:
        return {"all": everybody}
    held_out = np.array([is_held_out(identity, held_out_divisor) for identity in identities])
    if not held_out.any():
        raise UserError(f"No test identity is divisible by `held_out_divisor`={held_out_divisor}.")
    return {"held_out": held_out, "all": everybody}
