"""The images of a request's body: multipart fields `image`, or base64 in JSON."""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from lrfr_tf.images.decode import ImageError, read_header
from lrfr_tf.plural import counted
from lrfr_tf.service.compute import IMAGE
from lrfr_tf.service.request_error import RequestError
from lrfr_tf.service.settings import Settings

FIELD = "image"
MOST_FIELDS = 16
LONGEST_NAME = 100


@dataclass(frozen=True)
class Upload:
    """An image as it came.

    Attributes:
        name: what its file is called, without folders; may be empty.
        data: its bytes.
        pixels: width times height, as its header says; 0: it is no image.
    """

    name: str
    data: bytes
    pixels: int


@dataclass(frozen=True)
class Images:
    """What a request holds.

    Attributes:
        uploads: at least one.
        fields: the other values of the form or of the JSON object.
    """

    uploads: list[Upload]
    fields: dict[str, Any]


async def read_images(request: Request, settings: Settings, each_by_itself: bool = False) -> Images:
    """Reads a request's images; nothing is decoded, but each one's header was held against the limits.

    Args:
        each_by_itself: whether one that is no image is let through, to be answered as such among the others.

    Raises:
        RequestError: there is none, too many, one that is no image or has too many pixels, or the body is malformed.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        files, fields = await _of_form(request, settings.images, settings.body_bytes)
    elif kind == "application/json":
        files, fields = _of_json(await read_json_object(request))
    else:
        raise RequestError(
            415, "unsupported_media_type", "Images come as multipart/form-data or as base64 in application/json."
        )
    if not files:
        raise RequestError(400, "no_image", f"The request has no {FIELD}.")
    if len(files) > settings.images:
        raise _too_many(settings.images)
    uploads = [
        _checked(name, data, number, settings, each_by_itself=each_by_itself)
        for number, (name, data) in enumerate(files)
    ]
    return Images(uploads, fields)


async def read_json_object(request: Request) -> dict[str, Any]:
    """The body as a JSON object.

    Raises:
        RequestError: it is none.
    """
    try:
        value = json.loads(await request.body())
    except (ValueError, RecursionError):
        raise RequestError(400, "malformed", "The body is not JSON.") from None
    if not isinstance(value, dict):
        raise RequestError(400, "malformed", "The body is not a JSON object.")
    return value


async def _of_form(request: Request, most: int, body_bytes: int) -> tuple[list[tuple[str, bytes]], dict[str, Any]]:
    parser = MultiPartParser(request.headers, request.stream(), max_files=most, max_fields=MOST_FIELDS)
    parser.spool_max_size = body_bytes + 1  # nothing is ever written to a temporary file
    try:
        form = await parser.parse()
    except MultiPartException as error:
        if "Too many files" in error.message:
            raise _too_many(most) from None
        raise RequestError(400, "malformed", "The multipart body is malformed.") from None
    except KeyError:  # no boundary
        raise RequestError(400, "malformed", "The multipart body has no boundary.") from None
    except UnicodeError:  # of a charset that its sender chose
        raise RequestError(400, "malformed", "The multipart body is malformed.") from None
    files: list[tuple[str, bytes]] = []
    fields: dict[str, Any] = {}
    try:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                if not name.startswith(FIELD):
                    raise RequestError(400, "malformed", f"Images come in fields called {FIELD}.")
                files.append((_file_name(value.filename or ""), await value.read()))
            else:
                fields[name] = value
    finally:
        await form.close()
    return files, fields


def _of_json(value: dict[str, Any]) -> tuple[list[tuple[str, bytes]], dict[str, Any]]:
    texts = [value[name] for name in (FIELD, f"{FIELD}_a", f"{FIELD}_b") if name in value]
    several = value.get("images", [])
    if not isinstance(several, list):
        raise RequestError(400, "malformed", "images is not a list.")
    files = []
    for text in [*texts, *several]:
        if not isinstance(text, str):
            raise RequestError(400, "malformed", "An image is not a string of base64.")
        try:
            files.append(("", base64.b64decode(text.rpartition("base64,")[2], validate=True)))
        except (binascii.Error, ValueError):
            raise RequestError(400, "malformed", "An image is not a string of base64.") from None
    images = (FIELD, f"{FIELD}_a", f"{FIELD}_b", "images")
    return files, {name: one for name, one in value.items() if name not in images}


def _checked(name: str, data: bytes, number: int, settings: Settings, *, each_by_itself: bool) -> Upload:
    try:
        header = read_header(data, IMAGE)
    except ImageError as error:
        if each_by_itself:
            return Upload(name, data, 0)
        raise RequestError(400, "unreadable", str(error), {"image": number}) from None
    pixels = header.width * header.height
    if pixels > settings.pixels:
        message = f"An image has {header.width} x {header.height} pixels; {settings.pixels:,} are allowed."
        raise RequestError(413, "too_many_pixels", message, {"image": number})
    return Upload(name, data, pixels)


def _too_many(most: int) -> RequestError:
    return RequestError(413, "too_many_images", f"A request holds at most {counted(most, 'image')}.", {"most": most})


def _file_name(given: str) -> str:
    """The last part of a name, of printable characters: it is kept with a reference, and never opened."""
    last = given.replace("\\", "/").rpartition("/")[2]
    return "".join(letter for letter in last if letter.isprintable())[-LONGEST_NAME:]
