"""Image files -> upright RGB uint8, guarded; and PNG files written whole.

The bytes may come from anybody, so three things happen in this order: the format is told by magic bytes (never by the
file's name), width and height are read from the header by the small parsers below and held against a pixel budget, and
only then does Pillow decode, as that one format. A 48 kB PNG can hold 1.2 GB of pixels; here it costs nothing.
"""

import io
import struct
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
from PIL import Image

from lrfr_tf.errors import UserError
from lrfr_tf.files import atomic_file

PIXEL_BUDGET = 40_000_000
# Decoding needs at most 300 MB beside the file, however the file lies. A picture that is decoded row by row needs 7
# bytes a pixel, 4 in Pillow and 3 here. These need more: libwebp keeps two canvases and hands out a third (16 bytes),
# and libjpeg keeps the coefficients of a JPEG that comes in several scans, as progressive ones do (up to 12 bytes).
WEBP_PIXEL_BUDGET = 18_000_000
MANY_SCANS_PIXEL_BUDGET = 24_000_000
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".jfif", ".jpe", ".png", ".bmp", ".webp", ".pgm", ".heic", ".heif")

ALLOWED = "images are read from JPEG, PNG, BMP, WebP and PGM files"
PILLOW_FORMATS = {"JPEG": "JPEG", "PNG": "PNG", "BMP": "BMP", "WebP": "WEBP", "PGM": "PPM"}
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
PNG_END = b"IEND\xaeB`\x82"
WHITESPACE = b" \t\n\v\f\r"
EXIF_ORIENTATION = 0x0112
SIDES_SWAPPED = (5, 6, 7, 8)
# JPEG markers: C0 to CF start a frame, but for Huffman tables (C4), a reserved code (C8) and arithmetic tables (CC).
JPEG_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
JPEG_SEQUENTIAL_FRAMES = {0xC0, 0xC1, 0xC9}
JPEG_END, JPEG_SCAN = 0xD9, 0xDA
LONGEST_MAGIC = 12
PIXELS_AT_ONCE = 2**18  # converted to RGB together: a second copy of a whole picture is never made


class ImageError(UserError):
    """An image that cannot be read or written; the message names the file."""


@dataclass(frozen=True)
class ImageHeader:
    """What an image file says about itself: format (a key of `PILLOW_FORMATS`), and the size as stored, unrotated."""

    format: str
    width: int
    height: int


def read_image(path: str | Path, pixel_budget: int = PIXEL_BUDGET) -> np.ndarray:
    """Reads an image file as upright RGB, uint8 [H, W, 3]; see `decode_image`.

    Raises:
        ImageError: the file is missing or unreadable, or `decode_image` refuses its bytes.
    """
    try:
        with open(path, "rb") as file:
            start = file.read(LONGEST_MAGIC)
            _format_of(start, str(path))  # so that a film of some gigabytes is refused before it is read
            data = start + file.read()
    except FileNotFoundError:
        raise ImageError(f"{path} is missing.") from None
    except (OSError, ValueError, MemoryError) as error:
        raise ImageError(f"{path} cannot be read: {_reason(error)}.") from None
    return decode_image(data, str(path), pixel_budget)


def decode_image(data: bytes, name: str, pixel_budget: int = PIXEL_BUDGET) -> np.ndarray:
    """Decodes the bytes of an image file as upright RGB, uint8 [H, W, 3].

    Grey and palette images become RGB. Alpha is dropped and the stored colors are kept, as TensorFlow's decoders and
    Pillow's `convert("RGB")` do: nothing is painted behind a face. Of 16-bit samples the high byte is kept, as
    TensorFlow does. CMYK is converted by Pillow's plain formula. EXIF rotation is applied; EXIF data that cannot be
    parsed count as "upright". Of an animation the first picture is taken.

    Args:
        data: the whole file.
        name: what error messages call it, usually its path.
        pixel_budget: most pixels (width times height) that are decoded; of WebP and of JPEG in several scans never more
            than `WEBP_PIXEL_BUDGET` and `MANY_SCANS_PIXEL_BUDGET`.

    Raises:
        ImageError: empty, of another format (GIF included), over the budget, truncated or damaged.
    """
    header = read_header(data, name)
    budget, kind = _budget(data, header, pixel_budget)
    if header.width * header.height > budget:
        raise ImageError(
            f"{name} has {header.width} x {header.height} pixels, more than the {budget:,} that are allowed{kind}."
        )
    # Decoders meet damaged bytes with a dozen kinds of exceptions (OSError, SyntaxError, struct.error, EOFError,
    # zlib.error, KeyError, MemoryError ...); whatever they say, the file is at fault and the caller is told which.
    try:
        if header.format == "PNG" and PNG_END not in data:  # Pillow lets a file pass that was cut in its last bytes
            raise ValueError("the file is truncated")
        with _PILLOW_WARNINGS_OFF, Image.open(io.BytesIO(data), formats=[PILLOW_FORMATS[header.format]]) as image:
            # Pillow allocates in load(), by its own reading of the header: so the sizes are compared before it.
            _check_size(image, header)
            image.load()
            _check_size(image, header)
            return _upright_rgb(image, _orientation(image))
    except Image.UnidentifiedImageError:
        raise ImageError(f"{name} cannot be decoded as {header.format}: its header is damaged.") from None
    except Exception as error:
        raise ImageError(f"{name} cannot be decoded as {header.format}: {_reason(error)}.") from None


