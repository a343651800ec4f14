"""Warm-up requests: what TF-Serving sends to a model by itself before the first client does.

A file of TensorFlow's record format with one `PredictionLog` a request; the messages are those of
tensorflow-serving-api. Without it the first request is many times slower than the rest.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

PHOTO_SIZE = 72

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


def made_up_faces(count: int, size: int) -> np.ndarray:
    """Pictures with the light and dark of a face, made by code: uint8 [count, size, size, 3], all different."""
    random = np.random.default_rng(0)
    y, x = np.meshgrid(np.linspace(-1, 1, size), np.linspace(-1, 1, size), indexing="ij")

    def spot(centre_x: float, centre_y: float, width: float, height: float) -> np.ndarray:
        return np.exp(-((((x - centre_x) / width) ** 2 + ((y - centre_y) / height) ** 2) ** 2))

    faces = np.empty((count, size, size, 3), np.uint8)
    for index in range(count):
        shift = random.uniform(-0.1, 0.1)
        face, mouth = spot(shift, 0, 0.7, 0.9), spot(shift, 0.5, 0.3, 0.1)
        eyes = spot(shift - 0.3, -0.2, 0.15, 0.1) + spot(shift + 0.3, -0.2, 0.15, 0.1)
        light = 1 + 0.3 * random.uniform(-1, 1) * x + 0.2 * random.uniform(-1, 1) * y
        skin, background = random.uniform(0.4, 1, 3) * (230, 190, 160), random.uniform(20, 220, 3)
        picture = background + (skin - background) * face[..., None]
        picture = picture * (1 - 0.7 * eyes - 0.4 * mouth)[..., None] * light[..., None]
        faces[index] = np.clip(picture + random.normal(0, 3, picture.shape), 0, 255)
    return faces


def made_up_files() -> np.ndarray:
    """Three such pictures as image files, a JPEG, a PNG and a BMP: bytes [3]."""
    files = []
    for photo, image_format in zip(made_up_faces(3, PHOTO_SIZE), ("JPEG", "PNG", "BMP"), strict=True):
        buffer = io.BytesIO()
        Image.fromarray(photo).save(buffer, image_format)
        files.append(buffer.getvalue())
    return np.array(files, object)
