"""What TF-Serving tells and answers, in whichever protocol: `rest_client` and `grpc_client` speak to it.

A client first asks for a model's metadata. So it knows the version that answers, can say which signatures there are,
and holds every answer against what the signature promises.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np

from lrfr_tf.errors import UserError

FIRST_RETRY_SECONDS = 0.5
MAX_REASON_LENGTH = 300
# What TensorFlow wraps around the cause of an error: a second report of it, traces, and names of nodes.
AFTER_CAUSE = re.compile(r"\n\s*\(1\) |\nFunction call stack:|\nOriginal stack trace for ")
LINE_OF_TRACE = re.compile(
    r"\s*(Graph execution error:|Detected at node |<stack traces unavailable>|File \"|Node: |\d+ root error|\[\[)|\s{4}"
)
NAME_OF_NODE = re.compile(r"\{\{\w+ [^}]*\}\}|\[\[.*?\]\]|\[Op:[^\]]*\]|^\s*\(0\) (?:[\w ]+: )?")

Answer = TypeVar("Answer")


class ServingError(UserError):
    """The server cannot be asked, refuses, or answers what it should not."""


class UnavailableError(ServingError):
    """The server is not there, still starting, or has a full queue: worth another try."""


class SlowError(ServingError):
    """The server did not answer in time."""


class NotServedError(ServingError):
    """The server does not serve this model, or not this version of it."""


class RefusedError(ServingError):
    """The server does not take the inputs; `reason` is what it says."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f"{address} refuses the request: {reason}.")
        self.reason = reason


class FailedError(ServingError):
    """The server fails at a request, or answers what it should not; another request may go well."""


@dataclass(frozen=True)
class TensorForm:
    """Type and shape of a tensor: "string", "uint8", "float32" ...; None for a free dimension, or for any rank."""

    dtype: str
    shape: tuple[int | None, ...] | None


@dataclass(frozen=True)
class ServedSignature:
    """One way to call a model: its name, and the form of every named input and output."""

    name: str
    inputs: dict[str, TensorForm]
    outputs: dict[str, TensorForm]


@dataclass(frozen=True)
class ServedModel:
    """A version of a model that a server has loaded."""

    name: str
    version: int
    signatures: dict[str, ServedSignature]


