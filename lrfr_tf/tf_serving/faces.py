"""Faces in files -> a served model -> its answers, some faces at a time."""

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from lrfr_tf.errors import UserError
from lrfr_tf.images.decode import EXIF_ORIENTATION, IMAGE_SUFFIXES, ImageError, decode_image, read_header, read_image
from lrfr_tf.sources.image_source import FolderSource
from lrfr_tf.tf_serving.client import (
    Connection,
    RefusedError,
    ServedModel,
    ServedSignature,
    ServingError,
    with_patience,
)

# What the graph of an export decodes, see `images.decode_in_graph`.
SERVER_FORMATS = ("JPEG", "PNG", "BMP")
BATCH_TOO_LARGE = re.compile(r"larger than maximum (input )?batch size")


@dataclass(frozen=True)
class Face:
    """A file with a face: where it is, and its name in tables, relative to the folder that was given."""

    path: Path
    name: str


Answers = Iterator[tuple[list[Face], dict[str, np.ndarray]]]


@dataclass(frozen=True)
class Query:
    """Whom to ask for what.

    Args:
        signature: takes files (string) or pixels (uint8), which decides what is sent.
        batch: most faces in a request.
        retries: how often to ask again where the server is not available.
        against: the face for the second input of a signature that compares; it goes with every face.
    """

    connection: Connection
    model: ServedModel
    signature: ServedSignature
    batch: int
    retries: int
    against: Face | None = None


def list_faces(path: Path) -> list[Face]:
    """The image files in a folder and those below it, sorted by name; or the one file that `path` is.

    Raises:
        UserError: there is nothing at `path`, or no image in it.
    """
    if path.is_file():
        return [Face(path, path.name)]
    if not path.is_dir():
        raise UserError(f"{path} is missing; it should be a folder of faces or an image file.")
    faces = [Face(path / name, name) for name in FolderSource(path).names()]
    if not faces:
        raise UserError(f"{path} holds no image ({', '.join(IMAGE_SUFFIXES)}).")
    return faces


def ask_for_faces(query: Query, faces: Sequence[Face]) -> Answers:
    """Yields the faces, some at a time, with what the server answers for them, in order.

    Pixels of one request have one size, so a face of another size begins a new one.

    Raises:
        UserError: a file cannot be read, the server cannot be asked, or refuses a face; the message names it.
    """
    reference = None if query.against is None else read_for(query.signature, query.against)
    for part, arrays in _batches(query, faces):
        try:
            yield part, _ask(query, arrays, reference)
        except RefusedError as error:
            if BATCH_TOO_LARGE.search(error.reason):
                address = query.connection.address
                raise ServingError(f"{address} takes smaller requests ({error.reason}); lower --batch.") from None
            # One bad face fails all that are computed with it, so each is asked for by itself to find out which it is.
            for face, array in zip(part, arrays, strict=True):
                try:
                    yield [face], _ask(query, [array], reference)
                except RefusedError as alone:
                    raise ServingError(f"{face.path} is refused by {query.model.name}: {alone.reason}.") from None


def read_for(signature: ServedSignature, face: Face) -> bytes | np.ndarray:
    """What a signature takes of a face: the bytes of its file, or uint8 [H, W, 3].

    Raises:
        UserError: the file cannot be read, or its pixels have a size that the signature does not take.
    """
    form = next(iter(signature.inputs.values()))
    if form.dtype == "string":
        return file_for_server(face.path)
    image = read_image(face.path)
    wanted = (None, None) if form.shape is None else form.shape[1:3]
    if any(size not in (None, found) for size, found in zip(wanted, image.shape[:2], strict=True)):
        height, width = (size or "any" for size in wanted)
        found_size = f"{image.shape[1]} x {image.shape[0]}"
        raise UserError(f"{face.path} has {found_size} pixels, but {signature.name} takes {width} x {height}.")
    return image


def file_for_server(path: Path) -> bytes:
    """The bytes of an image file, as they are where the server reads them the same, or else as a PNG.

    The graph of an export neither rotates by EXIF nor reads WebP and PGM.

    Raises:
        ImageError: the file cannot be read, or is none of the images that are read here.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ImageError(f"{path} cannot be read: {error.strerror}.") from None
    if read_header(data, str(path)).format in SERVER_FORMATS and not _is_rotated(data):
        return data
    buffer = io.BytesIO()
    Image.fromarray(decode_image(data, str(path))).save(buffer, "PNG")
    return buffer.getvalue()


def _is_rotated(data: bytes) -> bool:
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(data), formats=SERVER_FORMATS) as image:
            return image.getexif().get(EXIF_ORIENTATION, 1) in range(2, 9)
    except Exception:  # Pillow meets damaged files with a dozen kinds of exceptions; the server will say what is wrong
        return False


def _batches(query: Query, faces: Sequence[Face]) -> Iterator[tuple[list[Face], list[bytes | np.ndarray]]]:
    part: list[Face] = []
    arrays: list[bytes | np.ndarray] = []
    for face in faces:
        array = read_for(query.signature, face)
        other_size = bool(arrays) and getattr(array, "shape", None) != getattr(arrays[0], "shape", None)
        if len(part) == query.batch or other_size:
            yield part, arrays
            part, arrays = [], []
        part.append(face)
        arrays.append(array)
    if part:
        yield part, arrays


def _ask(
    query: Query, arrays: Sequence[bytes | np.ndarray], reference: bytes | np.ndarray | None
) -> dict[str, np.ndarray]:
    columns = [arrays] if reference is None else [arrays, [reference] * len(arrays)]
    # The names of two inputs end in _a and _b.
    inputs = {name: _stacked(column) for name, column in zip(sorted(query.signature.inputs), columns, strict=True)}
    return with_patience(lambda: query.connection.predict(query.model, query.signature, inputs), query.retries)


def _stacked(column: Sequence[bytes | np.ndarray]) -> np.ndarray:
    if not isinstance(column[0], bytes):
        return np.stack(column)
    files = np.empty(len(column), object)
    files[:] = column
    return files
