"""Models of a few lines for the stand-in server."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from lrfr_tf.export.check import describe_signature
from lrfr_tf.export.servable import Servable
from lrfr_tf.export.warm_up import Request
from lrfr_tf.files import write_json
from lrfr_tf.images.decode_in_graph import decode_and_resize
from lrfr_tf.networks.saved_model import SCHEMA, content_checksum, file_checksums
from lrfr_tf.networks.synthetic_faces import synthetic_faces, synthetic_files

PERSONS = {"red": (220, 40, 40), "green": (40, 220, 40), "Zoë Müller": (40, 40, 220)}


class ColorClassifier(tf.Module):
    """Tells persons apart by the mean color of their face, with the signatures of an exported classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.colors = tf.Variable(np.array(list(PERSONS.values()), np.float32), False)

    def __call__(self, faces: tf.Tensor) -> dict[str, tf.Tensor]:
        mean = tf.reduce_mean(tf.cast(faces, tf.float32), axis=[1, 2])
        distances = tf.norm(mean[:, None] - self.colors[None], axis=-1)
        scores, best = tf.math.top_k(tf.nn.softmax(-distances / 50), k=2)
        return {"identity": tf.gather(tf.constant([name.encode() for name in PERSONS]), best), "score": scores}


def servable_classifier() -> Servable:
    module = ColorClassifier()

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, 3), tf.uint8, "faces")])
    def identify(faces: tf.Tensor) -> dict[str, tf.Tensor]:
        return module(faces)

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, "image_bytes")])
    def identify_bytes(image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        return module(decode_and_resize(image_bytes, 16, 16))

    pixels, files = identify.get_concrete_function(), identify_bytes.get_concrete_function()
    signatures = {"serving_default": pixels, "identify": pixels, "identify_bytes": files}
    faces = synthetic_faces(2, 16)
    requests = [
        Request("serving_default", {"faces": faces}),
        Request("identify", {"faces": faces[:1]}),
        Request("identify_bytes", {"image_bytes": synthetic_files()}),
    ]
    outputs = [signatures[request.signature](*map(tf.constant, request.inputs.values())) for request in requests]
    answers = [
        {
            "identity": np.char.decode(output["identity"].numpy().astype(bytes), "utf-8"),
            "score": output["score"].numpy(),
        }
        for output in outputs
    ]
    return Servable("classifier", module, signatures, requests, answers, {})


def save_classifier(folder: Path) -> Path:
    """Saves it as version 1 without the check in another process; returns the folder of its versions."""
    servable = servable_classifier()
    tf.saved_model.save(servable.module, str(folder / "1"), signatures=servable.signatures)
    return folder


def save_half_plus_three(folder: Path, versions: tuple[int, ...] = (123,)) -> Path:
    """The model of TF-Serving's own examples: x -> x / 2 + 3."""
    module = tf.Module()
    module.half = tf.Variable(0.5)

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.float32, "x")])
    def predict(x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": module.half * x + 3}

    for version in versions:
        signatures = {"serving_default": predict.get_concrete_function()}
        tf.saved_model.save(module, str(folder / str(version)), signatures=signatures)
    return folder


class ColorEmbedder(tf.Module):
    """A face -> its mean color as a vector of unit length, with the signatures of an exported embedder."""

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, 3), tf.uint8, "faces")])
    def embed(self, faces: tf.Tensor) -> dict[str, tf.Tensor]:
        mean = tf.reduce_mean(tf.cast(faces, tf.float32), axis=[1, 2])
        return {"embedding": tf.math.l2_normalize(mean, axis=-1)}

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, "image_bytes")])
    def embed_bytes(self, image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        return self.embed(decode_and_resize(image_bytes, 112, 112))

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, f"image_bytes_{one}") for one in "ab"])
    def verify_bytes(self, image_bytes_a: tf.Tensor, image_bytes_b: tf.Tensor) -> dict[str, tf.Tensor]:
        first, second = (self.embed_bytes(files)["embedding"] for files in (image_bytes_a, image_bytes_b))
        return {"similarity": tf.reduce_sum(first * second, axis=-1)}


def save_embedder(folder: Path) -> Path:
    """Saves it as version 1 with the record of an export that takes aligned faces; returns the folder of versions."""
    module, version = ColorEmbedder(), folder / "1"
    signatures = {
        name: getattr(module, name).get_concrete_function() for name in ("embed", "embed_bytes", "verify_bytes")
    }
    tf.saved_model.save(module, str(version), signatures=signatures)
    files = file_checksums(version)
    record = {
        "schema": SCHEMA,
        "kind": "embedder",
        "name": "color",
        "version": 1,
        "signatures": {name: describe_signature(function) for name, function in signatures.items()},
        "template": "centred",
        "input_size": 112,
        "sha256": content_checksum(files),
        "files": files,
    }
    write_json(version / "model.json", record)
    return folder
