"""Image files -> upright RGB uint8, guarded; and PNG files written whole.

The bytes may come from anybody, so three things happen in this order: the format is told by magic bytes (never by the
file's name), Pillow reads the header as that one format, which makes no pixels, and its width and height are held
against a pixel budget; only then does Pillow decode. A 48 kB PNG can hold 1.2 GB of pixels; here it costs nothing.
"""

import io
import struct
import threading
import warnings
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
from PIL import BmpImagePlugin, Image, ImageFile, JpegImagePlugin, PngImagePlugin, PpmImagePlugin, WebPImagePlugin

from lrfr_tf.errors import UserError
from lrfr_tf.files import atomic_file

PIXEL_BUDGET = 40_000_000
# Decoding needs at most 300 MB beside the file, however the file lies. A picture that is decoded row by row needs 7
# bytes a pixel, 4 in Pillow and 3 here. These need more: libwebp keeps two canvases and hands out a third (16 bytes),
# libjpeg keeps the coefficients of a JPEG that comes in several scans, as progressive ones do (up to 12 bytes), and
# libheif keeps the picture in the colors of the file, in RGB, and hands out a third (12 bytes).
WEBP_PIXEL_BUDGET = 18_000_000
MANY_SCANS_PIXEL_BUDGET = 24_000_000
HEIC_PIXEL_BUDGET = 24_000_000
SMALLER_BUDGETS = {"WebP": (WEBP_PIXEL_BUDGET, " in a WebP file"), "HEIC": (HEIC_PIXEL_BUDGET, " in a HEIC file")}
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".webp", ".pgm", ".heic", ".heif")

ALLOWED_FORMATS_TEXT = "images are read from JPEG, PNG, BMP, WebP, PGM and HEIC files"
# Each reads the header when it is made, and the pixels in `load`. Image.open would also try what others registered.
PILLOW_READERS: dict[str, type[ImageFile.ImageFile]] = {
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "WebP": WebPImagePlugin.WebPImageFile,
    "PGM": PpmImagePlugin.PpmImageFile,
}
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
PNG_END = b"IEND\xaeB`\x82"
WHITESPACE = b" \t\n\v\f\r"
HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1")
EXIF_ORIENTATION = 0x0112
SIDES_SWAPPED = (5, 6, 7, 8)
MAX_MAGIC_BYTES = 12
PIXELS_AT_ONCE = 2**18  # converted to RGB together: a second copy of a whole picture is never made


class ImageError(UserError):
    """An image that cannot be read or written; the message names the file."""


@dataclass(frozen=True)
class ImageHeader:
    """What an image file says about itself: its format, such as PNG, and the size as stored, unrotated."""

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
            start = file.read(MAX_MAGIC_BYTES)
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
    with _PILLOW_WARNINGS_OFF:
        header, image = _open(data, name)
        budget, kind = _budget(data, image, header.format, pixel_budget)
        if header.width * header.height > budget:
            raise ImageError(
                f"{name} has {header.width} x {header.height} pixels, more than the {budget:,} that are allowed{kind}."
            )
        # Decoders meet damaged bytes with a dozen kinds of exceptions (OSError, SyntaxError, struct.error, EOFError,
        # zlib.error, KeyError, MemoryError ...); whatever they say, the file is at fault and the caller is told which.
        try:
            if header.format == "PNG" and PNG_END not in data:  # Pillow lets a file pass that was cut in its last bytes
                raise ValueError("the file is truncated")
            image.load()
            if image.size != (header.width, header.height):
                raise ValueError("its pixels are of another size than its header says")
            return _upright_rgb(image, _orientation(image))
        except Exception as error:
            raise ImageError(f"{name} cannot be decoded as {header.format}: {_reason(error)}.") from None


def read_header(data: bytes, name: str) -> ImageHeader:
    """Tells format, width and height of an image file, without decoding it.

    Raises:
        ImageError: empty, of another format (GIF included), or with a header that is damaged or says "no pixels".
    """
    with _PILLOW_WARNINGS_OFF:
        return _open(data, name)[0]


def write_png(path: str | Path, image: np.ndarray, *, private: bool = False, replaces: bool = True) -> None:
    """Writes an RGB uint8 [H, W, 3] image as a PNG file, whole or not at all; folders are made as needed.

    Args:
        private, replaces: see `atomic_file`.

    Raises:
        UserError: the file cannot be written; an older file of that name stays as it was.
        ValueError: the array is not an RGB uint8 image.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise ValueError(f"an image is uint8 [H, W, 3], not {image.dtype} {list(image.shape)}")
    with atomic_file(path, private, replaces=replaces) as temporary:
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
        raise ImageError(f"{name} is a GIF file, which is refused; {ALLOWED_FORMATS_TEXT}.")
    if data.startswith((b"II*\0", b"MM\0*")):
        raise ImageError(f"{name} is a TIFF file, which is refused; {ALLOWED_FORMATS_TEXT}.")
    if data[4:8] == b"ftyp" and data[8:12] in HEIC_BRANDS:
        return "HEIC"
    if data[4:8] == b"ftyp":
        raise ImageError(f"{name} is an AVIF or video file, which is refused; {ALLOWED_FORMATS_TEXT}.")
    raise ImageError(f"{name} is not an image that is known here; {ALLOWED_FORMATS_TEXT}.")


def _open(data: bytes, name: str) -> tuple[ImageHeader, ImageFile.ImageFile]:
    """Reads the header, and no pixels yet.

    Raises:
        ImageError: as `read_header`.
    """
    image_format = _format_of(data, name)
    reader = _heic_reader(name) if image_format == "HEIC" else PILLOW_READERS[image_format]
    try:
        image = reader(io.BytesIO(data))
    except Exception:  # of as many kinds as damaged pixels make
        raise ImageError(f"{name} has a damaged {image_format} header, or one without pixels.") from None
    return ImageHeader(image_format, *image.size), image


def _heic_reader(name: str) -> type[ImageFile.ImageFile]:
    try:
        from pillow_heif import HeifImageFile
    except ImportError:
        raise ImageError(f"{name} is a HEIC file; pip install 'lrfr-tf[heic]' brings what reads it.") from None
    return HeifImageFile


def _budget(data: bytes, image: ImageFile.ImageFile, image_format: str, pixel_budget: int) -> tuple[int, str]:
    """The pixels that a file may have, and, where its kind is the reason, words for that kind."""
    budget, kind = SMALLER_BUDGETS.get(image_format, (pixel_budget, ""))
    if isinstance(image, JpegImagePlugin.JpegImageFile) and not _is_in_one_scan(image, data):
        budget, kind = MANY_SCANS_PIXEL_BUDGET, " in a JPEG file of several scans"
    return (budget, kind) if budget < pixel_budget else (pixel_budget, "")


def _is_in_one_scan(image: JpegImagePlugin.JpegImageFile, data: bytes) -> bool:
    """Whether a JPEG is sequential and its first scan holds all components, so that it is decoded row by row.

    Pillow has just read the header of that scan: its length, how many components it holds, and two bytes for each.
    """
    assert image.fp is not None
    length = 6 + 2 * image.layers
    start = image.fp.tell() - length
    return "progressive" not in image.info and data[start : start + 3] == struct.pack(">HB", length, image.layers)


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
