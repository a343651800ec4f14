"""An embedder with the edges of a served model: faces of any size in, embeddings or similarities out.

It is the network of a run, or FaceNet.
"""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lrfr_tf.errors import UserError
from lrfr_tf.export.servable import Servable
from lrfr_tf.export.warm_up import Request
from lrfr_tf.faces.align import ALIGNED_SIZE
from lrfr_tf.files import sha256
from lrfr_tf.images.decode import decode_image
from lrfr_tf.images.decode_in_graph import decode_and_resize
from lrfr_tf.images.limits import LONGEST_SIDE, MOST_IMAGES, PIXEL_BUDGET_IN_GRAPH, PIXELS_OF_ALL
from lrfr_tf.images.resize import resize
from lrfr_tf.models.backbone import fold_facenet
from lrfr_tf.models.bfloat16 import in_bfloat16
from lrfr_tf.networks.constant_network import ConstantNetwork
from lrfr_tf.networks.embedding import KIND, load_published_embedder
from lrfr_tf.networks.exported_network import exported_network
from lrfr_tf.networks.graph_part import embeddings_in_graph
from lrfr_tf.networks.saved_model import read_record
from lrfr_tf.networks.stored_network import StoredNetwork, rounded_weights, source_of
from lrfr_tf.networks.synthetic_faces import synthetic_faces, synthetic_files
from lrfr_tf.networks.trained_backbone import load_backbone
from lrfr_tf.weights.backbone import template_of_weights

BATCH_SIZES = (1, 4)
SMALL_FACE = 16
# How far an export's numbers may be from those of the network outside of it: in a graph a convolution, its bias and its
# activation are rounded once, outside of it three times.
LARGEST_DIFFERENCE = {"float32": 1e-4, "bfloat16": 0.02}

EmbedderModule = StoredNetwork | ConstantNetwork


def servable_embedder(model: Path, precision: str = "float32", compute: str = "float32") -> Servable:
    """Prepares the network that train_siamese or train_distillation wrote into `<run>/model` for `export_saved_model`.

    Args:
        precision: what the weights are stored in, one of `PRECISIONS`; what that costs is in the facts.
        compute: what the network computes in, one of `COMPUTE_TYPES`; what that costs is in the facts.

    Raises:
        UserError: the folder holds no such network, or one with weights that are not finite in the precision, or
            `compute` does not go with `precision`.
    """
    network, weights = load_backbone(model)
    facts: dict[str, Any] = {"template": template_of_weights(weights), "backbone": weights.name.split(".")[0]}
    facts["source"] = source_of(model, sha256(weights))
    return _servable(str(model), network, network, facts, precision=precision, compute=compute)


def servable_facenet(
    model: str, weights: Path | None = None, precision: str = "float32", compute: str = "float32"
) -> Servable:
    """Prepares a published FaceNet for `export_saved_model`.

    Its batch norm becomes part of the convolutions; what that costs is in the facts.

    Args:
        model, weights: a FaceNet by name and its file, as `load_embedder` takes them.
        precision: what the weights are stored in, one of `PRECISIONS`; what that costs is in the facts.
        compute: what the network computes in, one of `COMPUTE_TYPES`; what that costs is in the facts.

    Raises:
        UserError: the model is not known, its file is missing or another one, or `compute` does not go with
            `precision`.
    """
    embedder = load_published_embedder(model, weights)
    # A face as the detector cuts it out, not aligned.
    source = {"model": embedder.name, "sha256": embedder.checksum}
    facts = {"template": None, "backbone": embedder.network.name, "source": source}
    return _servable(
        model, embedder.network, fold_facenet(embedder.network), facts, precision=precision, compute=compute
    )


