"""TF-Serving over REST: https://www.tensorflow.org/tfx/serving/api_rest, with nothing but Python's own library."""

import base64
import binascii
import http.client
import json
import socket
from typing import Any
from urllib.parse import quote

import numpy as np

from lrfr_tf.tf_serving.client import (
    ServedModel,
    ServedSignature,
    ServingError,
    TensorForm,
    UnavailableError,
    checked_answer,
    error_of_server,
    malformed_answer_error,
    served_model,
)

REST_PORT = 8501
FORMS = ("columns", "rows")
# TF-Serving's own mapping of its codes, backwards.
CODES = {
    400: "INVALID_ARGUMENT",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class RestConnection:
    """A server's REST side.

    Args:
        host: its name or address.
        port: its REST port.
        timeout: seconds that it may stay silent.
        form: how inputs are written, "columns" ("inputs") or "rows" ("instances"), which is all that some services in
            front of TF-Serving know.
    """

    def __init__(self, host: str, port: int, timeout: float, form: str = "columns") -> None:
        self.address = f"{host}:{port}"
        self._host, self._port, self._timeout, self._form = host, port, timeout, form

    def describe(self, name: str, version: int | None) -> ServedModel:
        """Asks for a model's signatures, of its newest version where None is given."""
        part = "" if version is None else f"/versions/{version}"
        return served_model(self._send("GET", f"/v1/models/{quote(name, safe='')}{part}/metadata", name), self.address)

    def predict(
        self, model: ServedModel, signature: ServedSignature, inputs: dict[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """Calls a signature of exactly this version, with uint8 pixels or files (`object` arrays of bytes)."""
        path = f"/v1/models/{quote(model.name, safe='')}/versions/{model.version}:predict"
        document = self._send("POST", path, model.name, request_body(signature.name, inputs, self._form))
        count = len(next(iter(inputs.values())))
        return checked_answer(self.address, signature, self._outputs(document, signature), count)

    def _send(self, method: str, path: str, model: str, body: dict[str, Any] | None = None) -> Any:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        try:
            data = None if body is None else json.dumps(body).encode()
            connection.request(method, path, data, {"Content-Type": "application/json"})
            response = connection.getresponse()
            text = response.read()
        except TimeoutError:
            raise ServingError(f"{self.address} did not answer within {self._timeout:g} s.") from None
        except (socket.gaierror, UnicodeError) as error:
            reason = getattr(error, "strerror", "") or "this is no name of a host"
            raise ServingError(f"{self.address} cannot be reached: {reason}.") from None
        except OSError as error:
            reason = error.strerror or "it closed the connection"
            raise UnavailableError(f"{self.address} cannot be reached: {reason}.") from None
        except (http.client.HTTPException, ValueError):
            raise malformed_answer_error(
                self.address, f"it is not HTTP (REST has a port of its own, usually {REST_PORT})"
            ) from None
        finally:
            connection.close()
        return self._document(response.status, text, model)

    def _document(self, status: int, text: bytes, model: str) -> Any:
        try:
            document = json.loads(text.decode())
        except (ValueError, RecursionError):
            if status == 200:
                raise malformed_answer_error(self.address, "it is not JSON") from None
            document = None
        if status == 200:
            return document
        told = document.get("error") if isinstance(document, dict) else None
        raise error_of_server(CODES.get(status, f"HTTP status {status}"), str(told or ""), self.address, model)

    def _outputs(self, document: Any, signature: ServedSignature) -> dict[str, np.ndarray]:
        try:
            values = named_values(document, list(signature.outputs))
            return {name: array_of(values[name], form) for name, form in signature.outputs.items()}
        except KeyError as error:
            raise malformed_answer_error(self.address, f"it has no {error.args[0]}") from None
        except (TypeError, ValueError, AttributeError, RecursionError):
            raise malformed_answer_error(self.address, f"its values are not those of {signature.name}") from None


def request_body(signature: str, inputs: dict[str, np.ndarray], form: str) -> dict[str, Any]:
    """The JSON document of a prediction.

    A file is written as {"b64": its bytes}, a picture as nested lists of numbers. In rows the name of an only input is
    left out.
    """
    written = {name: _encode_value(array) for name, array in inputs.items()}
    if form == "columns":
        return {"signature_name": signature, "inputs": written}
    if len(written) == 1:
        return {"signature_name": signature, "instances": next(iter(written.values()))}
    rows = zip(*written.values(), strict=True)
    return {"signature_name": signature, "instances": [dict(zip(written, row, strict=True)) for row in rows]}


def named_values(document: Any, names: list[str]) -> dict[str, Any]:
    """The outputs in an answer's JSON document, whose name is left out where there is only one.

    Raises:
        KeyError, TypeError, AttributeError: it is another document.
    """
    if "outputs" in document:
        values = document["outputs"]
        return values if isinstance(values, dict) else {names[0]: values}
    rows = document["predictions"]
    if all(isinstance(row, dict) and "b64" not in row for row in rows):
        return {name: [row[name] for row in rows] for name in names}
    return {names[0]: rows}


def array_of(value: Any, form: TensorForm) -> np.ndarray:
    """The array in a value of JSON; strings as text, whether they stand there as text or as {"b64": ...}.

    Raises:
        ValueError, TypeError: it is none, not of this type, or ragged.
    """
    if form.dtype == "string":
        return np.array(_decode_strings(value), np.str_)
    array = np.array(value)
    whole = array.dtype.kind in "iu"
    if not whole and array.dtype.kind != "f" and array.size:
        raise ValueError("not numbers")
    wanted = np.dtype(form.dtype)
    if wanted.kind != "f":
        limits = np.iinfo(wanted)
        if not whole or array.min(initial=limits.max) < limits.min or array.max(initial=limits.min) > limits.max:
            raise ValueError("not whole numbers of this range")
    with np.errstate(over="ignore"):  # what is too large becomes infinite, and is told as such
        return array.astype(wanted)


def _encode_value(array: np.ndarray) -> list[Any]:
    if array.dtype == object:
        return [{"b64": base64.b64encode(data).decode()} for data in array]
    return array.tolist()


def _decode_strings(value: Any) -> Any:
    if isinstance(value, list):
        return [_decode_strings(item) for item in value]
    if isinstance(value, dict) and value.keys() == {"b64"}:
        try:
            return base64.b64decode(value["b64"], validate=True).decode()
        except binascii.Error as error:
            raise ValueError(str(error)) from None
    if not isinstance(value, str):
        raise ValueError("not text")
    return value
