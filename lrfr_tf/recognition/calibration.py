"""From which score on a name is given: `calibration.json` beside a model card, and what is read out of it.

{"schema": 1, "model": name, "sha256": content checksum, "score": "cosine",
 "thresholds": {"far_0.01": {"8": t, "12": t, ...}, "far_0.001": {...}}}

A threshold belongs to one export, so the file names its checksum; if it was carried over from another export whose
cosines are the same, "measured_with" names that one's. "far_0.01" is the cosine that one in a hundred pairs
of two different persons reaches, one photo sharp and one as small as the key says. Whoever compares a face with a
gallery of N persons makes N such comparisons.
"""

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lrfr_tf.errors import UserError
from lrfr_tf.files import read_json, write_json
from lrfr_tf.recognition.saved_model import RECORD

SCHEMA = 1
CALIBRATION = "calibration.json"
SCORE = "cosine"
FALSE_ACCEPT_RATES = ("0.01", "0.001")


@dataclasses.dataclass(frozen=True)
class Thresholds:
    """The least score for a name, by the size of the face.

    Attributes:
        by_size: height of a face in pixels -> threshold; one entry alone serves every size.
    """

    by_size: Mapping[int, float]

    def at(self, height: float) -> float:
        """The threshold of the largest calibrated size that is not above `height`; of the smallest one below that."""
        fitting = [size for size in self.by_size if size <= height]
        return self.by_size[max(fitting) if fitting else min(self.by_size)]


def fixed_threshold(threshold: float) -> Thresholds:
    """The same threshold for faces of every size."""
    return Thresholds({1: threshold})


def write_calibration(folder: Path, record: Mapping[str, Any], sizes: Mapping[str, Mapping[str, Any]]) -> Path:
    """Writes `<folder>/calibration.json`, whole or not at all, and returns its path.

    Args:
        folder: that of the model, such as saved_models/siamese: the files of a version are check-summed.
        record: the `model.json` of the export that was measured.
        sizes: pixels -> a row with "threshold_at_far", as in results of tools/evaluate_lfw.py.
    """
    thresholds = {
        f"far_{rate}": {size: row["threshold_at_far"][rate] for size, row in sizes.items()}
        for rate in FALSE_ACCEPT_RATES
    }
    value = {
        "schema": SCHEMA,
        "model": record["name"],
        "sha256": record["sha256"],
        "score": SCORE,
        "thresholds": thresholds,
    }
    write_json(folder / CALIBRATION, value)
    return folder / CALIBRATION


def carry_calibration(source: Path, folder: Path, record: Mapping[str, Any]) -> Path | None:
    """Gives an export that gives the cosines of another one the thresholds of that one.

    It is the same embedder in another precision, or a classifier that compares its embeddings with a gallery.

    Args:
        source: version folder of the export that was calibrated.
        folder: that of the new model, such as saved_models/siamese_bfloat16.
        record: `model.json` of the new export.

    Returns:
        The path of the new file; None where the source has none of its own, or the folder has one already.
    """
    path = source.resolve().parent / CALIBRATION
    if not path.is_file() or (folder / CALIBRATION).exists():
        return None
    stored = read_json(path)
    measured_with = read_json(source / RECORD)["sha256"]
    if not isinstance(stored, dict) or stored.get("sha256") != measured_with:
        return None
    carried = {"model": record["name"], "sha256": record["sha256"], "measured_with": measured_with}
    write_json(folder / CALIBRATION, {**stored, **carried})
    return folder / CALIBRATION


def read_calibration(version: Path, checksum: str, false_accept_rate: str = "0.01") -> Thresholds | None:
    """Reads the thresholds of an export, which lie beside its version folder.

    Args:
        version: the version folder, such as saved_models/siamese/1.
        checksum: SHA-256 of its content, as `lrfr_tf.recognition.saved_model.content_checksum` gives it.
        false_accept_rate: one of FALSE_ACCEPT_RATES.

    Returns:
        None where there is no such file.

    Raises:
        UserError: the file is damaged, belongs to another export or lacks that rate; the message names it.
    """
    path = version.resolve().parent / CALIBRATION
    if not path.exists():
        return None
    stored = read_json(path)
    if not isinstance(stored, dict) or stored.get("schema") != SCHEMA or stored.get("score") != SCORE:
        raise UserError(f"{path} does not hold {SCORE} thresholds of schema {SCHEMA}.")
    if stored.get("sha256") != checksum:
        raise UserError(f"{path} was made for another export than {version} (sha256 differs); give --threshold.")
    try:
        table = stored["thresholds"][f"far_{false_accept_rate}"]
        by_size = {int(size): float(threshold) for size, threshold in table.items()}
    except (KeyError, TypeError, ValueError, AttributeError):
        by_size = {}
    if not by_size or not all(size > 0 and math.isfinite(threshold) for size, threshold in by_size.items()):
        raise UserError(f"{path} holds no thresholds by size for a false accept rate of {false_accept_rate}.")
    return Thresholds(by_size)
