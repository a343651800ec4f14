"""Faces in files -> what a served model takes of each; what it would refuse is found out before it is sent."""

import io
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from lrfr_tf.errors import UserError
from lrfr_tf.images.decode import EXIF_ORIENTATION, IMAGE_SUFFIXES, ImageError, decode_image, read_header
from lrfr_tf.images.limits import LONGEST_SIDE, PIXEL_BUDGET_IN_GRAPH
from lrfr_tf.sources.image_source import LARGEST_FILE, FolderSource
from lrfr_tf.tf_serving.client import ServedSignature

# What the graph of an export decodes, see `images.decode_in_graph`.
SERVER_FORMATS = ("JPEG", "PNG", "BMP")


class NoCropError(UserError):
    """A picture is more than one face that is cut out."""


@dataclass(frozen=True)
class InputFile:
    """A file with a face: where it is, and its name in tables, relative to the folder that was given."""

    path: Path
    name: str


class Looker(Protocol):
    """Looks at a picture before it is sent."""

    pixel_budget: int

    def __call__(self, image: np.ndarray, name: str) -> np.ndarray:
        """What is to be sent of a picture, uint8 RGB [H, W, 3]: itself, or the face that is cut out of it.

        Raises:
            UserError: nothing is; the message names the picture.
        """

    def notes(self) -> list[str]:
        """What has to be said about pictures that were sent, in sentences."""


def list_faces(path: Path) -> list[InputFile]:
    """The image files in a folder and those below it, sorted by name; or the one file that `path` is.

    Raises:
        UserError: there is nothing at `path`, or no image in it.
    """
    if path.is_file():
        return [InputFile(path, path.name)]
    if not path.is_dir():
        raise UserError(f"{path} is missing; it should be a folder of faces or an image file.")
    faces = [InputFile(path / name, name) for name in FolderSource(path).names()]
    if not faces:
        raise UserError(f"{path} holds no image ({', '.join(IMAGE_SUFFIXES)}).")
    return faces


def read_input(signature: ServedSignature, face: InputFile, look: Looker | None = None) -> bytes | np.ndarray:
    """What a signature takes of a face: the bytes of an image file, or uint8 [H, W, 3].

    A file is sent as it is where the server reads it the same, or else as a PNG: the graph of an export neither rotates
    by EXIF nor reads WebP and PGM.

    Args:
        look: what looks at the picture before; None: nobody, the server decides.

    Raises:
        UserError: the file cannot be read, has more pixels than the server takes, or pixels of a size that the
            signature does not take; or `look` refuses it. The message names the file.
    """
    data = _read(face.path)
    label = str(face.path)
    header = read_header(data, label)
    budget = PIXEL_BUDGET_IN_GRAPH if look is None else look.pixel_budget
    if header.width * header.height > budget or max(header.width, header.height) > LONGEST_SIDE:
        raise NoCropError(
            f"{label} has {header.width} x {header.height} pixels and is not sent: {budget:,} are allowed, and "
            f"{LONGEST_SIDE:,} a side."
        )
    form = next(iter(signature.inputs.values()))
    as_file = form.dtype == "string"
    if look is None and as_file and _is_read_by_server(data, header.format):
        return data
    image = decode_image(data, label)
    seen = image if look is None else look(image, label)
    if as_file:
        return data if seen is image and _is_read_by_server(data, header.format) else _png(seen)
    sides = (None, None) if form.shape is None else form.shape[1:3]
    return _of_size(seen, sides, seen is not image, f"{label} has", signature=signature.name)


def _of_size(
    image: np.ndarray, sides: tuple[int | None, ...], was_cut_out: bool, subject: str, *, signature: str
) -> np.ndarray:
    height, width = sides
    if (height or image.shape[0], width or image.shape[1]) == image.shape[:2]:
        return image
    if was_cut_out:
        from lrfr_tf.images.resize import resize  # imports TensorFlow, as whoever cut the face out has done

        return resize(image, height or image.shape[0], width or image.shape[1])
    found = f"{image.shape[1]} x {image.shape[0]}"
    raise UserError(f"{subject} {found} pixels, but {signature} takes {width or 'any'} x {height or 'any'}.")


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ImageError(f"{path} is larger than {LARGEST_FILE >> 20} MiB, which no image is.")
        return path.read_bytes()
    except OSError as error:
        raise ImageError(f"{path} cannot be read: {error.strerror}.") from None


def _png(image: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


def _is_read_by_server(data: bytes, image_format: str) -> bool:
    return image_format in SERVER_FORMATS and not _is_rotated(data)


def _is_rotated(data: bytes) -> bool:
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(data), formats=SERVER_FORMATS) as image:
            return image.getexif().get(EXIF_ORIENTATION, 1) in range(2, 9)
    except Exception:  # Pillow meets damaged files with a dozen kinds of exceptions; the server will say what is wrong
        return False