def servable_exported_embedder(version: Path, precision: str = "float32", compute: str = "float32") -> Servable:
    """Prepares an embedder that was exported already for another export, in another precision or to compute in another.

    Args:
        version: the folder of the export; what its weights lost when they were stored stays lost.
        precision: what the weights are stored in, one of `PRECISIONS`; what that costs is in the facts.
        compute: what the network computes in, one of `COMPUTE_TYPES`; what that costs is in the facts.

    Raises:
        UserError: the export is not an embedder of ours, or was changed; or `compute` does not go with `precision`.
    """
    record = read_record(version)
    if record["kind"] != KIND:
        raise UserError(f"{version} is an export already, a {record['kind']}; only embedders are exported anew.")
    network = exported_network(version, record)
    facts: dict[str, Any] = {key: record[key] for key in ("template", "backbone", "source") if key in record}
    # With its own source, if it was made of an export, too: all that the weights went through.
    told = ("name", "version", "sha256", "stored_as", "source_export")
    facts["source_export"] = {key: record[key] for key in told if key in record}
    return _servable(str(version), network, network, facts, precision=precision, compute=compute)


def _servable(
    what: str,
    trained: keras.Model,
    network: keras.Model,
    facts: dict[str, Any],
    *,
    precision: str,
    compute: str,
) -> Servable:
    """The signatures of a network, which is the `trained` one or a faster form of it."""
    if compute != "float32" and precision != "float32":
        raise UserError(f"`compute`={compute} stores the weights so, too; it does not go with `precision`={precision}.")
    size = int(network.input_shape[1])
    requests = embedder_requests(face_sizes(facts.get("template"), size))
    facts = {
        "input_size": size,
        "dimensions": int(network.output_shape[-1]),
        "pixel_budget": PIXEL_BUDGET_IN_GRAPH,
        "parameters": network.count_params(),
        "stored_as": precision if compute == "float32" else compute,
        "computes_in": compute,
        **facts,
    }
    stored = rounded_weights(network, precision)
    if not all(np.isfinite(weight).all() for weight in stored):
        raise UserError(f"{what} has weights that are not finite as {precision}; it is not exported.")
    answers = _answers(trained, requests)
    if network is not trained:
        facts["cost_of_folding"] = _summarize_cosines(answers, _answers(network, requests))
    if precision != "float32":
        network.set_weights(stored)
        exact, answers = answers, _answers(network, requests)
        facts["cost_of_precision"] = _summarize_cosines(exact, answers)
    if compute != "float32":
        exact, answers = answers, _answers(in_bfloat16(network), requests)
        facts["cost_of_compute"] = _summarize_cosines(exact, answers)
    module = ConstantNetwork(network) if compute != "float32" else StoredNetwork(network, precision)
    return Servable(KIND, module, _signatures(module, size), requests, answers, facts, LARGEST_DIFFERENCE[compute])


def _signatures(network: EmbedderModule, size: int) -> dict[str, Any]:
    # All signatures call this one function, so that the graph is stored once.
    embeddings = embeddings_in_graph(network, size)

    def embed(faces: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"embedding": embeddings(checked_faces(faces))}

    def embed_bytes(image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"embedding": embeddings(decode_and_resize(image_bytes, size, size))}

    def similarity(first: tf.Tensor, second: tf.Tensor) -> dict[str, tf.Tensor]:
        same = tf.debugging.Assert(
            tf.shape(first)[0] == tf.shape(second)[0], ["verify compares as many faces_a as faces_b."]
        )
        with tf.control_dependencies([same]):
            return {"similarity": tf.reduce_sum(first * second, axis=-1)}

    def verify(faces_a: tf.Tensor, faces_b: tf.Tensor) -> dict[str, tf.Tensor]:
        return similarity(embeddings(checked_faces(faces_a)), embeddings(checked_faces(faces_b)))

    def verify_bytes(image_bytes_a: tf.Tensor, image_bytes_b: tf.Tensor) -> dict[str, tf.Tensor]:
        return similarity(
            embeddings(decode_and_resize(image_bytes_a, size, size)),
            embeddings(decode_and_resize(image_bytes_b, size, size)),
        )

    def faces(name: str) -> tf.TensorSpec:
        return tf.TensorSpec((None, None, None, 3), tf.uint8, name)

    def files(name: str) -> tf.TensorSpec:
        return tf.TensorSpec((None,), tf.string, name)

    made = {
        "embed": tf.function(embed, input_signature=[faces("faces")]),
        "embed_bytes": tf.function(embed_bytes, input_signature=[files("image_bytes")]),
        "verify": tf.function(verify, input_signature=[faces("faces_a"), faces("faces_b")]),
        "verify_bytes": tf.function(verify_bytes, input_signature=[files("image_bytes_a"), files("image_bytes_b")]),
    }
    signatures = {name: function.get_concrete_function() for name, function in made.items()}
    return {"serving_default": signatures["embed"], **signatures}