class Connection(Protocol):
    """How a server is spoken to. Both methods raise `ServingError`."""

    address: str

    def describe(self, name: str, version: int | None) -> ServedModel:
        """Asks for a model's signatures, of its newest version where None is given."""

    def predict(
        self, model: ServedModel, signature: ServedSignature, inputs: dict[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """Calls a signature of exactly this version, with uint8 pixels or files (`object` arrays of bytes)."""


def find_signature(model: ServedModel, name: str) -> ServedSignature:
    """A signature by its name.

    Raises:
        ServingError: the model has none of that name; the message lists those it has.
    """
    if name not in model.signatures:
        there = ", ".join(sorted(model.signatures))
        raise ServingError(f"Model {model.name} (version {model.version}) has no signature {name}; it has {there}.")
    return model.signatures[name]


def call_with_retries(call: Callable[[], Answer], retries: int) -> Answer:
    """Calls again where the server was unavailable, after 0.5 s, 1 s, 2 s ...

    Raises:
        ServingError: of the last try, or any that is not `UnavailableError`.
    """
    for attempt in range(retries):
        try:
            return call()
        except UnavailableError:
            time.sleep(FIRST_RETRY_SECONDS * 2**attempt)
    return call()


def served_model(document: Any, address: str) -> ServedModel:
    """The metadata of a model, as REST gives them (`GET /v1/models/<name>/metadata`).

    Raises:
        ServingError: it is another document.
    """
    try:
        specification = document["model_spec"]
        signatures = {
            name: ServedSignature(name, _forms(signature.get("inputs", {})), _forms(signature.get("outputs", {})))
            for name, signature in document["metadata"]["signature_def"]["signature_def"].items()
            if not name.startswith("__")  # __saved_model_init_op, which nobody calls
        }
        return ServedModel(str(specification["name"]), int(specification["version"]), signatures)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise malformed_answer_error(address, "it holds no metadata of a model") from None


def checked_answer(
    address: str, signature: ServedSignature, outputs: dict[str, np.ndarray], count: int
) -> dict[str, np.ndarray]:
    """Holds an answer against its signature and the number of faces sent.

    Raises:
        ServingError: an output is missing, has another type, shape or count, or holds NaN or infinity.
    """
    for name, form in signature.outputs.items():
        if name not in outputs:
            raise malformed_answer_error(address, f"it has no {name}")
        array = outputs[name]
        dtype = "string" if array.dtype.kind in "UO" else array.dtype.name
        if dtype != form.dtype:
            raise malformed_answer_error(address, f"{name} is {dtype}, not {form.dtype}")
        if form.shape is not None:
            wanted = (count, *form.shape[1:])
            fits = len(wanted) == array.ndim
            fits = fits and all(size in (None, found) for size, found in zip(wanted, array.shape, strict=True))
            if not fits:
                raise malformed_answer_error(address, f"{name} has the shape {list(array.shape)}, not {list(wanted)}")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise malformed_answer_error(address, f"{name} holds NaN or infinity")
    return outputs


def error_of_server(code: str, message: str, address: str, model: str) -> ServingError:
    """The error for a status that the server gave, by gRPC's name of the code."""
    reason = shorten_reason(message)
    if code == "UNAVAILABLE":
        return UnavailableError(f"{address} is not available: {reason}.")
    if code == "DEADLINE_EXCEEDED":
        return SlowError(f"{address} did not answer in time ({reason}); `timeout` is how long it may take.")
    if code == "NOT_FOUND":
        return NotServedError(f"{address} does not serve {model}: {reason}.")
    if code in ("INVALID_ARGUMENT", "FAILED_PRECONDITION", "OUT_OF_RANGE"):
        return RefusedError(address, reason)
    return FailedError(f"{address} failed with {code}: {reason}.")


def malformed_answer_error(address: str, what: str) -> FailedError:
    """The error for an answer that is not the documented one."""
    return FailedError(f"The answer of {address} is not what TF-Serving gives here: {what}.")


def shorten_reason(message: str) -> str:
    """What a server says, in one line without traces and names of the graph's nodes, and not ended by a dot."""
    asserted = re.search(r"assertion failed: \[(.*?)\]\s*(?:\[\[|$)", message, re.DOTALL)
    lines = [] if asserted else AFTER_CAUSE.split(message)[0].splitlines()
    lines = [NAME_OF_NODE.sub("", line) for line in lines if not LINE_OF_TRACE.match(line)]
    text = " ".join((asserted[1] if asserted else " ".join(lines)).split())
    text = "".join(letter if letter.isprintable() else "?" for letter in text)
    if len(text) > MAX_REASON_LENGTH:
        return text[:MAX_REASON_LENGTH] + " [...]"
    return text.rstrip(". ") or "it says nothing more"


def _forms(tensors: dict[str, Any]) -> dict[str, TensorForm]:
    return {name: TensorForm(_dtype(tensor["dtype"]), _shape(tensor)) for name, tensor in tensors.items()}


def _dtype(name: str) -> str:
    return {"DT_FLOAT": "float32", "DT_DOUBLE": "float64", "DT_HALF": "float16"}.get(name) or name[3:].lower()


def _shape(tensor: dict[str, Any]) -> tuple[int | None, ...] | None:
    shape = tensor.get("tensor_shape", {})
    if shape.get("unknown_rank", False):
        return None
    sizes = (int(dimension.get("size", 0)) for dimension in shape.get("dim", []))
    return tuple(None if size < 0 else size for size in sizes)
