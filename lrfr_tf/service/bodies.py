"""Bodies that are no JSON form, as /openapi.json describes them: images in a request, files in an answer."""

from collections.abc import Mapping
from typing import Any

from lrfr_tf.service.images import FIELD

FILE = {"type": "string", "format": "binary"}


def body_with(fields: Mapping[str, Any]) -> dict[str, Any]:
    """For OpenAPI: what a request with images and further fields looks like."""
    base64_text = {"type": "string", "format": "byte", "description": "base64 of an image file"}
    files = {FIELD: {"type": "array", "items": FILE}}
    form = {"type": "object", "required": [FIELD], "properties": {**files, **fields}}
    texts = {FIELD: base64_text, "images": {"type": "array", "items": base64_text}}
    content = {"multipart/form-data": form, "application/json": {"type": "object", "properties": {**texts, **fields}}}
    return {"requestBody": {"required": True, "content": {kind: {"schema": one} for kind, one in content.items()}}}


BODY = body_with({})


def file_of(description: str, *kinds: str) -> dict[int | str, dict[str, Any]]:
    """What a route answers that gives a file of one of these media types."""
    return {200: {"description": description, "content": {kind: {"schema": FILE} for kind in kinds}}}