def read_header(data: bytes, name: str) -> ImageHeader:
    """Tells format, width and height from the first bytes of an image file, without decoding it.

    Raises:
        ImageError: empty, of another format (GIF included), or with a header that is damaged or says "no pixels".
    """
    image_format = _format_of(data, name)
    try:
        width, height = HEADER_PARSERS[image_format](data)
    except (struct.error, IndexError):
        raise ImageError(f"{name} ends inside its {image_format} header.") from None
    except ValueError as error:
        raise ImageError(f"{name} has a damaged {image_format} header: {_reason(error)}.") from None
    if width < 1 or height < 1:
        raise ImageError(f"{name} has a {image_format} header that says {width} x {height} pixels.")
    return ImageHeader(image_format, width, height)


def write_png(path: str | Path, image: np.ndarray) -> None:
    """Writes an RGB uint8 [H, W, 3] image as a PNG file, whole or not at all; folders are made as needed.

    Raises:
        UserError: the file cannot be written; an older file of that name stays as it was.
        ValueError: the array is not an RGB uint8 image.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise ValueError(f"an image is uint8 [H, W, 3], not {image.dtype} {list(image.shape)}")
    with atomic_file(path) as temporary:
        Image.fromarray(image).save(temporary, format="PNG")


def _format_of(data: bytes, name: str) -> str:
    if not data:
        raise ImageError(f"{name} is empty.")
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(PNG_MAGIC):
        return "PNG"
    if data.startswith(b"BM"):
        return "BMP"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WebP"
    if data[:2] in (b"P5", b"P2") and data[2:3] in tuple(bytes([space]) for space in WHITESPACE):
        return "PGM"
    if data.startswith((b"GIF87a", b"GIF89a")):
        raise ImageError(f"{name} is a GIF file, which is refused; {ALLOWED}.")
    if data.startswith((b"II*\0", b"MM\0*")):
        raise ImageError(f"{name} is a TIFF file, which is refused; {ALLOWED}.")
    if data[4:8] == b"ftyp":
        raise ImageError(f"{name} is a HEIC, AVIF or video file, which is refused; {ALLOWED}.")
    raise ImageError(f"{name} is not an image that is known here; {ALLOWED}.")


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Walks the segments up to the first scan (ITU T.81, annex B): markers, and where their contents begin."""
    position = 2
    while True:
        if data[position] != 0xFF:
            raise ValueError("a segment does not begin with a marker")
        while data[position] == 0xFF:  # any number of fill bytes may precede a marker
            position += 1
        marker = data[position]
        position += 1
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:  # markers without a segment
            continue
        yield marker, position + 2
        if marker in (JPEG_END, JPEG_SCAN):
            return
        (length,) = struct.unpack_from(">H", data, position)
        if length < 2:
            raise ValueError("a segment has no length")
        position += length


def _jpeg_size(data: bytes) -> tuple[int, int]:
    for marker, position in _jpeg_segments(data):
        if marker in JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", data, position + 1)
            return width, height
    raise ValueError("there is no frame before the pixels")


def _is_in_one_scan(data: bytes) -> bool:
    """Whether a JPEG is sequential and its first scan holds all components, so that it is decoded row by row."""
    components = 0
    try:
        for marker, position in _jpeg_segments(data):
            if marker in JPEG_FRAMES:
                components = data[position + 5]
                if marker not in JPEG_SEQUENTIAL_FRAMES:
                    return False
            if marker == JPEG_SCAN:
                return data[position] == components
    except (struct.error, IndexError, ValueError):
        pass
    return False


def _png_size(data: bytes) -> tuple[int, int]:
    length, kind, width, height = struct.unpack_from(">I4sII", data, len(PNG_MAGIC))
    if kind != b"IHDR" or length != 13:
        raise ValueError("the first chunk is not IHDR")
    return width, height


def _bmp_size(data: bytes) -> tuple[int, int]:
    (header_length,) = struct.unpack_from("<I", data, 14)
    if header_length == 12:  # OS/2
        width, height = struct.unpack_from("<HH", data, 18)
        return width, height
    if header_length not in (40, 52, 56, 64, 108, 124):
        raise ValueError(f"a header of {header_length} bytes is not known")
    width, height = struct.unpack_from("<ii", data, 18)
    return width, abs(height)  # a negative height means that the first row is the top one


