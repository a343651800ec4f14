"""Decoding against Pillow, hand-made headers and hostile bytes."""

import io
import os
import struct
import sys
import warnings
import zlib
from collections.abc import Callable
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lrfr_tf.errors import UserError
from lrfr_tf.images.decode import (
    IMAGE_SUFFIXES,
    PIXEL_BUDGET,
    SMALLER_BUDGETS,
    ImageError,
    ImageHeader,
    decode_image,
    read_header,
    read_image,
    write_png,
)

PILLOW_NAMES = {"JPEG": "JPEG", "PNG": "PNG", "BMP": "BMP", "WebP": "WEBP", "PGM": "PPM"}


def smooth_image(height: int, width: int, channels: int = 3) -> np.ndarray:
    """A colorful image without sharp edges, so that lossy formats stay near it."""
    rows, columns = np.mgrid[0:height, 0:width]
    planes = [128 + 100 * np.sin((rows * (k + 1) + columns * 2) / 40 + k) for k in range(channels)]
    return np.stack(planes, axis=-1).astype(np.uint8)


def encoded(image: Image.Image, image_format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, PILLOW_NAMES.get(image_format, image_format), **options)
    return buffer.getvalue()


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def ihdr(width: int, height: int, bits: int, color_type: int) -> bytes:
    return png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, color_type, 0, 0, 0))


SMALL = Image.fromarray(smooth_image(5, 5))


def one_of_each() -> dict[str, bytes]:
    image = Image.fromarray(smooth_image(21, 34))
    return {
        "JPEG": encoded(image, "JPEG"),
        "PNG": encoded(image, "PNG"),
        "BMP": encoded(image, "BMP"),
        "WebP": encoded(image, "WebP"),
        "PGM": encoded(image.convert("L"), "PGM"),
    }


VARIANTS: list[tuple[str, str, dict[str, Any]]] = [
    ("JPEG", "RGB", {}),
    ("JPEG", "RGB", {"progressive": True}),
    ("JPEG", "RGB", {"progressive": True, "subsampling": 0, "icc_profile": bytes(100_000)}),
    ("JPEG", "RGB", {"restart_marker_rows": 1, "comment": b"\xff\xc0\x00\x11\x08\x00\x01\x00\x01"}),
    ("JPEG", "L", {}),
    ("JPEG", "CMYK", {}),
    ("PNG", "1", {}),
    ("PNG", "L", {}),
    ("PNG", "LA", {}),
    ("PNG", "P", {}),
    ("PNG", "RGB", {}),
    ("PNG", "RGBA", {}),
    ("BMP", "1", {}),
    ("BMP", "L", {}),
    ("BMP", "P", {}),
    ("BMP", "RGB", {}),
    ("BMP", "RGBA", {}),
    ("WebP", "RGB", {}),
    ("WebP", "RGB", {"lossless": True}),
    ("WebP", "RGBA", {}),
    ("WebP", "RGBA", {"lossless": True}),
    ("WebP", "RGB", {"exif": b"Exif\0\0"}),
    ("PGM", "L", {}),
]


@pytest.mark.parametrize("size", [(1, 1), (37, 53), (300, 7)])
@pytest.mark.parametrize(("image_format", "mode", "options"), VARIANTS)
def test_header_and_pixels_agree_with_pillow(
    image_format: str, mode: str, options: dict[str, Any], size: tuple[int, int]
) -> None:
    height, width = size
    data = encoded(Image.fromarray(smooth_image(height, width)).convert(mode), image_format, **options)
    assert read_header(data, "a") == ImageHeader(image_format, width, height)
    pixels = decode_image(data, "a")
    assert pixels.dtype == np.uint8
    assert pixels.flags.c_contiguous and pixels.flags.writeable  # noqa: PT018
    with Image.open(io.BytesIO(data)) as image:
        assert image.size == (width, height)
        np.testing.assert_array_equal(pixels, np.asarray(image.convert("RGB")))


@pytest.mark.parametrize(
    ("header_length", "top_down"), [(12, False), (40, False), (40, True), (124, False), (124, True)]
)
def test_bmp_headers_by_hand(header_length: int, top_down: bool) -> None:
    source = smooth_image(3, 5)
    rows = source if top_down else source[::-1]
    body = b"".join(row[:, ::-1].tobytes() + b"\0" for row in rows)  # BGR, rows padded to four bytes
    if header_length == 12:
        header = struct.pack("<IHHHH", 12, 5, 3, 1, 24)
    else:
        header = struct.pack("<IiiHHIIiiII", header_length, 5, -3 if top_down else 3, 1, 24, 0, len(body), 0, 0, 0, 0)
        header = header.ljust(header_length, b"\0")
    start = 14 + header_length
    data = b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start) + header + body
    assert read_header(data, "a") == ImageHeader("BMP", 5, 3)
    np.testing.assert_array_equal(decode_image(data, "a"), source)


