"""Images as they are given -> the fields of a multipart body."""

import os
from collections.abc import Sequence
from pathlib import Path

Image = str | os.PathLike[str] | bytes  # the path of a file, or what stands in it
Field = tuple[str, tuple[str, bytes]]


def fields_of(images: Image | Sequence[Image]) -> list[Field]:
    """A field `image` for each, with the name of its file, if it has one.

    Raises:
        OSError: a file cannot be read.
    """
    return [_field(one) for one in ([images] if isinstance(images, (str, os.PathLike, bytes)) else images)]


def _field(image: Image) -> Field:
    if isinstance(image, bytes):
        return "image", ("image", image)
    path = Path(image)
    return "image", (path.name, path.read_bytes())
