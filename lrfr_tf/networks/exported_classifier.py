"""An exported classifier: face crops in, names and scores out."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from lrfr_tf.errors import UserError
from lrfr_tf.faces.align import ALIGNED_SIZE
from lrfr_tf.images.by_shape import batches_by_shape
from lrfr_tf.networks.graph_part import Faces, check_faces
from lrfr_tf.networks.head_kinds import check_classes
from lrfr_tf.networks.saved_model import content_checksum, find_version, read_record

KIND = "classifier"  # in the record of an export
SIGNATURE = "identify"


class ExportedClassifier:
    """The `identify` signature of an export; crops of equal size are computed together.

    `answers` is k, the number of names that each face gets; `parts` says what the export was joined of, `cut` how faces
    are cut out of photos for it (`face_crops.CROP_KINDS`), `template` what aligned ones lie on, `aligned_size` the side
    of their square in pixels, `closed_set` that it may take every face for one of its persons.
    """

    def __init__(self, record: dict[str, Any], exported: Any, batch_size: int = 32) -> None:
        self._exported = exported  # its variables live as long as it does
        self._signature = exported.signatures[SIGNATURE]
        self.checksum = content_checksum(record["files"])
        self.name = f"{record['name']}-{record['version']}-{self.checksum[:12]}"
        self.parts: dict[str, Any] = record["parts"]
        self.cut: str = record["cut"]
        self.closed_set: bool = record.get("closed_set", False)
        self.template: str | None = record.get("template")
        self.aligned_size: int = record.get("aligned_size", ALIGNED_SIZE)  # older exports were given 128 pixels
        self.answers = int(self._signature.structured_outputs["score"].shape[-1])
        self.batch_size = batch_size

    def identify(self, faces: Faces) -> tuple[np.ndarray, np.ndarray]:
        """Names face crops, uint8 RGB [N, H, W, 3] or a list of [H, W, 3] of any sizes.

        Returns:
            (names, str [N, k]; scores, float32 [N, k]), the best first.

        Raises:
            ValueError: a crop is not uint8 [H, W, 3] or has no pixels.
        """
        check_faces(faces)
        names = np.empty((len(faces), self.answers), object)
        scores = np.empty((len(faces), self.answers), np.float32)
        for places, batch in batches_by_shape(faces, lambda _: self.batch_size):
            output = self._signature(faces=tf.constant(batch))
            names[places] = output["identity"].numpy()
            scores[places] = output["score"].numpy()
        return np.char.decode(names.astype(bytes), "utf-8"), scores


def load_exported_classifier(folder: Path) -> ExportedClassifier:
    """Loads an export of a classifier, such as `saved_models/people/1`, or `saved_models/people` (its newest version).

    Raises:
        UserError: the folder holds no export or another kind, or a file is missing, was changed or cut off.
    """
    version = find_version(folder)
    if version is None:
        raise UserError(f"{folder} holds no exported classifier; lrfr export makes one of a head.")
    record = read_record(version)
    if record["kind"] != KIND:
        raise UserError(f"{version} holds a model of the kind {record['kind']}, not {KIND}.")
    check_classes(str(version), record["parts"]["head"], record["parts"]["classes"])
    return ExportedClassifier(record, tf.saved_model.load(str(version)))
