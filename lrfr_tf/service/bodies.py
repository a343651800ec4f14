"""Bodies that are no JSON form, as /openapi.json describes them: images in a request, files in an answer."""

from collections.abc import Mapping
from typing import Any

from lrfr_tf.service.images import FIELD

FILE = {"type": "string", "format": "binary"}
TEXT = {"type": "string", "format": "byte", "minLength": 1, "description": "base64 of an image file"}
IMAGES = "images"


def body_with(fields: Mapping[str, Any], least: int = 1, in_json: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """For OpenAPI: what a request with so many images or more, and further fields, looks like.

    Args:
        in_json: the further fields of a body in JSON; None: the same.
    """
    form = {FIELD: {"type": "array", "items": FILE, "minItems": least}}
    texts = {IMAGES: {"type": "array", "items": TEXT, "minItems": least}} | ({FIELD: TEXT} if least == 1 else {})
    either: dict[str, Any] = {"anyOf": [{"required": [name]} for name in texts]}
    content = {
        "multipart/form-data": {"type": "object", "required": [FIELD], "properties": {**form, **fields}},
        "application/json": {"type": "object", "properties": {**texts, **(in_json or fields)}, **either},
    }
    return {"requestBody": {"required": True, "content": {kind: {"schema": one} for kind, one in content.items()}}}


BODY = body_with({})


def file_of(description: str, *kinds: str) -> dict[int | str, dict[str, Any]]:
    """What a route answers that gives a file of one of these media types."""
    return {200: {"description": description, "content": {kind: {"schema": FILE} for kind in kinds}}}
