"""A super-resolution network with the edges of a served model: 16 x 16 pixels, or an image file, in; 64 x 64 out."""

import io
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from lrfr_tf.errors import UserError
from lrfr_tf.files import read_json
from lrfr_tf.images.decode import decode_image
from lrfr_tf.images.decode_in_graph import PIXEL_BUDGET_IN_GRAPH, decode_and_resize
from lrfr_tf.images.resize import resize
from lrfr_tf.recognition.export import Servable
from lrfr_tf.recognition.super_resolution import KIND, SuperResolver, load_super_resolver
from lrfr_tf.recognition.warm_up import Request, made_up_faces

BATCH_SIZES = (1, 8)
PHOTO_SIZE = 72


class StoredNetwork(tf.Module):
    """A network whose weights are stored in a precision of choice; it computes in float32 either way.

    Only the weights are part of the module: a Keras model would put every layer's description into the SavedModel.

    Args:
        network: computes in float32.
        precision: "float32", or "float16" for half the size.
    """

    def __init__(self, network: keras.Model, precision: str) -> None:
        super().__init__()
        self._call = network.stateless_call
        self._trainable = [tf.Variable(tf.cast(value, precision), False) for value in network.trainable_variables]
        self._others = [tf.Variable(tf.cast(value, precision), False) for value in network.non_trainable_variables]

    def __call__(self, images: tf.Tensor, training: bool = False) -> tf.Tensor:
        """What the network gives; it cannot be trained."""
        trainable, others = (
            [tf.cast(value, tf.float32) for value in group] for group in (self._trainable, self._others)
        )
        return self._call(trainable, others, images, training=training)[0]


def servable_super_resolver(model: Path, half_precision: bool = False) -> Servable:
    """Prepares the network of a run, `<run>/model`, for `export_saved_model`.

    Args:
        half_precision: store the weights as float16; what that costs is in the facts.

    Raises:
        UserError: the folder holds no network, or one with weights that are not finite in the precision.
    """
    live = load_super_resolver(model)
    if live.network is None:
        raise UserError(f"{model} is an export already; --model takes the folder that train_* wrote.")
    precision = "float16" if half_precision else "float32"
    facts = {
        "low_size": live.low_size,
        "high_size": live.high_size,
        "pixel_budget": PIXEL_BUDGET_IN_GRAPH,
        "parameters": live.network.count_params(),
        "stored_as": precision,
        "source": _source(model, live),
    }
    requests = _requests(live.low_size)
    if half_precision:
        exact = _answers(live, requests)
        with np.errstate(over="ignore"):  # what is too large becomes infinite, which is told below
            rounded = [weight.astype(np.float16).astype(np.float32) for weight in live.network.get_weights()]
        live.network.set_weights(rounded)
        facts["cost_of_half_precision"] = _difference(exact, _answers(live, requests))
    if not all(np.isfinite(weight).all() for weight in live.network.get_weights()):
        raise UserError(f"{model} has weights that are not finite as {precision}; it is not exported.")
    module = StoredNetwork(live.network, precision)
    stored = SuperResolver(live.name, module, live.low_size, live.high_size, live.enlarge_first)
    return Servable(KIND, module, _signatures(stored), requests, _answers(live, requests), facts)


def _signatures(resolver: SuperResolver) -> dict[str, Any]:
    low, high = resolver.low_size, resolver.high_size

    def super_resolve(images: tf.Tensor) -> dict[str, tf.Tensor]:
        images = _of_shape(images, low)
        # TensorFlow's convolutions for Intel CPUs fail on no images at all: so none becomes one, and is cut off again.
        count = tf.shape(images)[0]
        at_least_one = tf.pad(images, [[0, tf.cast(count == 0, tf.int32)], [0, 0], [0, 0], [0, 0]])
        output = resolver.super_resolve_in_graph(at_least_one)[:count]
        return {"images": tf.ensure_shape(output, (None, high, high, 3))}

    on_pixels = tf.function(super_resolve, input_signature=[tf.TensorSpec((None, low, low, 3), tf.uint8, "images")])

    def super_resolve_bytes(image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        return on_pixels(decode_and_resize(image_bytes, low, low))

    on_files = tf.function(super_resolve_bytes, input_signature=[tf.TensorSpec((None,), tf.string, "image_bytes")])
    pixels = on_pixels.get_concrete_function()
    return {
        "serving_default": pixels,
        "super_resolve": pixels,
        "super_resolve_bytes": on_files.get_concrete_function(),
    }


def _of_shape(images: tf.Tensor, size: int) -> tf.Tensor:
    """The same images, but not if they are of another shape: neither TF-Serving nor a loaded signature looks at it."""
    shape = tf.shape(images)
    # The zeros stand for dimensions that should not be there, and for those that may be missing.
    right = tf.reduce_all(tf.concat([shape, [0, 0, 0, 0]], 0)[1:5] == [size, size, 3, 0])
    message = tf.strings.format(f"images must be [N, {size}, {size}, 3], not {{}}.", shape, summarize=8)
    check = tf.debugging.Assert(right, [message])
    with tf.control_dependencies([check]):
        return tf.identity(images)


def _requests(low_size: int) -> list[Request]:
    """Every signature with one face and with some, since the first call of each batch size is slow."""
    requests = []
    faces = made_up_faces(max(BATCH_SIZES), low_size)
    for signature in ("serving_default", "super_resolve"):
        requests += [Request(signature, {"images": faces[:size]}) for size in BATCH_SIZES]
    files = []
    for photo, image_format in zip(made_up_faces(3, PHOTO_SIZE), ("JPEG", "PNG", "BMP"), strict=True):
        buffer = io.BytesIO()
        Image.fromarray(photo).save(buffer, image_format)
        files.append(buffer.getvalue())
    for some in (files[:1], files):
        requests.append(Request("super_resolve_bytes", {"image_bytes": np.array(some, object)}))
    return requests


def _answers(live: SuperResolver, requests: list[Request]) -> list[dict[str, np.ndarray]]:
    """What Keras, NumPy and Pillow make of the requests."""
    answers = []
    for request in requests:
        if request.signature == "super_resolve_bytes":
            photos = [decode_image(data, "a warm-up image") for data in request.inputs["image_bytes"]]
            low = np.stack([resize(photo, live.low_size, live.low_size) for photo in photos])
        else:
            low = request.inputs["images"]
        answers.append({"images": live.super_resolve(low)})
    return answers


def _difference(before: list[dict[str, np.ndarray]], after: list[dict[str, np.ndarray]]) -> dict[str, float]:
    """How far the images of two sets of answers are apart, in grey levels."""
    pairs = zip(before, after, strict=True)
    levels = np.concatenate([np.abs(a["images"].astype(int) - b["images"]).ravel() for a, b in pairs])
    return {
        "largest_levels": int(levels.max()),
        "mean_levels": float(levels.mean()),
        "share_of_values_that_differ": float((levels > 0).mean()),
    }


def _source(model: Path, live: SuperResolver) -> dict[str, str]:
    """Where the weights come from; the last two names of the folder only, as nobody needs the machine's own paths."""
    source = {"model": "/".join(model.resolve().parts[-2:]), "sha256": live.checksum}
    if (model.parent / "run.json").is_file():
        source["git_commit"] = read_json(model.parent / "run.json")["git_commit"]
    return source
