"""Pictures one after another, from files; of any number of them a few are in memory."""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from lrfr_tf.errors import UserError
from lrfr_tf.images.decode import decode_image
from lrfr_tf.sources.image_source import ImageSource

CHUNK_SIZE = 32
BYTES_AT_ONCE = 100_000_000  # three photos of 12 megapixels


@dataclasses.dataclass(frozen=True)
class Picture:
    """A photo, or a frame of a video.

    Attributes:
        name: what messages call it.
        pixels: uint8 RGB [H, W, 3]; None if it could not be read.
        error: why not, one sentence.
        frame: its number in the video, from 0; None for a photo.
        seconds: its time in the video.
    """

    name: str
    pixels: np.ndarray | None
    error: str | None = None
    frame: int | None = None
    seconds: float | None = None


def read_photos(source: ImageSource, names: Sequence[str]) -> Iterator[Picture]:
    """Reads image files, upright RGB; one that cannot be read comes with its error, and the rest go on."""
    return (read_photo(source, name) for name in names)


def read_photo(source: ImageSource, name: str) -> Picture:
    """Reads one image file, upright RGB, or says why it cannot be read."""
    try:
        return Picture(name, decode_image(source.read(name), source.label(name)))
    except UserError as error:
        return Picture(name, None, str(error))


def in_chunks(
    pictures: Iterable[Picture], most: int = CHUNK_SIZE, most_bytes: int = BYTES_AT_ONCE
) -> Iterator[list[Picture]]:
    """The same pictures, `most` at a time: fewer of large ones, so that memory stays bounded."""
    chunk: list[Picture] = []
    size = 0
    for picture in pictures:
        chunk.append(picture)
        size += 0 if picture.pixels is None else picture.pixels.nbytes
        if len(chunk) == most or size >= most_bytes:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk
