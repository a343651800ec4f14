"""What clients see of TF-Serving, in a thread of the test: REST and gRPC over SavedModels on disk.

Written from TF-Serving's documents and messages, without a line of the client: JSON is read and written here by the
rules of "RESTful API", and errors carry the codes that the server gives.
"""

import base64
import json
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf.json_format import MessageToDict
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
from tensorflow_serving.apis.get_model_metadata_pb2 import GetModelMetadataResponse, SignatureDefMap
from tensorflow_serving.apis.predict_pb2 import PredictResponse
from tensorflow_serving.apis.prediction_service_pb2_grpc import (
    PredictionServiceServicer,
    add_PredictionServiceServicer_to_server,
)

HTTP_STATUS = {
    "INVALID_ARGUMENT": 400, "FAILED_PRECONDITION": 400, "NOT_FOUND": 404, "RESOURCE_EXHAUSTED": 429,
    "INTERNAL": 500, "UNAVAILABLE": 503, "DEADLINE_EXCEEDED": 504,
}  # fmt: skip
CODE_NAMES = {code.value[0]: code.name for code in grpc.StatusCode}  # TensorFlow's codes are gRPC's
PATH = re.compile(r"/v1/models/([^/:]+)(?:/versions/(\d+))?(/metadata|:predict)?")