def _webp_size(data: bytes) -> tuple[int, int]:
    """The three kinds of first chunk: lossy (RFC 6386, 9.1), lossless and extended (RFC 9649)."""
    chunk = data[12:16]
    if chunk == b"VP8 ":
        if data[23:26] != b"\x9d\x01\x2a":
            raise ValueError("the lossy picture does not begin with a key frame")
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF  # the two bits above are a scaling hint
    if chunk == b"VP8L":
        signature, bits = struct.unpack_from("<BI", data, 20)
        if signature != 0x2F:
            raise ValueError("the lossless picture has a wrong signature")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if chunk == b"VP8X":
        low_width, high_width, low_height, high_height = struct.unpack_from("<HBHB", data, 24)
        return (high_width << 16 | low_width) + 1, (high_height << 16 | low_height) + 1
    raise ValueError("its first chunk is not a picture")


def _pgm_size(data: bytes) -> tuple[int, int]:
    """Reads the two decimal numbers after the magic, between white space and comments (# to the end of the line)."""
    numbers: list[int] = []
    digits = b""
    position = 2
    while len(numbers) < 2:
        byte = data[position : position + 1]
        if not byte:
            raise IndexError
        if byte == b"#":
            while data[position] not in b"\r\n":
                position += 1
        elif byte.isdigit():
            digits += byte
            if len(digits) > 10:
                raise ValueError("a number is too long")
        elif byte not in WHITESPACE:
            raise ValueError("there is no number where the size should be")
        elif digits:
            numbers.append(int(digits))
            digits = b""
        position += 1
    return numbers[0], numbers[1]


HEADER_PARSERS = {"JPEG": _jpeg_size, "PNG": _png_size, "BMP": _bmp_size, "WebP": _webp_size, "PGM": _pgm_size}


def _check_size(image: Image.Image, header: ImageHeader) -> None:
    if image.size != (header.width, header.height):
        found, told = f"{image.width} x {image.height}", f"{header.width} x {header.height}"
        raise ValueError(f"the header says {told} pixels and the decoder {found}")


def _budget(data: bytes, header: ImageHeader, pixel_budget: int) -> tuple[int, str]:
    """The pixels that a file may have, and, where its kind is the reason, words for that kind."""
    if header.format == "WebP" and pixel_budget > WEBP_PIXEL_BUDGET:
        return WEBP_PIXEL_BUDGET, " in a WebP file"
    if header.format == "JPEG" and pixel_budget > MANY_SCANS_PIXEL_BUDGET and not _is_in_one_scan(data):
        return MANY_SCANS_PIXEL_BUDGET, " in a JPEG file of several scans"
    return pixel_budget, ""


def _upright_rgb(image: Image.Image, orientation: int) -> np.ndarray:
    """Converts a loaded picture strip by strip, each put where it belongs in the upright one."""
    sides = (image.width, image.height) if orientation in SIDES_SWAPPED else (image.height, image.width)
    upright = np.empty((*sides, 3), np.uint8)
    # The same memory, seen as the picture is stored. Of the eight turns only 6 and 8 do not undo themselves.
    stored = _upright(upright, {6: 8, 8: 6}.get(orientation, orientation))
    rows = max(1, PIXELS_AT_ONCE // image.width)
    for top in range(0, image.height, rows):
        bottom = min(top + rows, image.height)
        stored[top:bottom] = _rgb(image.crop((0, top, image.width, bottom)))
    return upright


def _rgb(image: Image.Image) -> np.ndarray:
    if image.mode.startswith("I"):  # 16-bit grey, where convert("RGB") would clip at 255 and return white
        grey = np.clip(np.array(image).astype(np.int32) >> 8, 0, 255).astype(np.uint8)
        return np.stack([grey, grey, grey], axis=-1)
    return np.asarray(image.convert("RGB"))


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(EXIF_ORIENTATION, 1))
    except Exception:  # as above: a damaged note beside the pixels raises anything, and the pixels are good
        return 1


def _upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Undoes EXIF orientations 2 to 8 (CIPA DC-008, tag 274); other values change nothing."""
    if orientation in SIDES_SWAPPED:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels


def _reason(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split()).rstrip(".") or type(error).__name__


class _PillowWarningsOff:
    """Keeps Pillow's warnings (bomb, broken EXIF, palette alpha) from leaking while any thread decodes.

    `warnings.catch_warnings` alone is not safe in threads: two that overlap can leave all warnings off for good. So
    the first thread in switches them off and the last one out restores them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._saved = warnings.catch_warnings()
                self._saved.__enter__()
                warnings.simplefilter("ignore")
            self._inside += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._saved.__exit__(None, None, None)


_PILLOW_WARNINGS_OFF = _PillowWarningsOff()
