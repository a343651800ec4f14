"""A network of ours as one graph of plain operations, from uint8 faces of one size to the answer, for other runtimes.

A SavedModel checks its input, takes faces of any size and decodes files; converters know few of these operations. What
is converted is the way from fixed-size pixels to the answer alone; resizing other sizes is left to the caller
(Pillow's bicubic, `lrfr_tf.images.resize.resize`).
"""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lrfr_tf.errors import UserError
from lrfr_tf.models.facenet import Enlarge
from lrfr_tf.models.fold import fold_batch_norm
from lrfr_tf.networks.embedding import KIND as EMBEDDER
from lrfr_tf.networks.embedding import Embedder, load_embedder
from lrfr_tf.networks.exported_network import exported_network
from lrfr_tf.networks.saved_model import find_version, read_record
from lrfr_tf.networks.super_resolution import KIND as SUPER_RESOLUTION
from lrfr_tf.networks.super_resolution import (
    SuperResolutionNetwork,
    load_super_resolver,
    load_trained_super_resolver,
)
from lrfr_tf.networks.trained_backbone import load_backbone

Network = Callable[[np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Convertible:
    """A network that a converter can take, and what it is held against.

    Attributes:
        kind: `SUPER_RESOLUTION` or `EMBEDDER`.
        name, checksum: which model this is; the SHA-256 of the stored weights, or of the files of an export.
        size: side of the faces that go in, in pixels.
        high_size: side of the images that come out; 0 for an embedder.
        input_name, output_name: how the converted model calls them.
        compute: uint8 [N, size, size, 3] -> uint8 [N, high_size, high_size, 3], or unit-length float32 [N, D], as
            TensorFlow operations.
        reference: what the SavedModel, or the run's network in Keras, answers to the same faces, NumPy to NumPy.
        bytes: size of the stored model.
        template: what the faces of an embedder lie on; None for FaceNet, which takes them as they are cut out.
    """

    kind: str
    name: str
    checksum: str
    size: int
    high_size: int
    input_name: str
    output_name: str
    compute: Callable[[tf.Tensor], tf.Tensor]
    reference: Network
    bytes: int
    template: str | None = None

    def function(self, batch: int | None) -> Any:
        """`compute` as a `tf.function` with named input and output, for `batch` faces at a time; None: any number."""

        def answer(faces: tf.Tensor) -> dict[str, tf.Tensor]:
            return {self.output_name: self.compute(faces)}

        faces = tf.TensorSpec((batch, self.size, self.size, 3), tf.uint8, self.input_name)
        return tf.function(answer, input_signature=[faces])


def load_convertible(model: Path) -> Convertible:
    """Loads the model folder of a run, or an export: `saved_models/srgan/1`, or `saved_models/srgan` (newest).

    Raises:
        UserError: the folder holds neither a super-resolution network nor an embedder that can be rebuilt, or a file
            was changed or cut off.
    """
    if model.is_dir() and any(model.glob("*.weights.h5")):
        network, weights = load_backbone(model)
        embedder = load_embedder(str(weights), backbone=weights.name.split(".")[0])
        return _embedder(network, embedder, embedder.name, weights.stat().st_size)
    version = None if (model / "super_resolver.json").is_file() else find_version(model)
    if version is None:
        trained = load_trained_super_resolver(model)
        folded = trained.with_network(fold_batch_norm(trained.network))  # in an export it is folded already
        return _super_resolver(trained, folded, (model / "network.keras").stat().st_size)
    record = read_record(version)
    size = sum(file["bytes"] for file in record["files"].values())
    if record["kind"] == SUPER_RESOLUTION:
        resolver = load_super_resolver(version)
        return _super_resolver(resolver, resolver, size)
    if record["kind"] == EMBEDDER:
        embedder = load_embedder(str(version))
        return _embedder(exported_network(version, record), embedder, record["name"], size)
    raise UserError(f"{version} holds a model of the kind {record['kind']}; {SUPER_RESOLUTION} and {EMBEDDER} convert.")


def _super_resolver(resolver: SuperResolutionNetwork, folded: SuperResolutionNetwork, size: int) -> Convertible:
    return Convertible(
        SUPER_RESOLUTION, resolver.name, resolver.checksum, resolver.low_size, resolver.high_size,
        # ONNX has one set of names for inputs and outputs, so both cannot be "images" as in the SavedModel.
        "images", "super_resolved", folded.super_resolve_in_graph, resolver.super_resolve, size,
    )  # fmt: skip


def _embedder(network: keras.Model, embedder: Embedder, name: str, size: int) -> Convertible:
    network = _with_plain_resizing(network)

    def compute(faces: tf.Tensor) -> tf.Tensor:
        return tf.math.l2_normalize(network(tf.cast(faces, tf.float32), training=False), axis=-1)

    side = int(network.input_shape[1])
    return Convertible(
        EMBEDDER, name, embedder.checksum, side, 0, "faces", "embedding", compute, embedder.embed, size,
        embedder.template,
    )  # fmt: skip


class EnlargeByProducts(keras.layers.Layer):
    """`Enlarge` as two matrix products, which every runtime has: ONNX and TFLite know no antialiased bicubic of Keras'.

    Takes float32 [N, H, W, 3] of the one size that `enlarge` is asked for and returns float32 [N, S, S, 3].
    """

    def __init__(self, enlarge: Enlarge, side: int) -> None:
        super().__init__(name=enlarge.name, dtype="float32")
        self.side, self.size = side, enlarge.size
        # The layer itself says what each old pixel gives to each new one: every row of the identity matrix is an image
        # one pixel wide. Resizing is linear and the same along both axes.
        columns = keras.ops.convert_to_numpy(enlarge(np.eye(side, dtype=np.float32)[:, :, None, None]))
        self.matrix = columns[:, :, 0, 0].T

    def call(self, images: Any) -> Any:
        matrix = keras.ops.convert_to_tensor(self.matrix)
        rows = keras.ops.matmul(matrix, keras.ops.reshape(images, (-1, self.side, self.side * 3)))
        return keras.ops.matmul(matrix, keras.ops.reshape(rows, (-1, self.size, self.side, 3)))


def _with_plain_resizing(network: keras.Model) -> keras.Model:
    """The same network, sharing its weights, with `EnlargeByProducts` in the place of `Enlarge`."""
    if not any(isinstance(layer, Enlarge) for layer in network.layers):
        return network
    side = int(network.input_shape[1])

    def replaced(layer: keras.Layer) -> keras.Layer:
        return EnlargeByProducts(layer, side) if isinstance(layer, Enlarge) else layer

    return keras.models.clone_model(network, clone_function=replaced)