class StatusError(Exception):
    """A status with its code by gRPC's name."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class StandIn:
    """Serves `{name: folder of versions}`; `with` it, ports are free ones of this host.

    Tests reach in: `faults` are statuses that the next predictions get, `delay` is slept before each answer, `body`
    stands in the place of what REST answers, and `seen` keeps the requests.
    """

    def __init__(self, models: dict[str, Path], grpc_port: int = 0) -> None:
        self.grpc_port = grpc_port
        self.loaded: dict[str, dict[int, Any]] = {}
        self.definitions: dict[str, dict[int, Any]] = {}
        for name, folder in models.items():
            versions = sorted(int(path.name) for path in folder.iterdir() if path.name.isdecimal())
            self.loaded[name] = {version: tf.saved_model.load(str(folder / str(version))) for version in versions}
            graphs = {
                version: SavedModel.FromString((folder / str(version) / "saved_model.pb").read_bytes())
                for version in versions
            }
            self.definitions[name] = {version: graph.meta_graphs[0].signature_def for version, graph in graphs.items()}
        self.reset()

    def reset(self) -> None:
        self.faults: list[tuple[str, str]] = []
        self.delay = 0.0
        self.body: bytes | None = None
        self.seen: list[Any] = []

    def __enter__(self) -> "StandIn":
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.rest_port = self._http.server_address[1]
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self._grpc = grpc.server(ThreadPoolExecutor(2))
        add_PredictionServiceServicer_to_server(_Service(self), self._grpc)
        self.grpc_port = self._grpc.add_insecure_port(f"127.0.0.1:{self.grpc_port}")
        self._grpc.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._grpc.stop(None).wait()

    def version_of(self, name: str, version: int | None) -> int:
        if name not in self.loaded or version not in (None, *self.loaded[name]):
            wanted = f"Latest({name})" if version is None else f"Specific({name}, {version})"
            raise StatusError("NOT_FOUND", f"Servable not found for request: {wanted}")
        return max(self.loaded[name]) if version is None else version

    def signature_map(self, name: str, version: int) -> SignatureDefMap:
        result = SignatureDefMap()
        for key, definition in self.definitions[name][version].items():
            result.signature_def[key].CopyFrom(definition)
        return result

    def predict(self, name: str, version: int, signature: str, inputs: dict[str, tf.Tensor]) -> dict[str, np.ndarray]:
        time.sleep(self.delay)
        if self.faults:
            raise StatusError(*self.faults.pop(0))
        try:
            outputs = self.loaded[name][version].signatures[signature](**inputs)
        except tf.errors.OpError as error:
            raise StatusError(CODE_NAMES[error.error_code], error.message) from None
        return {key: value.numpy() for key, value in outputs.items()}


def _handler(server: StandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *words: object) -> None:
            pass

        def do_GET(self) -> None:  # noqa: N802  the name is http.server's
            self._answer(lambda name, version, action: _told(server, name, version, action))

        def do_POST(self) -> None:  # noqa: N802
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(lambda name, version, action: _predicted(server, name, version, action, body))

        def _answer(self, act: Any) -> None:
            match = PATH.fullmatch(self.path)
            try:
                if match is None:
                    raise StatusError("INVALID_ARGUMENT", f"Malformed request: {self.command} {self.path}")
                name, version, action = match.groups()
                document, status = act(name, None if version is None else int(version), action), 200
            except StatusError as error:
                document, status = {"error": str(error)}, HTTP_STATUS[error.code]
            data = json.dumps(document, indent=4).encode()
            if server.body is not None:
                data, status = server.body, 200
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
            except OSError:
                pass  # the client waits no longer

    return Handler


def _told(server: StandIn, name: str, version: int | None, action: str | None) -> Any:
    if action == "/metadata":
        found = server.version_of(name, version)
        signatures = MessageToDict(
            server.signature_map(name, found),
            preserving_proto_field_name=True,
            always_print_fields_with_no_presence=True,
        )
        specification = {"name": name, "signature_name": "", "version": str(found)}
        return {"model_spec": specification, "metadata": {"signature_def": signatures}}
    server.version_of(name, version)
    good = {"error_code": "OK", "error_message": ""}
    versions = sorted(server.loaded[name], reverse=True) if version is None else [version]
    return {"model_version_status": [{"version": str(v), "state": "AVAILABLE", "status": good} for v in versions]}


def _predicted(server: StandIn, name: str, version: int | None, action: str | None, body: bytes) -> Any:
    if action != ":predict":
        raise StatusError("INVALID_ARGUMENT", "Malformed request")
    found = server.version_of(name, version)
    try:
        document = json.loads(body)
    except ValueError as error:
        raise StatusError("INVALID_ARGUMENT", f"JSON Parse error: {error}") from None
    signature = document.get("signature_name", "serving_default")
    if signature not in server.loaded[name][found].signatures:
        raise StatusError("INVALID_ARGUMENT", f'Serving signature name: "{signature}" not found in signature def')
    server.seen.append((name, found, document))
    forms = server.loaded[name][found].signatures[signature].structured_input_signature[1]
    inputs, rows = tensors_of(document, forms)
    return document_of(server.predict(name, found, signature, inputs), rows)


def tensors_of(document: dict[str, Any], forms: dict[str, tf.TensorSpec]) -> tuple[dict[str, tf.Tensor], bool]:
    """The tensors in the body of a predict request, and whether it is in rows."""
    if ("instances" in document) == ("inputs" in document):
        raise StatusError("INVALID_ARGUMENT", "Missing 'inputs' or 'instances' key, or both are there")
    if "inputs" in document:
        value = document["inputs"]
        if not isinstance(value, dict) or _is_b64(value):
            if len(forms) > 1:
                raise StatusError("INVALID_ARGUMENT", "inputs is a plain value/list, but expecting an object")
            value = {next(iter(forms)): value}
        for name in forms:
            if name not in value:
                raise StatusError("INVALID_ARGUMENT", f"Missing named input: {name} in 'inputs' object.")
        return {name: _tensor(value[name], form) for name, form in forms.items()}, False
    rows = document["instances"]
    if not isinstance(rows, list) or not rows:
        raise StatusError("INVALID_ARGUMENT", "No values in 'instances' array")
    if isinstance(rows[0], dict) and not _is_b64(rows[0]):
        for number, row in enumerate(rows):
            if not isinstance(row, dict) or row.keys() != forms.keys():
                raise StatusError("INVALID_ARGUMENT", f"Failed to process element: {number} of 'instances' list.")
        return {name: _tensor([row[name] for row in rows], form) for name, form in forms.items()}, True
    if len(forms) > 1:
        raise StatusError("INVALID_ARGUMENT", "instances is a plain list, but expecting list of objects")
    return {name: _tensor(rows, form) for name, form in forms.items()}, True


def document_of(outputs: dict[str, np.ndarray], rows: bool) -> dict[str, Any]:
    """The body of the answer. Strings are text, but for outputs whose names end in `_bytes`."""
    values = {name: _value(array.tolist(), name.endswith("_bytes")) for name, array in outputs.items()}
    if not rows:
        return {"outputs": values if len(values) > 1 else next(iter(values.values()))}
    if len(values) == 1:
        return {"predictions": next(iter(values.values()))}
    return {"predictions": [dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)]}


def _is_b64(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"b64"} and isinstance(value["b64"], str)


def _tensor(value: Any, form: tf.TensorSpec) -> tf.Tensor:
    def leaf(item: Any) -> Any:
        if isinstance(item, list):
            return [leaf(part) for part in item]
        if form.dtype == tf.string and _is_b64(item):
            return base64.b64decode(item["b64"], validate=True)
        right = {
            tf.string: isinstance(item, str),
            tf.uint8: isinstance(item, int) and not isinstance(item, bool),
            tf.float32: isinstance(item, int | float),
        }[form.dtype]
        if not right:
            raise StatusError("INVALID_ARGUMENT", f"JSON Value: {item} is not of expected type: {form.dtype.name}")
        return item

    try:
        return tf.constant(leaf(value), form.dtype)
    except (ValueError, TypeError) as error:
        raise StatusError("INVALID_ARGUMENT", f"Encountered list at unexpected size: {error}") from None


def _value(item: Any, as_b64: bool) -> Any:
    if isinstance(item, list):
        return [_value(part, as_b64) for part in item]
    if isinstance(item, bytes):
        return {"b64": base64.b64encode(item).decode()} if as_b64 else item.decode()
    return item


class _Service(PredictionServiceServicer):
    def __init__(self, server: StandIn) -> None:
        self.server = server

    def GetModelMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802  the name is the service's
        specification = request.model_spec
        version = self._version(specification, context)
        if list(request.metadata_field) != ["signature_def"]:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "Metadata field is not supported")
        response = GetModelMetadataResponse()
        response.model_spec.name = specification.name
        response.model_spec.version.value = version
        response.metadata["signature_def"].Pack(self.server.signature_map(specification.name, version))
        return response

    def Predict(self, request: Any, context: Any) -> Any:  # noqa: N802
        server, specification = self.server, request.model_spec
        version = self._version(specification, context)
        server.seen.append(request)
        signature = specification.signature_name or "serving_default"
        signatures = server.loaded[specification.name][version].signatures
        if signature not in signatures:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, f'Serving signature key "{signature}" not found.')
        forms = signatures[signature].structured_input_signature[1]
        inputs = {name: tf.constant(tf.make_ndarray(tensor)) for name, tensor in request.inputs.items()}
        if {name: tensor.dtype for name, tensor in inputs.items()} != {
            name: form.dtype for name, form in forms.items()
        }:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "input does not match signature")
        try:
            outputs = server.predict(specification.name, version, signature, inputs)
        except StatusError as error:
            context.abort(grpc.StatusCode[error.code], str(error))
        response = PredictResponse()
        response.model_spec.CopyFrom(specification)
        for name, array in outputs.items():
            response.outputs[name].CopyFrom(tf.make_tensor_proto(array))
        return response

    def _version(self, specification: Any, context: Any) -> int:
        wanted = specification.version.value if specification.HasField("version") else None
        try:
            return self.server.version_of(specification.name, wanted)
        except StatusError as error:
            context.abort(grpc.StatusCode[error.code], str(error))
            raise
