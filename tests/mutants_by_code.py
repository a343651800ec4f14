"""Damaged and hostile image files, made by code from a seed; and a process that decodes them.

`python -m tests.mutants_by_code DECODER SEED COUNT` decodes COUNT of them with "pillow" (`decode_image`) or "graph"
(`decode_in_graph`), prints a number before each, and at the end one line of JSON.
"""

import io
import json
import struct
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
# Declared sizes: none, small ones, just within the budgets of both decoders, just above, and far above.
SIDES = (0, 1, 2, 15, 64, 65, 300, 2000, 65_535, 65_536, 2**31 - 1, 2**31, 2**32 - 1)
LARGE = ((2000, 2000), (4898, 4899), (4242, 4243), (6324, 6324), (6325, 6325), (60_000, 60_000), (65_535, 610))
SHARE_OF_LARGE = 0.01  # decoding forty million pixels takes most of a second


def picture(mode: str = "RGB", height: int = 48, width: int = 61) -> Image.Image:
    rows, columns = np.mgrid[0:height, 0:width]
    planes = [128 + 100 * np.sin((rows * (k + 1) + columns * 2) / 9 + k) for k in range(4)]
    colors = Image.fromarray(np.stack(planes, axis=-1).astype(np.uint8), "RGBA")
    return colors if mode == "RGBA" else colors.convert("RGB").convert(mode)