@pytest.mark.parametrize(
    "text", [b"P5 3 2 255\n", b"P5\n# made by hand\n3 # wide\n# and\n2\n255\n", b"P5\t3\r\n2\n# deep\n255\n"]
)
def test_pgm_headers_by_hand(text: bytes) -> None:
    data = text + bytes([0, 50, 100, 150, 200, 250])
    assert read_header(data, "a") == ImageHeader("PGM", 3, 2)
    np.testing.assert_array_equal(decode_image(data, "a")[..., 1], [[0, 50, 100], [150, 200, 250]])


def test_pgm_text_form() -> None:
    pixels = decode_image(b"P2\n# text\n3 1\n255\n7 80 255\n", "a")
    np.testing.assert_array_equal(pixels, [[[7] * 3, [80] * 3, [255] * 3]])


def test_16_bit_grey_keeps_the_high_byte() -> None:
    values = np.array([[0, 255, 256, 0x1234], [0x7FFF, 0x8000, 0xFEFF, 0xFFFF]], np.uint16)
    expected = np.repeat((values >> 8).astype(np.uint8)[..., None], 3, axis=-1)
    for image_format in ("PNG", "PGM"):
        data = encoded(Image.fromarray(values), image_format)
        np.testing.assert_array_equal(decode_image(data, "a"), expected)


def test_16_bit_color_keeps_the_high_byte() -> None:
    values = np.array([[[0x1234, 0xFFFF, 0x00FF], [0x8000, 0x7FFF, 0xABCD]]], ">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in values)
    data = b"\x89PNG\r\n\x1a\n" + ihdr(2, 1, 16, 2) + png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b"")
    np.testing.assert_array_equal(decode_image(data, "a"), values >> 8)


def test_alpha_is_dropped_and_colors_are_kept() -> None:
    colors = smooth_image(9, 11)
    alpha = np.linspace(0, 255, 99).astype(np.uint8).reshape(9, 11, 1)
    data = encoded(Image.fromarray(np.concatenate([colors, alpha], axis=-1)), "PNG")
    np.testing.assert_array_equal(decode_image(data, "a"), colors)


def test_cmyk_jpeg_looks_like_its_source() -> None:
    source = smooth_image(40, 40)
    data = encoded(Image.fromarray(source).convert("CMYK"), "JPEG", quality=98)
    assert np.abs(decode_image(data, "a").astype(int) - source).mean() < 3


