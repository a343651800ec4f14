"""A super-resolution network with the edges of a served model: 16 x 16 pixels, or an image file, in; 64 x 64 out."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from lrfr_tf.errors import UserError
from lrfr_tf.export.servable import Servable
from lrfr_tf.export.warm_up import Request
from lrfr_tf.images.decode import decode_image
from lrfr_tf.images.decode_in_graph import decode_and_resize
from lrfr_tf.images.limits import PIXEL_BUDGET_IN_GRAPH
from lrfr_tf.images.resize import resize
from lrfr_tf.networks.stored_network import StoredNetwork, rounded_weights, source_of
from lrfr_tf.networks.super_resolution import KIND, SuperResolutionNetwork, load_trained_super_resolver
from lrfr_tf.networks.synthetic_faces import synthetic_faces, synthetic_files

BATCH_SIZES = (1, 8)


def servable_super_resolver(model: Path, precision: str = "float32") -> Servable:
    """Prepares the network of a run, `<run>/model`, for `export_saved_model`.

    What can be done in fewer operations is (see `models.fold`); what folding batch norm costs is in the facts.

    Args:
        precision: what the weights are stored in, one of `PRECISIONS`; what that costs is in the facts.

    Raises:
        UserError: the folder holds no network, or one with weights that are not finite in the precision.
    """
    trained = load_trained_super_resolver(model)
    live = trained.folded()
    network = live.network
    facts = {
        "low_size": live.low_size,
        "high_size": live.high_size,
        "pixel_budget": PIXEL_BUDGET_IN_GRAPH,
        "parameters": network.count_params(),
        "stored_as": precision,
        "source": source_of(model, trained.checksum),
    }
    requests = _requests(live.low_size)
    if network.count_params() < trained.network.count_params():
        facts["cost_of_folding"] = _difference(_answers(trained, requests), _answers(live, requests))
    if precision != "float32":
        exact = _answers(live, requests)
        network.set_weights(rounded_weights(network, precision))
        facts["cost_of_precision"] = _difference(exact, _answers(live, requests))
    if not all(np.isfinite(weight).all() for weight in network.get_weights()):
        raise UserError(f"{model} has weights that are not finite as {precision}; it is not exported.")
    module = StoredNetwork(network, precision)
    return Servable(KIND, module, _signatures(live.with_network(module)), requests, _answers(live, requests), facts)


def _signatures(resolver: SuperResolutionNetwork) -> dict[str, Any]:
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
    right = tf.reduce_all(tf.concat([shape, [0, 0, 0, 0, 0]], 0)[1:5] == [size, size, 3, 0])
    message = tf.strings.format(f"images must be [N, {size}, {size}, 3], not {{}}.", shape, summarize=8)
    check = tf.debugging.Assert(right, [message])
    with tf.control_dependencies([check]):
        return tf.identity(images)


def _requests(low_size: int) -> list[Request]:
    """Every signature with one face and with some, since the first call of each batch size is slow."""
    requests = []
    faces = synthetic_faces(max(BATCH_SIZES), low_size)
    for signature in ("serving_default", "super_resolve"):
        requests += [Request(signature, {"images": faces[:size]}) for size in BATCH_SIZES]
    files = synthetic_files()
    for some in (files[:1], files):
        requests.append(Request("super_resolve_bytes", {"image_bytes": some}))
    return requests


def _answers(live: SuperResolutionNetwork, requests: list[Request]) -> list[dict[str, np.ndarray]]:
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