def file_of(image: Image.Image, image_format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


def sources() -> list[tuple[str, bytes]]:
    """Good files of every kind that is read: (format, bytes)."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "made by code"
    icc = bytes(range(256)) * 2
    frames = {"save_all": True, "append_images": [picture().rotate(90), picture().rotate(180)]}
    wide = Image.fromarray((np.arange(48 * 61, dtype=np.uint16) * 20).reshape(48, 61))
    made: list[tuple[str, Image.Image, dict[str, Any]]] = [
        ("JPEG", picture(), {}),
        ("JPEG", picture(), {"progressive": True, "exif": exif}),
        ("JPEG", picture(), {"subsampling": 0, "icc_profile": icc, "restart_marker_rows": 1}),
        ("JPEG", picture("L"), {"comment": b"\xff\xc0\x00\x11\x08\x00\x01\x00\x01"}),
        ("JPEG", picture("CMYK"), {"exif": exif}),
        ("PNG", picture(), {"exif": exif, "icc_profile": icc}),
        ("PNG", picture("RGBA"), {}),
        ("PNG", picture("P"), {"transparency": 3}),
        ("PNG", picture("1"), {}),
        ("PNG", wide, {}),
        ("PNG", picture(), frames),
        ("BMP", picture(), {}),
        ("BMP", picture("P"), {}),
        ("BMP", picture("RGBA"), {}),
        ("BMP", picture("1"), {}),
        ("WEBP", picture(), {"exif": exif}),
        ("WEBP", picture("RGBA"), {"lossless": True, "icc_profile": icc}),
        ("WEBP", picture(), frames),
    ]
    return [(image_format, file_of(image, image_format, **options)) for image_format, image, options in made]


def mutant(files: list[tuple[str, bytes]], seed: int, number: int) -> bytes:
    """The mutant of this number: the same bytes for the same files, seed and number."""
    random = np.random.default_rng([seed, number])
    image_format, data = files[number % len(files)]
    kinds: tuple[Callable[..., bytes], ...] = (_flipped, _cut, _inserted, _repeated, _in_parts, _in_parts, _resized)
    data = kinds[int(random.integers(len(kinds)))](data, image_format, random)
    if random.random() < 0.3:
        data = kinds[int(random.integers(4))](data, image_format, random)
    if random.random() < 0.03:
        data = _polyglot(data, files, random)
    return data


def _place(data: bytes, random: np.random.Generator) -> int:
    """A place in the file, half of the time in its head."""
    return int(random.integers(max(1, len(data) if random.random() < 0.5 else min(len(data), 64))))


def _flipped(data: bytes, image_format: str, random: np.random.Generator) -> bytes:
    flipped = bytearray(data)
    for _ in range(int(random.integers(1, 5))):
        if flipped:
            flipped[_place(data, random)] ^= 1 << int(random.integers(8))
    return bytes(flipped)


def _cut(data: bytes, image_format: str, random: np.random.Generator) -> bytes:
    first, last = sorted((_place(data, random), int(random.integers(len(data) + 1))))
    return data[:first] + (data[last:] if random.random() < 0.5 else b"")


def _inserted(data: bytes, image_format: str, random: np.random.Generator) -> bytes:
    at = _place(data, random)
    return data[:at] + random.bytes(int(random.integers(1, 200))) + data[at:]


def _repeated(data: bytes, image_format: str, random: np.random.Generator) -> bytes:
    first, last = sorted((_place(data, random), _place(data, random)))
    return data[:last] + data[first:last] * int(random.choice([1, 2, 50])) + data[last:]


def _resized(data: bytes, image_format: str, random: np.random.Generator) -> bytes:
    """Says another size in the right place, in one header or in all."""
    if random.random() < SHARE_OF_LARGE * 7:  # of all mutants a seventh come here
        width, height = LARGE[int(random.integers(len(LARGE)))]
    else:
        width, height = (int(random.choice(SIDES[:8] if random.random() < 0.6 else SIDES)) for _ in range(2))
    changed = bytearray(data)
    if image_format == "PNG":
        changed[16:24] = struct.pack(">II", width, height)
        changed[29:33] = struct.pack(">I", zlib.crc32(changed[12:29]))
    elif image_format == "BMP":
        changed[18:26] = struct.pack("<II", width, height if random.random() < 0.7 else -height & 0xFFFFFFFF)
    elif image_format == "JPEG":
        frames = [at for at in range(len(data) - 9) if data[at] == 0xFF and data[at + 1] in (0xC0, 0xC1, 0xC2)]
        at = int(random.choice(frames))
        changed[at + 5 : at + 9] = struct.pack(">HH", height & 0xFFFF, width & 0xFFFF)
    elif data[12:16] == b"VP8X":
        changed[24:30] = struct.pack("<I", width - 1 & 0xFFFFFF)[:3] + struct.pack("<I", height - 1 & 0xFFFFFF)[:3]
    else:
        changed[26:30] = struct.pack("<HH", width & 0xFFFF, height & 0xFFFF)
    return bytes(changed)


def _in_parts(data: bytes, image_format: str, random: np.random.Generator) -> bytes:
    """Works on the file's parts (segments, chunks): swaps, repeats, drops, fills or renames one; checksums fit."""
    head, parts = _split(data, image_format)
    if len(parts) < 2:
        return _flipped(data, image_format, random)
    first, second = (int(value) for value in random.integers(len(parts), size=2))
    kind, body = parts[first]
    action = int(random.integers(7))
    if action == 0:
        parts[first], parts[second] = parts[second], parts[first]
    elif action == 1:
        parts[second:second] = [parts[first]] * int(random.choice([1, 2, 300]))
    elif action == 2:
        del parts[first]
    elif action == 3:
        parts[first] = (kind, _flipped(body, image_format, random))
    elif action == 4:
        parts[first] = (parts[second][0], body)
    elif action == 5:
        parts[first] = (kind, random.bytes(int(random.integers(0, 300))))
    else:
        parts.insert(1, _garbage(image_format, random))
    return _joined(head, parts, image_format)


def _split(data: bytes, image_format: str) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """Head and (kind, body) of each part; of a BMP the fields of its header are the parts."""
    parts: list[tuple[bytes, bytes]] = []
    if image_format == "PNG":
        at = len(PNG_MAGIC)
        while at + 12 <= len(data):
            (length,) = struct.unpack_from(">I", data, at)
            parts.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
            at += length + 12
        return PNG_MAGIC, parts
    if image_format == "WEBP":
        at = 12
        while at + 8 <= len(data):
            (length,) = struct.unpack_from("<I", data, at + 4)
            parts.append((data[at : at + 4], data[at + 8 : at + 8 + length]))
            at += 8 + length + length % 2
        return b"", parts
    if image_format == "JPEG":
        at = 2
        while data[at + 1] != 0xDA:
            (length,) = struct.unpack_from(">H", data, at + 2)
            parts.append((data[at : at + 2], data[at + 4 : at + 2 + length]))
            at += 2 + length
        return data[:2], [*parts, (b"", data[at:])]
    fields = [data[at : at + 4] for at in range(2, 54, 4)]
    return data[:2], [(b"", field) for field in fields] + [(b"", data[54:])]


def _joined(head: bytes, parts: list[tuple[bytes, bytes]], image_format: str) -> bytes:
    if image_format == "PNG":
        return head + b"".join(
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
            for kind, body in parts
        )
    if image_format == "WEBP":
        chunks = b"".join(kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2) for kind, body in parts)
        return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WEBP" + chunks
    if image_format == "JPEG":
        return head + b"".join(
            kind + struct.pack(">H", min(len(body) + 2, 65_535)) + body if kind else body for kind, body in parts
        )
    return head + b"".join(body for _, body in parts)


