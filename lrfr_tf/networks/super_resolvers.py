"""Kinds of super-resolution: bicubic, a Keras network, an export. See `super_resolution.SuperResolutionNetwork`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lrfr_tf.images.resize import resize_in_graph
from lrfr_tf.models.fold import fold_for_inference
from lrfr_tf.networks.graph_part import GraphPart
from lrfr_tf.networks.saved_model import content_checksum
from lrfr_tf.networks.stored_network import StoredNetwork, read_weights

BATCH_SIZE = 64

InGraph = Callable[[tf.Tensor], tf.Tensor]


class Bicubic:
    """Pillow's bicubic enlargement: what a recognizer sees without super-resolution."""

    def __init__(self, low_size: int = 16, high_size: int = 64) -> None:
        self.name, self.checksum = "bicubic", ""
        self.low_size, self.high_size = low_size, high_size
        self._compiled = Compiled(self)

    def super_resolve(self, images: np.ndarray) -> np.ndarray:
        """See `SuperResolutionNetwork.super_resolve`."""
        return self._compiled(images)

    def super_resolve_in_graph(self, images: tf.Tensor) -> tf.Tensor:
        """See `SuperResolutionNetwork.super_resolve_in_graph`."""
        return resize_in_graph(images, self.high_size, self.high_size)

    def folded(self) -> "Bicubic":
        """See `SuperResolutionNetwork.folded`."""
        return self

    def graph_part(self) -> GraphPart:
        """See `SuperResolutionNetwork.graph_part`."""
        return GraphPart(self.super_resolve_in_graph, None, 0)

    def copy_weights_to(self, network: keras.Model) -> bool:
        """See `SuperResolutionNetwork.copy_weights_to`: it has none."""
        return False


class KerasSuperResolver:
    """A Keras network.

    Args:
        network: float32 RGB in 0..255, in and out.
        enlarge_first: the network takes the bicubic-enlarged image (SRCNN) instead of the small one (SRGAN).
        name, low_size, high_size, checksum: as `SuperResolutionNetwork` has them.
    """

    def __init__(
        self,
        name: str,
        network: keras.Model,
        *,
        low_size: int = 16,
        high_size: int = 64,
        enlarge_first: bool = False,
        checksum: str = "",
    ) -> None:
        self.name = name
        self.network = network
        self.low_size = low_size
        self.high_size = high_size
        self.enlarge_first = enlarge_first
        self.checksum = checksum
        self._compiled = Compiled(self)

    def super_resolve(self, images: np.ndarray) -> np.ndarray:
        """See `SuperResolutionNetwork.super_resolve`."""
        return self._compiled(images)

    def super_resolve_in_graph(self, images: tf.Tensor) -> tf.Tensor:
        """See `SuperResolutionNetwork.super_resolve_in_graph`."""
        if self.enlarge_first:
            images = resize_in_graph(images, self.high_size, self.high_size)
        output = self.network(tf.cast(images, tf.float32), training=False)
        return tf.cast(tf.clip_by_value(tf.round(output), 0.0, 255.0), tf.uint8)

    def folded(self) -> "KerasSuperResolver":
        """See `SuperResolutionNetwork.folded`."""
        return self.with_network(fold_for_inference(self.network))

    def with_network(self, network: Any) -> "KerasSuperResolver":
        """The same with another form of its network."""
        return KerasSuperResolver(
            self.name, network, low_size=self.low_size, high_size=self.high_size, enlarge_first=self.enlarge_first,
            checksum=self.checksum,
        )  # fmt: skip

    def graph_part(self) -> GraphPart:
        """See `SuperResolutionNetwork.graph_part`."""
        module = StoredNetwork(self.network, "float32")
        return GraphPart(self.with_network(module).super_resolve_in_graph, module, self.network.count_params())

    def copy_weights_to(self, network: keras.Model) -> bool:
        """See `SuperResolutionNetwork.copy_weights_to`."""
        return _set_weights(network, self.network.get_weights())


class ExportedSuperResolver:
    """The `super_resolve` signature of an export; the network cannot be taken out of it.

    Args:
        version: the folder of the export.
        record: its record (`read_record`).
        exported: the loaded SavedModel.
    """

    def __init__(self, version: Path, record: dict[str, Any], exported: Any) -> None:
        self.name: str = record["name"]
        self.low_size: int = record["low_size"]
        self.high_size: int = record["high_size"]
        self.checksum = content_checksum(record["files"])
        self._version, self._record = version, record
        self._exported = exported  # its variables live as long as it does
        self._compiled = Compiled(self)

    def super_resolve(self, images: np.ndarray) -> np.ndarray:
        """See `SuperResolutionNetwork.super_resolve`."""
        return self._compiled(images)

    def super_resolve_in_graph(self, images: tf.Tensor) -> tf.Tensor:
        """See `SuperResolutionNetwork.super_resolve_in_graph`."""
        return self._exported.signatures["super_resolve"](images=images)["images"]

    def folded(self) -> "ExportedSuperResolver":
        """See `SuperResolutionNetwork.folded`: an export is already."""
        return self

    def graph_part(self) -> GraphPart:
        """See `SuperResolutionNetwork.graph_part`."""
        return GraphPart(self.super_resolve_in_graph, self._exported, self._record.get("parameters", 0))

    def copy_weights_to(self, network: keras.Model) -> bool:
        """See `SuperResolutionNetwork.copy_weights_to`; an export stores those of the folded network."""
        folded = fold_for_inference(network)
        for trainable in (False, True):  # exports of averages have frozen weights
            folded.trainable = trainable
            if read_weights(self._version, self._record["stored_as"], folded):
                return _set_weights(network, folded.get_weights())
        return False


class Compiled:
    """A super-resolver as one compiled call, uint8 [N, low, low, 3] -> uint8 [N, high, high, 3], batch by batch."""

    def __init__(self, resolver: Any) -> None:
        self._resolver = resolver
        self._call: Any = None

    def __call__(self, images: np.ndarray) -> np.ndarray:
        resolver = self._resolver
        low, high = resolver.low_size, resolver.high_size
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1:] != (low, low, 3):
            raise ValueError(f"{resolver.name} takes uint8 [N, {low}, {low}, 3], not {images.dtype} {images.shape}.")
        if self._call is None:
            # Concrete: of several tf.functions around one method TensorFlow thinks that one is traced again and again.
            signature = [tf.TensorSpec((None, low, low, 3), tf.uint8)]
            function = tf.function(resolver.super_resolve_in_graph, input_signature=signature)
            self._call = function.get_concrete_function()
        output = np.empty((len(images), high, high, 3), np.uint8)
        for start in range(0, len(images), BATCH_SIZE):
            output[start : start + BATCH_SIZE] = self._call(tf.constant(images[start : start + BATCH_SIZE])).numpy()
        return output


def _set_weights(network: keras.Model, weights: list[np.ndarray]) -> bool:
    if [weight.shape for weight in weights] != [tuple(weight.shape) for weight in network.weights]:
        return False
    network.set_weights(weights)
    return True
