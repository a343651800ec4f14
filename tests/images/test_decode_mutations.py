"""Decoding against damaged and hostile files, in a process of its own: RGB within the budget or our one error."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from lrfr_tf.images import decode
from lrfr_tf.images.decode import MANY_SCANS_PIXEL_BUDGET, WEBP_PIXEL_BUDGET, ImageError, decode_image
from lrfr_tf.images.decode_in_graph import decode_in_graph
from tests.mutants_by_code import file_of, mutant, picture, sources

ROOT = Path(__file__).parents[2]
LARGEST_GROWTH = 300  # MB


def run_apart(*arguments: str) -> dict[str, Any]:
    """Runs the decoding process; a crash of it is a failure that names the mutant."""
    command = [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", "-X", "faulthandler"]
    # With another backend than TensorFlow's, TensorFlow is imported only where it is used.
    environment = {**os.environ, "KERAS_BACKEND": "numpy" if arguments[0] == "pillow" else "tensorflow"}
    done = subprocess.run(
        [*command, "-m", "tests.mutants_by_code", *arguments],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=1500, check=False,
    )  # fmt: skip
    *numbers, last = done.stdout.splitlines() or [""]
    assert done.returncode == 0, f"ended with {done.returncode} at mutant {last} of {arguments}: {done.stderr[-2000:]}"
    assert len(numbers) == int(arguments[2])
    return json.loads(last)


def check(result: dict[str, Any], count: int) -> None:
    assert result["wrong"] == []
    assert result["decoded"] + result["refused"] == count
    assert result["decoded"] > count // 10  # the mutants get past the headers
    assert result["refused"] > count // 3
    assert result["peak_growth"] <= LARGEST_GROWTH, result


@pytest.mark.parametrize("decoder", ["pillow", "graph"])
def test_a_thousand_mutants(decoder: str) -> None:
    check(run_apart(decoder, "7", "1000"), 1000)


@pytest.mark.slow
@pytest.mark.parametrize("seed", ["1", "2"])
@pytest.mark.parametrize("decoder", ["pillow", "graph"])
def test_five_thousand_mutants(decoder: str, seed: str) -> None:
    check(run_apart(decoder, seed, "5000"), 5000)


def test_mutants_are_many_and_come_back() -> None:
    files = sources()
    first = [mutant(files, 3, number) for number in range(200)]
    assert first == [mutant(files, 3, number) for number in range(200)]
    assert len(set(first)) > 190
    assert len(set(first) & {mutant(files, 4, number) for number in range(200)}) < 10
    assert len(set(first) & {data for _, data in files}) < 10


LARGE: dict[str, tuple[str, str, tuple[int, int], dict[str, Any]]] = {
    "JPEG": ("JPEG", "RGB", (6324, 6324), {"subsampling": 0}),
    "JPEG of many scans": ("JPEG", "CMYK", (4898, 4899), {"progressive": True}),
    "PNG": ("PNG", "RGBA", (6324, 6324), {}),
    "BMP": ("BMP", "L", (6324, 6324), {}),
    "WebP": ("WEBP", "RGBA", (4242, 4243), {"lossless": True, "method": 0}),
    "HEIC": ("HEIF", "RGB", (4898, 4899), {"quality": 30}),
    "animated WebP": ("WEBP", "RGB", (4242, 4243), {"save_all": True, "append_images": [1], "method": 0}),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", LARGE)
def test_the_largest_that_is_allowed_needs_bounded_memory(kind: str, tmp_path: Path) -> None:
    image_format, mode, size, options = LARGE[kind]
    if kind == "HEIC":
        pytest.importorskip("pillow_heif").register_heif_opener()
    if "append_images" in options:
        options = {**options, "append_images": [Image.new(mode, size, "red")]}
    path = tmp_path / "large"
    path.write_bytes(file_of(Image.new(mode, size), image_format, **options))
    script = (
        "import sys\nfrom tests.mutants_by_code import _decoder, _memory, file_of, picture\n"
        "decode = _decoder('pillow')[0]\ndata = open(sys.argv[1], 'rb').read()\ndecode(file_of(picture(), 'PNG'))\n"
        "before = _memory('VmRSS')\nprint(*decode(data).shape[:2], _memory('VmHWM') - before)"
    )
    environment = {**os.environ, "KERAS_BACKEND": "numpy"}
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    height, width, growth = done.stdout.split()
    assert (int(width), int(height)) == size
    assert float(growth) <= LARGEST_GROWTH


def with_size(data: bytes, width: int, height: int) -> bytes:
    """A JPEG or simple WebP that says another size."""
    changed = bytearray(data)
    if data[:2] == b"\xff\xd8":
        at = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2"))
        changed[at + 5 : at + 9] = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    else:
        changed[26:30] = width.to_bytes(2, "little") + height.to_bytes(2, "little")
    return bytes(changed)


def test_kinds_that_need_more_memory_have_less_of_a_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def loaded(*_: Any, **__: Any) -> None:
        asked.append("Pillow")
        raise ValueError("not today")

    plain, progressive = file_of(picture(), "JPEG"), file_of(picture(), "JPEG", progressive=True)
    webp = file_of(picture(), "WEBP")
    at = plain.index(b"\xff\xda")
    several = plain[: at + 4] + b"\x01" + plain[at + 5 :]  # the first scan says that it holds one component of three
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", loaded)
    monkeypatch.setattr("PIL.WebPImagePlugin.WebPImageFile.load", loaded)
    for data, side, budget, words in (
        (progressive, 4899, MANY_SCANS_PIXEL_BUDGET, " in a JPEG file of several scans"),
        (several, 4899, MANY_SCANS_PIXEL_BUDGET, " in a JPEG file of several scans"),
        (webp, 4243, WEBP_PIXEL_BUDGET, " in a WebP file"),
        (plain, 6325, 40_000_000, ""),
    ):
        with pytest.raises(ImageError) as refused:
            decode_image(with_size(data, side, side), "large")
        assert str(refused.value) == (
            f"large has {side} x {side} pixels, more than the {budget:,} that are allowed{words}."
        )
        assert not asked
        with pytest.raises(ImageError, match="not today"):
            decode_image(with_size(data, side, side - 1), "large")
        asked.clear()
        with pytest.raises(ImageError, match=r"more than the 1,000 that are allowed\.$"):
            decode_image(with_size(data, 40, 40), "large", pixel_budget=1000)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_strips_make_the_whole_picture(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if mode == "I;16":
        image = Image.fromarray((np.arange(48 * 61, dtype=np.uint16) * 20).reshape(48, 61))
    else:
        image = picture("RGBA").convert("RGB").convert(mode)
    options = {"quality": 95} if mode == "CMYK" else {"transparency": 0} if mode in ("P", "RGB") else {}
    if mode == "RGB":
        options = {"transparency": image.getpixel((3, 3))}
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        data = file_of(image, "JPEG" if mode == "CMYK" else "PNG", exif=exif, **options)
        with Image.open(io.BytesIO(data)) as opened:
            pixels = np.asarray(opened.convert("RGB"))
            if mode == "I;16":
                pixels = np.repeat((np.asarray(opened) >> 8).astype(np.uint8)[..., None], 3, axis=-1)
        turned = Image.fromarray(pixels)
        method = {
            2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
            5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
            8: Image.Transpose.ROTATE_90,
        }.get(orientation)  # fmt: skip
        expected = np.asarray(turned if method is None else turned.transpose(method))
        for pixels_at_once in (1, 61 * 7, 2**18):
            monkeypatch.setattr(decode, "PIXELS_AT_ONCE", pixels_at_once)
            found = decode_image(data, "a")
            assert np.array_equal(found, expected)
            assert found.flags.c_contiguous
            assert found.flags.writeable


def test_a_refusal_in_the_graph_does_not_quote_the_file() -> None:
    """TensorFlow's own words about a short string hold its bytes; as no text they are no message for a client."""
    function = tf.function(decode_in_graph, input_signature=[tf.TensorSpec((), tf.string)])
    palette = file_of(picture("P"), "BMP")
    for length in (30, 40, 53):
        for _ in range(100):  # which complaint comes first was a matter of chance
            with pytest.raises(tf.errors.InvalidArgumentError, match="it is shorter or longer than its pixels"):
                function(palette[:2] + b"\xbe" * 8 + palette[10:length])