def _garbage(image_format: str, random: np.random.Generator) -> tuple[bytes, bytes]:
    """A part that holds EXIF data, a color profile, text or an animation, and lies."""
    noise = random.bytes(int(random.integers(0, 400)))
    exif = b"II*\0\x08\0\0\0" + struct.pack("<H", int(random.integers(0, 65_536))) + noise
    bomb = zlib.compress(bytes(20_000_000), 1)  # 20 MB out of some kilobytes
    choices = {
        "PNG": [
            (b"eXIf", exif),
            (b"iCCP", b"icc\0\0" + (noise if random.random() < 0.8 else bomb)),
            (b"zTXt", b"text\0\0" + (noise if random.random() < 0.8 else bomb)),
            (b"iTXt", b"text\0\1\0\0\0" + noise),
            (b"tRNS", noise),
            (b"PLTE", noise),
            (b"acTL", struct.pack(">II", int(random.integers(0, 2**32)), 0)),
            (b"fcTL", random.bytes(26)),
            (b"fdAT", noise),
            (b"IHDR", struct.pack(">IIBBBBB", 6000, 6000, 8, 2, 0, 0, 0)),
        ],
        "JPEG": [
            (b"\xff\xe1", b"Exif\0\0" + exif),
            (b"\xff\xe1", b"http://ns.adobe.com/xap/1.0/\0" + noise),
            (b"\xff\xe2", b"ICC_PROFILE\0\x01\xff" + noise),
            (b"\xff\xe2", b"MPF\0" + exif),
            (b"\xff\xed", b"Photoshop 3.0\x008BIM" + noise),
            (b"\xff\xee", b"Adobe" + noise),
            (b"\xff\xdd", struct.pack(">H", int(random.integers(0, 65_536)))),
            (b"\xff\xc4", noise),
            (b"\xff\xdb", noise),
            (b"\xff\xc2", struct.pack(">BHHB", 8, 6000, 6000, 3) + bytes([1, 0x44, 0, 2, 0x11, 0, 3, 0x11, 0])),
        ],
        "WEBP": [
            (b"EXIF", exif),
            (b"ICCP", noise),
            (b"XMP ", noise),
            (b"ALPH", noise),
            (b"ANIM", random.bytes(6)),
            (b"ANMF", bytes(12) + random.bytes(4) + noise),
            (b"VP8X", b"\x12\0\0\0" + b"\x6f\x17\0" * 2),
        ],
    }
    options = choices.get(image_format, [(b"", noise)])
    return options[int(random.integers(len(options)))]


def _polyglot(data: bytes, files: list[tuple[str, bytes]], random: np.random.Generator) -> bytes:
    """Two formats in one file, or the head of one on the body of another."""
    gif = file_of(picture("P"), "GIF")
    other = [gif, files[int(random.integers(len(files)))][1]][int(random.integers(2))]
    action = int(random.integers(4))
    if action == 0:
        return data + other
    if action == 1:
        return other + data
    head = int(random.integers(2, 40))
    return other[:head] + data[head:] if action == 2 else data[:head] + other[head:]


def _memory(field: str) -> float:
    """Of this process, in MB (10^6 bytes)."""
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) * 1024 / 1e6 for line in file if line.startswith(field + ":"))


def _decoder(name: str) -> tuple[Callable[[bytes], np.ndarray], type[Exception], int]:
    """A function from bytes to pixels, the one error that it may raise, and its budget."""
    if name == "pillow":
        from lrfr_tf.images.decode import PIXEL_BUDGET, ImageError, decode_image

        return lambda data: decode_image(data, "mutant"), ImageError, PIXEL_BUDGET
    import tensorflow as tf

    from lrfr_tf.images.decode_in_graph import decode_in_graph
    from lrfr_tf.images.limits import PIXEL_BUDGET_IN_GRAPH

    function = tf.function(decode_in_graph, input_signature=[tf.TensorSpec((), tf.string)])
    return lambda data: function(data).numpy(), tf.errors.InvalidArgumentError, PIXEL_BUDGET_IN_GRAPH


def decode_all(name: str, seed: int, count: int) -> dict[str, Any]:
    """Decodes `count` mutants and says what came of them; "wrong" lists those that did what none may."""
    decode, refusal, budget = _decoder(name)
    files = sources()
    for _, data in files:  # warm
        try:
            decode(data)
        except refusal:
            assert name == "graph", "a good file is refused"
    before = _memory("VmRSS")
    answers: Counter[str] = Counter()
    wrong, slowest, started = [], (0.0, -1), time.process_time()
    for number in range(count):
        print(number, flush=True)
        data = mutant(files, seed, number)
        start = time.process_time()
        try:
            pixels = decode(data)
            answers["decoded"] += 1
            good = pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] == 3
            if not good or not 0 < pixels.shape[0] * pixels.shape[1] <= budget:
                wrong.append([number, f"{pixels.dtype} {pixels.shape}"])
            del pixels
        except refusal as error:
            answers["refused"] += 1
            if len(str(error)) < 10:
                wrong.append([number, f"no message: {error!r}"])
        except Exception as error:
            wrong.append([number, f"{type(error).__name__}: {error}"])
        slowest = max(slowest, (time.process_time() - start, number))
    return {
        **answers,
        "wrong": wrong[:20],
        "peak_growth": _memory("VmHWM") - before,
        "growth": _memory("VmRSS") - before,
        "slowest": slowest,
        "cpu_seconds": time.process_time() - started,
    }


if __name__ == "__main__":
    print(json.dumps(decode_all(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
