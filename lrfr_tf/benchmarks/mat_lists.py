"""Lists of image names and identities in MATLAB files, as QMUL-SurvFace and TinyFace are delivered with.

A cell array of N strings reads as an object array of N arrays that hold one string each.
"""

from collections import Counter
from pathlib import Path

import numpy as np
import scipy.io

from lrfr_tf.benchmarks.benchmark_folders import find_listed
from lrfr_tf.errors import UserError

LARGEST_FILE = 32 << 20  # bytes; the longest list, of 60,000 names, has less than one MiB
MOST_CELLS = 10_000_000  # a few compressed bytes can stand for very many

LabeledImages = tuple[list[Path], np.ndarray]  # the files, and the identity of each as a list has it, int64 [n]


def read_cells(path: Path, variable: str, columns: int) -> list[tuple[str, ...]]:
    """Reads a cell array of strings, [n, columns]; of one column the array may also lie on its side.

    Raises:
        UserError: the file is missing, cannot be read, or does not hold such an array; the message names both.
    """
    cells = _read(path, variable)
    if columns == 1:
        cells = cells.reshape(-1, 1)
    if cells.ndim != 2 or cells.shape[1] != columns or len(cells) == 0:
        raise UserError(f"{path} holds {variable} as {list(cells.shape)}, not as [n, {columns}] names.")
    return [tuple(_text(path, variable, cell) for cell in row) for row in cells]


def read_numbers(path: Path, variable: str) -> np.ndarray:
    """Reads a list of whole numbers, int64 [n].

    Raises:
        UserError: as for `read_cells`.
    """
    values = _read(path, variable)
    if values.dtype.kind not in "iuf" or values.size == 0 or np.any(values != np.floor(values)):
        raise UserError(f"{path} holds {variable} as {values.dtype} {list(values.shape)}, not as whole numbers.")
    return values.reshape(-1).astype(np.int64)


def read_labeled_names(path: Path, names: str, numbers: str) -> tuple[list[str], np.ndarray]:
    """Reads two variables of one file that belong together: names [n], and the identity of each, int64 [n].

    Raises:
        UserError: as for `read_cells`, or the lengths differ, or an image is listed twice.
    """
    listed = [name for (name,) in read_cells(path, names, 1)]
    identities = read_numbers(path, numbers)
    if len(listed) != len(identities):
        raise UserError(f"{path} has {len(listed):,} {names} and {len(identities):,} {numbers}; they belong in pairs.")
    name, times = Counter(listed).most_common(1)[0]
    if times > 1:
        raise UserError(f"{path} lists {name} {times} times.")
    return listed, identities


def find_labeled(folder: Path, listed_in: Path, kind: str) -> LabeledImages:
    """The images of a folder in the order of a list of them, whose variables are `<kind>_set` and `<kind>_ids`.

    Raises:
        UserError: as for `read_labeled_names` and `find_listed`.
    """
    names, identities = read_labeled_names(listed_in, f"{kind}_set", f"{kind}_ids")
    return find_listed(folder, names, listed_in), identities


def labels_in(gallery: LabeledImages, probes: LabeledImages, folder: Path, probes_are: str) -> list[np.ndarray]:
    """The labels of the gallery, which lies in `folder`, and of the probes: int64, 0 .. identities - 1.

    Raises:
        UserError: a probe's identity has no image in the gallery.
    """
    known = np.unique(gallery[1])
    strangers = probes[1][~np.isin(probes[1], known)]
    if len(strangers):
        raise UserError(f"{folder} has no image of identity {strangers[0]}, which {probes_are} show.")
    return [np.searchsorted(known, images[1]).astype(np.int64) for images in (gallery, probes)]


def _read(path: Path, variable: str) -> np.ndarray:
    if not path.is_file():
        raise UserError(f"{path} is missing.")
    if path.stat().st_size > LARGEST_FILE:
        raise UserError(f"{path} has more than {LARGEST_FILE >> 20} MiB; it is no list of names.")
    # Damaged MATLAB files raise nearly anything (ValueError, TypeError, zlib.error, MemoryError ...); whatever it
    # says, the file is at fault. Reading them runs no code: functions and objects stay unopened.
    try:
        shapes = {name: shape for name, shape, _ in scipy.io.whosmat(path)}
        if variable in shapes and np.prod(shapes[variable], dtype=np.float64) > MOST_CELLS:
            raise ValueError(f"{variable} has more than {MOST_CELLS:,} cells")
        found = scipy.io.loadmat(path, variable_names=[variable]) if variable in shapes else {}
    except NotImplementedError:
        raise UserError(f"{path} is of MATLAB 7.3 (HDF5), which is not read; save it in MATLAB with -v7.") from None
    except Exception as error:
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise UserError(f"{path} cannot be read as a MATLAB file: {reason}.") from None
    if variable not in found:
        raise UserError(f"{path} holds no {variable}; there is {', '.join(sorted(shapes)) or 'nothing'} in it.")
    return np.asarray(found[variable])


def _text(path: Path, variable: str, cell: object) -> str:
    while isinstance(cell, np.ndarray) and cell.size == 1:
        cell = cell.flat[0]
    if not isinstance(cell, str) or not cell.strip():
        raise UserError(f"{path} holds something in {variable} that is not the name of an image.")
    return cell.strip()
