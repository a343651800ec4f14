"""JSON -> frozen dataclasses, by the types of their fields."""

import base64
import binascii
import dataclasses
import functools
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from lrfr_tf.client.service_error import NO_ANSWER, ServiceError

T = TypeVar("T")


def build(kind: type[T], value: Any) -> T:
    """A dataclass of what an answer holds; what a newer service says besides is left out.

    Raises:
        ServiceError: the answer is not of this form.
    """
    try:
        return _built(kind, value)
    except (KeyError, TypeError, ValueError, binascii.Error):
        name = kind.__name__
        raise ServiceError(200, NO_ANSWER, f"The answer is no {name} as the service gives it.") from None


@functools.cache
def _types_of(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _built(kind: Any, value: Any) -> Any:
    if dataclasses.is_dataclass(kind):
        if not isinstance(value, Mapping):
            raise TypeError
        given = {
            field.name: _built(_types_of(kind)[field.name], value[field.name])  # type: ignore[arg-type]
            for field in dataclasses.fields(kind)
            if field.name in value or _is_needed(field)
        }
        return kind(**given)  # type: ignore[operator]
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin is types.UnionType:  # X | None
        return None if value is None else _built(parts[0], value)
    if origin is tuple:
        if not isinstance(value, list):
            raise TypeError
        return tuple(_built(parts[0], one) for one in value)
    if origin is dict or kind is Any:
        return value
    if kind is bytes:
        return base64.b64decode(value, validate=True)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind):
        raise TypeError
    return value


def _is_needed(field: dataclasses.Field) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