# Which visual side the stored row 0 and the stored column 0 are (CIPA DC-008, tag 274).
SIDES = {
    1: ("top", "left"),
    2: ("top", "right"),
    3: ("bottom", "right"),
    4: ("bottom", "left"),
    5: ("left", "top"),
    6: ("right", "top"),
    7: ("right", "bottom"),
    8: ("left", "bottom"),
}
OPPOSITE = {"top": "bottom", "bottom": "top", "left": "right", "right": "left"}
CORNERS = {
    frozenset({"top", "left"}): (220, 20, 20),
    frozenset({"top", "right"}): (20, 200, 20),
    frozenset({"bottom", "left"}): (20, 20, 220),
    frozenset({"bottom", "right"}): (230, 230, 230),
}


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WebP"])
@pytest.mark.parametrize("orientation", SIDES)
def test_exif_orientation(orientation: int, image_format: str) -> None:
    row_side, column_side = SIDES[orientation]
    height, width = (32, 64) if orientation < 5 else (64, 32)  # stored; upright it is 32 rows of 64 columns
    stored = np.zeros((height, width, 3), np.uint8)
    for rows, side in ((slice(0, height // 2), row_side), (slice(height // 2, None), OPPOSITE[row_side])):
        for columns, other in ((slice(0, width // 2), column_side), (slice(width // 2, None), OPPOSITE[column_side])):
            stored[rows, columns] = CORNERS[frozenset({side, other})]
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(Image.fromarray(stored), image_format, exif=exif)
    assert (read_header(data, "a").height, read_header(data, "a").width) == (height, width)
    pixels = decode_image(data, "a")
    assert pixels.shape == (32, 64, 3)
    assert pixels.flags.c_contiguous
    for row, side in ((2, "top"), (-3, "bottom")):
        for column, other in ((2, "left"), (-3, "right")):
            expected = np.array(CORNERS[frozenset({side, other})])
            assert np.abs(pixels[row, column] - expected).max() < 12, (side, other)


def test_broken_exif_counts_as_upright_and_no_warning_leaks() -> None:
    source = smooth_image(16, 16)
    broken = b"Exif\0\0II*\0\x08\0\0\0\x05\0\x12\x01\x03\0"
    data = encoded(Image.fromarray(source), "JPEG", exif=broken, quality=95)
    with pytest.warns(UserWarning, match="EXIF"):  # what Pillow says by itself
        Image.open(io.BytesIO(data)).getexif()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        before = list(warnings.filters)
        with ThreadPool(8) as pool:
            results = pool.map(lambda _: decode_image(data, "a"), range(100))
        assert warnings.filters == before
    assert all(np.abs(pixels.astype(int) - source).mean() < 5 for pixels in results)


def test_the_decode_bomb_is_refused_before_pixels_are_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compressor = zlib.compressobj()
    row = bytes(1 + 20_000 // 8)
    idat = b"".join(compressor.compress(row) for _ in range(20_000)) + compressor.flush()
    bomb = b"\x89PNG\r\n\x1a\n" + ihdr(20_000, 20_000, 1, 0) + png_chunk(b"IDAT", idat) + png_chunk(b"IEND", b"")
    assert len(bomb) < 60_000
    (tmp_path / "bomb.png").write_bytes(bomb)

    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("Pillow was asked for pixels")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", never)
    with pytest.raises(ImageError, match=r"bomb\.png has 20000 x 20000 pixels, more than the 40,000,000"):
        read_image(tmp_path / "bomb.png")


def test_two_sizes_in_one_file_are_refused_before_pixels_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow believes the second IHDR, and so does the budget."""
    rows = bytes((1 + 30) * 10)
    data = b"\x89PNG\r\n\x1a\n" + ihdr(10, 10, 8, 2) + ihdr(7000, 7000, 8, 2)
    data += png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b"")
    loads: list[int] = []
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda self: loads.append(1))
    with pytest.raises(ImageError, match="has 7000 x 7000 pixels, more than the 40,000,000"):
        decode_image(data, "liar.png")
    assert not loads


def test_the_budget_is_inclusive() -> None:
    data = encoded(Image.fromarray(smooth_image(10, 20)), "PNG")
    assert decode_image(data, "a", pixel_budget=200).shape == (10, 20, 3)
    with pytest.raises(ImageError, match="10 x 20|20 x 10"):
        decode_image(data, "a", pixel_budget=199)
    assert PIXEL_BUDGET == 40_000_000


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (encoded(SMALL, "GIF"), "is a GIF file, which is refused"),
        (encoded(SMALL, "TIFF"), "is a TIFF file, which is refused"),
        (b"\0\0\0\x18ftypisom" + bytes(50), "is an AVIF or video file, which is refused"),
        (encoded(SMALL, "PPM"), "is not an image that is known here"),
        (b"", "is empty"),
        (b"hello, I am a text\n" * 9, "is not an image that is known here"),
        (b"P5ychology", "is not an image that is known here"),
        (b"BMW builds cars, not pictures.", "has a damaged BMP header"),
        (b"\xff\xd8\xff", "has a damaged JPEG header"),
        (b"\x89PNG\r\n\x1a\n", "has a damaged PNG header"),
        (b"BM", "has a damaged BMP header"),
        (b"RIFF\0\0\0\0WEBP", "has a damaged WebP header"),
        (b"RIFF\0\0\0\0WEBPVP8X", "has a damaged WebP header"),
        (b"P5 12 # no end", "has a damaged PGM header"),
        (b"P5 -1 2 255\n", "has a damaged PGM header"),
        (b"P5 0 2 255\n", "has a damaged PGM header, or one without pixels"),
        (b"P5 " + b"9" * 5000 + b" 2 255\n", "has a damaged PGM header"),
        (b"P5 9999999999 9999999999 255\n", "more than the"),
        (b"\x89PNG\r\n\x1a\n" + ihdr(0, 5, 8, 2), "has a damaged PNG header, or one without pixels"),
    ],
)
def test_everything_else_is_refused_by_name(data: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(data)
    with pytest.raises(ImageError) as caught:
        read_image(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert words in message
    assert message.endswith(".")
    assert "\n" not in message
    assert isinstance(caught.value, UserError)


def test_unreadable_paths_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"nothing\.png is missing\.$"):
        read_image(tmp_path / "nothing.png")
    with pytest.raises(ImageError, match=r"cannot be read: Is a directory\.$"):
        read_image(tmp_path)
    with pytest.raises(ImageError, match="cannot be read"):
        read_image("nul\0byte.png")


@pytest.mark.parametrize("image_format", PILLOW_NAMES)
def test_truncated_files_are_refused(image_format: str) -> None:
    data = one_of_each()[image_format]
    tail = 4  # a BMP may lose the padding after its last pixel
    for kept in (len(data) // 4, len(data) // 2, len(data) * 9 // 10, len(data) - tail):
        with pytest.raises(ImageError, match="^cut.img "):
            decode_image(data[:kept], "cut.img")


def flip(data: bytearray, random: np.random.Generator) -> None:
    end = len(data) if random.random() < 0.5 else min(len(data), 64)  # headers are worth half of the tries
    for _ in range(int(random.integers(1, 5))):
        data[int(random.integers(end))] ^= 1 << int(random.integers(8))


def cut(data: bytearray, random: np.random.Generator) -> None:
    first, last = sorted(int(value) for value in random.integers(0, len(data), 2))
    del data[first : last if random.random() < 0.5 else None]


def insert(data: bytearray, random: np.random.Generator) -> None:
    at = int(random.integers(len(data)))
    data[at:at] = random.bytes(int(random.integers(1, 20)))


@pytest.mark.parametrize("image_format", PILLOW_NAMES)
def test_mutated_bytes_decode_or_raise_image_error(image_format: str) -> None:
    random = np.random.default_rng(7)
    budget = 100_000
    source = one_of_each()[image_format]
    mutations: list[Callable[[bytearray, np.random.Generator], None]] = [flip, cut, insert, flip]
    decoded = refused = 0
    for case in range(400):
        data = bytearray(source)
        mutations[case % len(mutations)](data, random)
        try:
            pixels = decode_image(bytes(data), "mutant", budget)
        except ImageError:
            refused += 1
            continue
        decoded += 1
        assert pixels.dtype == np.uint8
        assert pixels.shape[2:] == (3,)
        assert 0 < pixels.shape[0] * pixels.shape[1] <= budget
    assert decoded >= 5  # PNG, with its checksums, forgives least
    assert refused > 100


def test_read_image_and_suffixes(tmp_path: Path) -> None:
    for data, suffix in zip(one_of_each().values(), (".jfif", ".png", ".bmp", ".webp", ".pgm"), strict=True):
        assert suffix in IMAGE_SUFFIXES
        (tmp_path / f"a{suffix}").write_bytes(data)
        np.testing.assert_array_equal(read_image(tmp_path / f"a{suffix}"), decode_image(data, "a"))
        assert read_image(str(tmp_path / f"a{suffix}")).shape == (21, 34, 3)


def test_other_names_of_jpeg_and_of_heic_are_images() -> None:
    assert {".jfif", ".jpe", ".heic", ".heif"} < set(IMAGE_SUFFIXES)


HEIC_START = b"\0\0\0\x18ftypheic" + bytes(50)


def test_heic_without_its_reader_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(
        ImageError, match=r"^a\.heic is a HEIC file; pip install 'lrfr-tf\[heic\]' brings what reads it\.$"
    ):
        decode_image(HEIC_START, "a.heic")


def test_heic_is_read_upright_and_within_its_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    heif = pytest.importorskip("pillow_heif")
    source = smooth_image(64, 96)
    stored = Image.fromarray(np.rot90(source))
    exif = Image.Exif()
    exif[0x0112] = 6  # turned to the right when it is shown
    buffer = io.BytesIO()
    heif.from_pillow(stored).save(buffer, quality=95, exif=exif.tobytes())
    assert read_header(buffer.getvalue(), "a").format == "HEIC"
    pixels = decode_image(buffer.getvalue(), "a")
    assert pixels.shape == source.shape
    assert np.abs(pixels.astype(int) - source).mean() < 5
    for kept in (12, 40, len(buffer.getvalue()) // 2):
        with pytest.raises(ImageError, match="^cut.heic "):
            decode_image(buffer.getvalue()[:kept], "cut.heic")
    monkeypatch.setitem(SMALLER_BUDGETS, "HEIC", (100, " in a HEIC file"))
    with pytest.raises(ImageError, match=r"more than the 100 that are allowed in a HEIC file\.$"):
        decode_image(buffer.getvalue(), "a")


def test_write_png_round_trip(tmp_path: Path, portrait: np.ndarray) -> None:
    path = tmp_path / "new" / "portrait.png"
    write_png(path, portrait[:100, :90])
    with Image.open(path) as image:
        assert image.format == "PNG"
        np.testing.assert_array_equal(np.asarray(image), portrait[:100, :90])
    np.testing.assert_array_equal(read_image(path), portrait[:100, :90])
    write_png(path, portrait[:100, :90][:, ::-1])  # not contiguous, and over an older file
    np.testing.assert_array_equal(read_image(path), portrait[:100, :90][:, ::-1])


def test_write_png_is_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    write_png(path, smooth_image(4, 4))
    before = path.read_bytes()

    def full_disk(self: Image.Image, target: Path, **_: Any) -> None:
        Path(target).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full_disk)
    with pytest.raises(UserError, match=r"a\.png cannot be written: No space left on device\.$"):
        write_png(path, smooth_image(8, 8))
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["a.png"]


def test_write_png_refuses_other_arrays(tmp_path: Path) -> None:
    for array in (np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32), np.zeros((0, 4, 3), np.uint8)):
        with pytest.raises(ValueError, match="an image is uint8"):
            write_png(tmp_path / "a.png", array)
    assert os.listdir(tmp_path) == []
