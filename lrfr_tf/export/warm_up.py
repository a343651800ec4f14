"""Warm-up requests: what TF-Serving sends to a model by itself before the first client does.

A file of TensorFlow's record format with one `PredictionLog` a request; the messages are those of
tensorflow-serving-api. Without it the first request is many times slower than the rest.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

WARM_UP_FILE = Path("assets.extra") / "tf_serving_warmup_requests"


@dataclass(frozen=True)
class Request:
    """One call of a signature.

    Args:
        signature: its name.
        inputs: name -> array, as the signature takes it; image files are `object` arrays of bytes.
    """

    signature: str
    inputs: dict[str, np.ndarray]


def write_warm_up(saved_model: Path, model_name: str, requests: Sequence[Request]) -> None:
    """Writes the requests to where TF-Serving looks for them."""
    path = saved_model / WARM_UP_FILE
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for request in requests:
            log = PredictionLog()
            message = log.predict_log.request
            message.model_spec.name = model_name
            message.model_spec.signature_name = request.signature
            for name, array in request.inputs.items():
                message.inputs[name].CopyFrom(tf.make_tensor_proto(array))
            writer.write(log.SerializeToString(deterministic=True))


def read_warm_up(saved_model: Path) -> Iterator[Request]:
    """Reads them back, in order."""
    for record in tf.data.TFRecordDataset(str(saved_model / WARM_UP_FILE)):
        message = PredictionLog.FromString(record.numpy()).predict_log.request
        inputs = {name: tf.make_ndarray(tensor) for name, tensor in message.inputs.items()}
        yield Request(message.model_spec.signature_name, inputs)