def checked_faces(faces: tf.Tensor) -> tf.Tensor:
    """The same faces, but not if they have no pixels, or too many to be resized: TF-Serving does not check."""
    shape = tf.shape(faces)
    # The ones stand for dimensions that may be missing.
    count, height, width, channels = tf.unstack(tf.cast(tf.concat([shape, [1, 1, 1, 1]], 0)[:4], tf.int64))
    right = (tf.size(shape) == 4) & (channels == 3) & (tf.minimum(height, width) > 0)
    right &= (tf.maximum(height, width) <= LONGEST_SIDE) & (height * width <= PIXEL_BUDGET_IN_GRAPH)
    right &= (count <= MOST_IMAGES) & (count * height * width <= PIXELS_OF_ALL)
    limits = f"H and W of 1 to {LONGEST_SIDE:,} and at most {PIXEL_BUDGET_IN_GRAPH:,} pixels, N of at most "
    limits += f"{MOST_IMAGES:,} and {PIXELS_OF_ALL:,} pixels in all"
    message = tf.strings.format("faces must be [N, H, W, 3] with " + limits + ", not {}.", shape, summarize=8)
    with tf.control_dependencies([tf.debugging.Assert(right, [message])]):
        return tf.identity(faces)


def face_sizes(template: str | None, input_size: int) -> tuple[int, int]:
    """What faces are sent as, in pixels: as they are aligned, and small; faces that are not aligned have any size."""
    return (ALIGNED_SIZE if template is None else input_size), SMALL_FACE


def embedder_requests(sizes: tuple[int, ...]) -> list[Request]:
    """Every signature with one face and with some, since the first call of each batch size is slow."""
    requests = []
    for size in sizes:
        faces = synthetic_faces(2 * max(BATCH_SIZES), size)
        for count in BATCH_SIZES:
            requests += [Request(name, {"faces": faces[:count]}) for name in ("serving_default", "embed")]
            requests.append(Request("verify", {"faces_a": faces[:count], "faces_b": faces[-count:]}))
    files = synthetic_files()
    for some in (files[:1], files):
        requests.append(Request("embed_bytes", {"image_bytes": some}))
        requests.append(Request("verify_bytes", {"image_bytes_a": some, "image_bytes_b": some[::-1]}))
    return requests


def _answers(network: keras.Model, requests: list[Request]) -> list[dict[str, np.ndarray]]:
    """What Keras, NumPy and Pillow make of the requests."""
    size = int(network.input_shape[1])

    def embedded(array: np.ndarray) -> np.ndarray:
        photos = [decode_image(data, "a warm-up image") for data in array] if array.dtype == object else list(array)
        faces = np.stack([resize(photo, size, size) for photo in photos]).astype(np.float32)
        features = np.asarray(network(faces, training=False))
        return features / np.linalg.norm(features, axis=1, keepdims=True)

    answers = []
    for request in requests:
        rows = [embedded(array) for array in request.inputs.values()]
        answers.append({"embedding": rows[0]} if len(rows) == 1 else {"similarity": (rows[0] * rows[1]).sum(axis=1)})
    return answers


def _summarize_cosines(before: list[dict[str, np.ndarray]], after: list[dict[str, np.ndarray]]) -> dict[str, float]:
    """How far the embeddings of two sets of answers are apart."""
    pairs = [(a["embedding"], b["embedding"]) for a, b in zip(before, after, strict=True) if "embedding" in a]
    cosines = np.concatenate([(a * b).sum(axis=1) for a, b in pairs])
    return {"smallest_cosine": float(cosines.min()), "mean_cosine": float(cosines.mean())}
