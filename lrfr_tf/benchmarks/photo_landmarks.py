"""The landmarks of a benchmark's photos: from a table, or found by MTCNN and kept as one."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from lrfr_tf.data.detect_landmarks import detect_landmarks
from lrfr_tf.data.landmarks import by_image, key_of, read_landmarks, write_landmarks
from lrfr_tf.data.paired_photos import landmarks_for
from lrfr_tf.errors import UserError
from lrfr_tf.faces.choose import ambiguity_notes
from lrfr_tf.faces.detect import FaceDetector
from lrfr_tf.plural import any_of, counted
from lrfr_tf.sources.image_source import ImageSource

THRESHOLDS = (0.6, 0.7, 0.8)  # as in preparing a folder: every photo shows its person


def photo_landmarks(
    source: ImageSource,
    names: Sequence[str],
    table: str | None,
    save_as: str | None,
    *,
    note: Callable[[str], None],
) -> list[np.ndarray | None]:
    """The five landmarks of each photo; None where the table has no row, or MTCNN found no face.

    Args:
        names: the photos.
        table: the table to read, or None to detect.
        save_as: where the detected landmarks are written, as a table that a later call can read.
        note: is told how many photos have none, and which ones show another face about as large.

    Raises:
        UserError: the table cannot be read or is of other photos, or no photo shows a face.
    """
    if table is not None:
        found = landmarks_for([key_of(name) for name in names], by_image(read_landmarks(Path(table))), table)
    else:
        detected = landmarks_by_detector(source, names, FaceDetector(THRESHOLDS), note)
        if not detected:
            raise UserError(f"No face was found in {any_of(len(names), 'photo')} of {source.label('')}.")
        if save_as is not None:
            write_landmarks(Path(save_as), detected)
        found = [detected.get(name) for name in names]
    missing = [name for name, points in zip(names, found, strict=True) if points is None]
    if missing:
        note(
            f"Of {counted(len(names), 'photo')} {counted(len(missing), 'has', 'have')} no landmarks, such as "
            f"{missing[0]}; their middle is cut out "
            "as if a face stood there."
        )
    return found


def landmarks_by_detector(
    source: ImageSource,
    names: Sequence[str],
    detector: FaceDetector,
    note: Callable[[str], None],
    *,
    pass_over: Callable[[str, UserError], None] | None = None,
) -> dict[str, np.ndarray]:
    """`detect_landmarks`; `note` is told which photos show another face about as large."""
    landmarks, ambiguous = detect_landmarks(source, names, detector, pass_over=pass_over)
    for sentence in ambiguity_notes(ambiguous):
        note(sentence)
    return landmarks
