"""Decoding inside a graph: Pillow's pixels for files of every kind, a refusal before decoding for all others."""

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from lrfr_tf.images.decode import decode_image
from lrfr_tf.images.decode_in_graph import decode_and_resize, decode_in_graph
from lrfr_tf.images.resize import resize


@pytest.fixture(scope="module")
def decode() -> Any:
    return tf.function(decode_in_graph, input_signature=[tf.TensorSpec((), tf.string)])


def encoded(image: Image.Image, image_format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def photo(portrait: np.ndarray) -> Image.Image:
    """Odd sides, so that rows are padded in BMP and blocks are cut in JPEG."""
    return Image.fromarray(portrait[10:147, 160:289])


@pytest.mark.parametrize("size", [(129, 137), (1, 1), (3, 50)])
@pytest.mark.parametrize(
    ("image_format", "mode", "options"),
    [
        ("JPEG", "RGB", {}),
        ("JPEG", "RGB", {"quality": 40, "progressive": True}),
        ("JPEG", "RGB", {"subsampling": 0, "icc_profile": bytes(100_000)}),
        ("JPEG", "L", {}),
        ("PNG", "1", {}),
        ("PNG", "L", {}),
        ("PNG", "LA", {}),
        ("PNG", "P", {}),
        ("PNG", "RGB", {}),
        ("PNG", "RGBA", {}),
        ("BMP", "L", {}),
        ("BMP", "P", {}),
        ("BMP", "RGB", {}),
        ("BMP", "RGBA", {}),
    ],
)
def test_pixels_are_pillows(
    decode: Any, photo: Image.Image, image_format: str, mode: str, options: dict[str, Any], size: tuple[int, int]
) -> None:
    image = photo.resize(size)
    if mode in ("LA", "RGBA"):
        image.putalpha(Image.linear_gradient("L").resize(size))
    data = encoded(image.convert(mode), image_format, **options)
    with Image.open(io.BytesIO(data)) as opened:
        expected = np.asarray(opened.convert("RGB"))
    assert np.array_equal(decode(data).numpy(), expected)


def bmp(bits: int, compression: int, pixels: bytes, between: bytes = b"", height: int = 2, colors: int = 0) -> bytes:
    """A BMP file of 2 x 2 pixels by hand."""
    start = 54 + len(between)
    head = struct.pack("<IiiHHIIiiII", 40, 2, height, 1, bits, compression, len(pixels), 0, 0, colors, 0)
    return b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start) + head + between + pixels


def test_bmp_kinds_by_hand(decode: Any) -> None:
    colors = np.array([[[1, 2, 3], [4, 5, 6]], [[7, 8, 9], [10, 11, 12]]], np.uint8)
    quads = np.concatenate([colors[..., ::-1], np.full((2, 2, 1), 99, np.uint8)], axis=-1)
    masks = struct.pack("<III", 0xFF0000, 0xFF00, 0xFF)
    bottom_up, top_down = quads[::-1].tobytes(), quads.tobytes()
    palette = quads.reshape(4, 4).tobytes()
    for data in (
        bmp(32, 0, bottom_up),
        bmp(32, 0, top_down, height=-2),
        bmp(32, 3, bottom_up, masks),
        bmp(8, 0, bytes([2, 3, 0, 0, 0, 1, 0, 0]), palette, colors=4),
        bmp(8, 0, bytes([2, 3, 0, 0, 0, 1, 0, 0]), palette + bytes(252 * 4)),
    ):
        assert np.array_equal(decode(data).numpy(), colors)
        assert np.array_equal(decode_image(data, "a"), colors)


def test_16_bits_keep_the_high_byte(decode: Any) -> None:
    values = np.array([[0, 255, 256, 0x1234], [0x7FFF, 0x8000, 0xFEFF, 0xFFFF]], np.uint16)
    data = encoded(Image.fromarray(values), "PNG")
    assert np.array_equal(decode(data).numpy(), decode_image(data, "a"))
    assert decode(data).numpy()[..., 1].tolist() == (values >> 8).tolist()


