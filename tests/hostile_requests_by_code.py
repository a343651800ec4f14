"""A process that sends hostile requests to every signature of exported models, and tells what came back.

`python -m tests.hostile_requests_by_code FOLDER...` prints one line of JSON before each request (so that a crash has a
name) and one after it.
"""

import json
import struct
import sys
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image

from lrfr_tf.silence import silence_tensorflow
from tests.mutants_by_code import PNG_MAGIC, file_of, picture

ANSWER, ERROR = "an answer", "an error"


def png_that_claims(width: int, height: int) -> bytes:
    """Some bytes that say they are a picture of this size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return PNG_MAGIC + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(9))) + chunk(b"IEND", b"")


def arrays_of_faces(side: int | None) -> Iterator[tuple[str, Any, str]]:
    """(what it is, the array, what must come back), for an input of pixels; `side` is its only size, None for any."""
    own = side or 32
    fits = ANSWER if side is None else ERROR
    noise = np.random.default_rng(0).integers(0, 256, (2, own, own, 3), dtype=np.uint8)
    yield "noise", noise, ANSWER
    yield "no faces", noise[:0], ANSWER
    yield "all black", np.zeros_like(noise), ANSWER
    yield "all white", np.full_like(noise, 255), ANSWER
    for height, width in ((1, 1), (1, 5000), (5000, 1), (2, 3)):
        yield f"{height} x {width}", np.full((1, height, width, 3), 77, np.uint8), fits
    yield "1 x 5000 black", np.zeros((2, 1, 5000, 3), np.uint8), fits
    yield "no faces of 9 x 7", np.zeros((0, 9, 7, 3), np.uint8), fits
    yield "no pixels", np.zeros((2, 0, 0, 3), np.uint8), ERROR
    yield "no rows", np.zeros((2, 0, own, 3), np.uint8), ERROR
    yield "grey", noise[..., :1], ERROR
    yield "four channels", np.concatenate([noise, noise[..., :1]], axis=-1), ERROR
    yield "channels first", noise.transpose(0, 3, 1, 2), ERROR
    yield "one face without a batch", noise[0], ERROR
    yield "five dimensions", noise[None], ERROR
    yield "a number", np.uint8(7), ERROR
    yield "a row of numbers", noise.ravel()[:9], ERROR
    yield "float32", noise.astype(np.float32), ERROR
    yield "NaN", np.full(noise.shape, np.nan, np.float32), ERROR
    yield "int32", noise.astype(np.int32), ERROR
    yield "bytes", np.array([b"\xff\xd8\xff", b"x"], object), ERROR
    yield "too long", np.zeros((1, 1, 70_000, 3), np.uint8), ERROR
    if side is None:
        yield "10,000 faces of 1 x 1", np.zeros((10_000, 1, 1, 3), np.uint8), ERROR
        yield "too many pixels in all", np.zeros((17, 2_000, 2_000, 3), np.uint8), ERROR


def arrays_of_files() -> Iterator[tuple[str, Any, str]]:
    """The same for an input of image files."""
    image = picture()
    good = file_of(image, "JPEG")
    yield "files", np.array([good, file_of(image, "PNG"), file_of(image, "BMP")], object), ANSWER
    yield "no files", np.array([], object), ANSWER
    for height, width in ((1, 1), (1, 5000), (5000, 1)):
        data = file_of(Image.new("RGB", (width, height)), "PNG")
        yield f"{height} x {width} black", np.array([data], object), ANSWER
    yield "grey", np.array([file_of(picture("L"), "JPEG"), file_of(picture("1"), "PNG")], object), ANSWER
    yield "alpha", np.array([file_of(picture("RGBA"), "PNG")], object), ANSWER
    hostile = {
        "empty": b"",
        "one byte": b"\xff",
        "text": b"hello, I am a text\n" * 9,
        "GIF": file_of(picture("P"), "GIF"),
        "WebP": file_of(image, "WEBP"),
        "cut JPEG": good[: len(good) // 2],
        "cut PNG": file_of(image, "PNG")[:-40],
        "cut BMP": file_of(image, "BMP")[:-40],
        "BMP cut in its header": file_of(picture("P"), "BMP")[:30],
        "60,000 x 60,000": png_that_claims(60_000, 60_000),
        "70,000 x 1": png_that_claims(70_000, 1),
        "over the budget": png_that_claims(2001, 2000),
    }
    for what, data in hostile.items():
        yield what, np.array([data], object), ERROR
    yield "a good one and a bad one", np.array([good, hostile["GIF"]], object), ERROR
    yield "a file without a batch", np.array(good, object), ERROR
    yield "a batch of batches", np.array([[good, good]], object), ERROR
    yield "pixels", np.zeros((2, 16, 16, 3), np.uint8), ERROR


def requests(signature: Any) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Every hostile request for a signature; where there are two inputs each has its turn beside a good one."""
    specs = signature.structured_input_signature[1]
    by_name = {}
    for name, spec in specs.items():
        by_name[name] = list(arrays_of_files() if spec.dtype.name == "string" else arrays_of_faces(spec.shape[1]))
    for name, arrays in by_name.items():
        for what, array, wanted in arrays:
            other_inputs = {other: others[0][1] for other, others in by_name.items() if other != name}
            if other_inputs and wanted is ANSWER:
                other_inputs = dict.fromkeys(other_inputs, array)
            yield f"{name}: {what}", {name: array, **other_inputs}, wanted
        if len(by_name) > 1:
            longer = {other: others[0][1] for other, others in by_name.items()}
            yield f"{name}: one less", {**longer, name: longer[name][:-1]}, ERROR
            yield f"{name}: none beside some", {**longer, name: longer[name][:0]}, ERROR


def complaint(outputs: dict[str, np.ndarray], count: int) -> str:
    """What is wrong with an answer to `count` faces, if anything."""
    for name, array in outputs.items():
        if len(array) != count:
            return f"{name} has {len(array)} rows for {count} faces"
        if array.dtype == object:
            if not all(isinstance(text, bytes) and text for text in array.ravel()):
                return f"{name} has no text somewhere"
        elif not np.isfinite(array).all():
            return f"{name} is not finite"
        if name == "embedding" and count and np.abs(np.linalg.norm(array, axis=1) - 1).max() > 1e-3:
            return f"{name} has not unit length"
        if name == "similarity" and count and np.abs(array).max() > 1.001:
            return f"{name} is no cosine"
    return ""


def try_model(folder: str) -> None:
    import tensorflow as tf

    signatures = tf.saved_model.load(folder).signatures
    for signature_name, signature in signatures.items():
        for what, inputs, wanted in requests(signature):
            request = {"model": folder, "signature": signature_name, "request": what, "wanted": wanted}
            print(json.dumps({**request, "result": "under way"}), flush=True)
            try:
                outputs = signature(**{name: tf.constant(array) for name, array in inputs.items()})
            except (tf.errors.InvalidArgumentError, TypeError, ValueError) as error:
                result, words = ERROR, f"{type(error).__name__}: {error}"
            except Exception as error:
                result, words = "another error", f"{type(error).__name__}: {error}"
            else:
                count = len(next(iter(inputs.values())))
                words = complaint({name: tensor.numpy() for name, tensor in outputs.items()}, count)
                result = "a wrong answer" if words else ANSWER
            print(json.dumps({**request, "result": result, "words": words[:2000]}), flush=True)


if __name__ == "__main__":
    silence_tensorflow()
    for model_folder in sys.argv[1:]:
        try_model(model_folder)
