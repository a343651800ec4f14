"""TF-Serving over gRPC: the PredictionService of tensorflow-serving-api. Importing this imports TensorFlow."""

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf.json_format import MessageToDict
from tensorflow_serving.apis.get_model_metadata_pb2 import GetModelMetadataRequest, SignatureDefMap
from tensorflow_serving.apis.predict_pb2 import PredictRequest
from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub

from lrfr_tf.tf_serving.client import (
    ServedModel,
    ServedSignature,
    ServingError,
    checked_answer,
    error_of_server,
    malformed_answer_error,
    served_model,
)

GRPC_PORT = 8500
OPTIONS = (
    # gRPC's own limit of 4 MiB would be met by a few hundred super-resolved faces.
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    # A proxy for the web, told by the environment, has no way to a server on this host.
    ("grpc.enable_http_proxy", 0),
    # A server that comes back is found within a second, and a new connection is one: by itself gRPC waits for up to
    # two minutes between its tries, and shares connections with whoever asks the same server.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.use_local_subchannel_pool", 1),
)


class GrpcConnection:
    """A server's gRPC side.

    Args:
        host: its name or address.
        port: its gRPC port.
        timeout: seconds that each answer may take.
    """

    def __init__(self, host: str, port: int, timeout: float) -> None:
        self.address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._timeout = timeout
        self._channel = grpc.insecure_channel(self.address, OPTIONS)
        self._stub = PredictionServiceStub(self._channel)

    def close(self) -> None:
        """Ends the connection; what is under way fails."""
        self._channel.close()

    def describe(self, name: str, version: int | None) -> ServedModel:
        """Asks for a model's signatures, of its newest version where None is given."""
        request = GetModelMetadataRequest(metadata_field=["signature_def"])
        request.model_spec.name = name
        if version is not None:
            request.model_spec.version.value = version
        try:
            response = self._stub.GetModelMetadata(request, timeout=self._timeout)
        except grpc.RpcError as error:
            raise self._error(error, name) from None
        signatures = SignatureDefMap()
        if not response.metadata["signature_def"].Unpack(signatures):
            raise malformed_answer_error(self.address, "it holds no metadata of a model")
        specification = {"name": response.model_spec.name, "version": response.model_spec.version.value}
        described = MessageToDict(signatures, preserving_proto_field_name=True)
        return served_model({"model_spec": specification, "metadata": {"signature_def": described}}, self.address)

    def predict(
        self, model: ServedModel, signature: ServedSignature, inputs: dict[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """Calls a signature of exactly this version, with uint8 pixels or files (`object` arrays of bytes)."""
        try:
            response = self._stub.Predict(predict_request(model, signature.name, inputs), timeout=self._timeout)
        except grpc.RpcError as error:
            raise self._error(error, model.name) from None
        try:
            arrays = {name: _array(tensor) for name, tensor in response.outputs.items()}
        except (TypeError, ValueError):
            raise malformed_answer_error(self.address, f"its tensors are not those of {signature.name}") from None
        count = len(next(iter(inputs.values())))
        return checked_answer(self.address, signature, arrays, count)

    def _error(self, error: grpc.RpcError, model: str) -> ServingError:
        return error_of_server(error.code().name, error.details() or "", self.address, model)


def predict_request(model: ServedModel, signature: str, inputs: dict[str, np.ndarray]) -> PredictRequest:
    """The message of a prediction."""
    request = PredictRequest()
    request.model_spec.name = model.name
    request.model_spec.version.value = model.version
    request.model_spec.signature_name = signature
    for name, array in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(array))
    return request


def _array(tensor: object) -> np.ndarray:
    array = tf.make_ndarray(tensor)
    if array.dtype != object:
        return array
    texts = [data.decode() for data in array.ravel()]
    return np.array(texts, np.str_).reshape(array.shape)