def png_of(width: int, height: int) -> bytes:
    """A PNG of some bytes that says it has so many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(9))) + chunk(b"IEND", b"")


def jpeg_of(width: int, height: int) -> bytes:
    data = encoded(Image.new("RGB", (8, 8)), "JPEG")
    place = data.index(b"\xff\xc0") + 5
    return data[:place] + struct.pack(">HH", height, width) + data[place + 4 :]


SMALL = Image.new("RGB", (20, 20), "orange")
OVER = "An image is refused: it has"
REFUSALS = {
    "empty": (b"", "not a JPEG, PNG or BMP file"),
    "one byte": (b"\xff", "not a JPEG, PNG or BMP file"),
    "text": (b"hello, world", "not a JPEG, PNG or BMP file"),
    "GIF": (encoded(SMALL, "GIF"), "not a JPEG, PNG or BMP file"),
    "WebP": (encoded(SMALL, "WEBP"), "not a JPEG, PNG or BMP file"),
    "TIFF": (encoded(SMALL, "TIFF"), "not a JPEG, PNG or BMP file"),
    "PNG without its header chunk": (b"\x89PNG\r\n\x1a\n" + bytes(50), "not a JPEG, PNG or BMP file"),
    "PNG over the budget": (png_of(2001, 2000), OVER),
    "PNG of 3 billion pixels": (png_of(60_000, 50_000), OVER),
    "PNG whose sides overflow": (png_of(2**32 - 1, 2**32 - 1), OVER),
    "PNG of one long row": (png_of(65_536, 1), OVER),
    "PNG without pixels": (png_of(0, 5), OVER),
    "JPEG over the budget": (jpeg_of(65_500, 65_500), OVER),
    "BMP over the budget": (b"BM" + bytes(12) + struct.pack("<IiiHHI", 40, 5000, -5000, 1, 24, 0) + bytes(40), OVER),
    "BMP of the lowest height": (
        b"BM" + bytes(12) + struct.pack("<IiiHHI", 40, 1, -(2**31), 1, 24, 0) + bytes(40),
        OVER,
    ),
    "BMP of 1 bit": (encoded(SMALL.convert("1"), "BMP"), "A BMP file is refused"),
    "BMP with runs": (bmp(8, 1, bytes(8), bytes(1024)), "A BMP file is refused"),
    "BMP with other masks": (bmp(32, 3, bytes(16), struct.pack("<III", 1, 2, 4)), "A BMP file is refused"),
    "BMP of OS/2": (b"BM" + bytes(12) + struct.pack("<IHHHH", 12, 2, 2, 1, 24) + bytes(60), "A BMP file is refused"),
    "BMP with a short palette": (bmp(8, 0, bytes([9] * 8), bytes(16), colors=4), ""),
    "truncated JPEG": (encoded(SMALL, "JPEG")[:-100], ""),
    "truncated PNG": (encoded(SMALL, "PNG")[:-20], ""),
    "truncated BMP": (encoded(SMALL, "BMP")[:-20], ""),
    "cut in the header": (encoded(SMALL, "PNG")[:20], OVER),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_other_bytes_are_refused(decode: Any, kind: str) -> None:
    data, words = REFUSALS[kind]
    with pytest.raises(tf.errors.InvalidArgumentError, match=words or None):
        decode(data)


def test_a_batch_is_resized_like_pillow(photo: Image.Image) -> None:
    function = tf.function(
        lambda data: decode_and_resize(data, 16, 12), input_signature=[tf.TensorSpec((None,), tf.string)]
    )
    images = [photo, photo.resize((16, 16)), photo.resize((1, 5000)), photo.convert("L")]
    files = [encoded(image, "PNG") for image in images]
    expected = np.stack([resize(np.asarray(image.convert("RGB")), 16, 12) for image in images])
    assert np.array_equal(function(np.array(files, object)).numpy(), expected)
    assert function(np.array([], object)).shape == (0, 16, 12, 3)
    with pytest.raises(tf.errors.InvalidArgumentError):
        function(np.array([*files, b"GIF89a"], object))
