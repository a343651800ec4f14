"""Tables of face landmarks: the 11-column form of the low-resolution benchmarks, and that of VGGFace2.

The five points of a face are, in this order, the left eye, right eye, nose, left and right corner of the mouth, left
and right as the viewer sees them, in pixels of the image file. The 11-column form has no header:

    Abel_Pacheco/Abel_Pacheco_0001.jpg,105.1,112.2,147.0,111.9,126.3,137.5,108.8,158.1,143.9,157.7

A first line of words is a header all the same; columns that it adds to the 11 are passed over.

VGGFace2's tables (loose_landmark_train.csv, loose_landmark_test.csv) have one, and name images without ".jpg":

    NAME_ID,P1X,P1Y,P2X,P2Y,P3X,P3Y,P4X,P4Y,P5X,P5Y
    "n000002/0001_01",75.8,110.2,107.3,110.1,90.1,145.3,78.6,158.2,107.7,157.3
"""

import csv
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import numpy as np

from lrfr_tf.data.name_list import read_table
from lrfr_tf.data.pairs import image_key
from lrfr_tf.errors import UserError
from lrfr_tf.files import atomic_file
from lrfr_tf.printable import in_table

VGGFACE2_HEADER = ["NAME_ID", *(f"P{point}{axis}" for point in range(1, 6) for axis in "XY")]
COLUMNS = 11


def read_landmarks(path: Path) -> dict[str, np.ndarray]:
    """Reads a table of the 11-column form: path as written, with "/" between folders -> float64 [5, 2], (x, y).

    Raises:
        UserError: the file is missing or empty, or a row is not of the form or names a file again; the message names
            the line.
    """
    return _read(Path(path), header=False)


def read_vggface2_landmarks(path: Path) -> dict[str, np.ndarray]:
    """Reads VGGFace2's form: NAME_ID, such as "n000002/0001_01" -> float64 [5, 2], (x, y).

    Raises:
        UserError: as for `read_landmarks`, or the header is another.
    """
    return _read(Path(path), header=True)


def write_landmarks(path: Path, rows: Mapping[str, np.ndarray]) -> None:
    """Writes a table of the 11-column form, whole or not at all, with hundredths of a pixel.

    Args:
        rows: path of the image, with "/" between folders -> [5, 2], (x, y).

    Raises:
        ValueError: a face has not five points with finite coordinates.
        UserError: the file cannot be written.
    """
    for name, points in rows.items():
        if np.shape(points) != (5, 2) or not np.isfinite(points).all():
            raise ValueError(f"{name} should have five landmarks (x, y), not {np.asarray(points).tolist()}.")
    with atomic_file(path) as temporary, open(temporary, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        for name, points in rows.items():
            writer.writerow([in_table(name), *(f"{value:.2f}" for value in np.ravel(points))])


def key_of(name: str) -> tuple[str, str]:
    """(folder that an image lies in, its name without suffix), as `data.pairs.image_key` names an image."""
    return image_key(PurePosixPath(name).parent.name, name)


def by_image(rows: Mapping[str, np.ndarray]) -> dict[tuple[str, str], np.ndarray]:
    """The rows by `key_of` the image.

    A table made in one place thus serves the same images in another, with another suffix or below other folders.

    Raises:
        UserError: two rows are of images that share both.
    """
    found: dict[tuple[str, str], np.ndarray] = {}
    for name, points in rows.items():
        key = key_of(name)
        if key in found:
            raise UserError(f"The table of landmarks holds {'/'.join(key)} twice, in different folders.")
        found[key] = points
    return found


def _read(path: Path, header: bool) -> dict[str, np.ndarray]:
    if not path.exists():
        raise UserError(f"{path} is missing; lrfr detect makes a table of landmarks.")
    rows: dict[str, np.ndarray] = {}
    table = read_table(path, "a table of landmarks")
    if header and [word.upper() for word in next(table, (0, []))[1]] != VGGFACE2_HEADER:
        raise UserError(f"{path} is no landmark table of VGGFace2: its first line is not {VGGFACE2_HEADER}.")
    columns = COLUMNS
    for number, fields in table:
        if not header and not rows and number == 1 and _is_header(fields):
            columns = len(fields)
            continue
        where = f"Line {number} of {path}"
        name = fields[0].replace("\\", "/")
        if name in rows:
            raise UserError(f"{where} names {name} again.")
        rows[name] = _points(fields, columns, where)
    if not rows:
        raise UserError(f"{path} holds no landmarks.")
    return rows


def _is_header(fields: list[str]) -> bool:
    return len(fields) >= COLUMNS and all(re.search("[a-zA-Z]", field) for field in fields[:COLUMNS])


def _points(fields: list[str], columns: int, where: str) -> np.ndarray:
    form = "the path of an image, then x and y of its five landmarks"
    if len(fields) != columns or not fields[0].strip():
        raise UserError(f"{where} has {len(fields)} columns; it should have {columns}: {form}.")
    try:
        points = np.array([float(field) for field in fields[1:COLUMNS]]).reshape(5, 2)
    except ValueError:
        raise UserError(f"{where} holds something that is no number; it should be {form}.") from None
    if not np.isfinite(points).all():
        raise UserError(f"{where} holds a coordinate that is not finite.")
    return points
