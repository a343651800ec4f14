"""A trained super-resolution network as one compiled call: uint8 16 x 16 in, uint8 64 x 64 out."""

import functools
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lrfr_tf.errors import UserError
from lrfr_tf.files import atomic_folder, read_json, sha256, write_json
from lrfr_tf.images.resize import resize_in_graph
from lrfr_tf.networks.saved_model import content_checksum, find_version, read_record

SCHEMA = 1
FIELDS = {"name": str, "low_size": int, "high_size": int, "enlarge_first": bool, "sha256": str}
KIND = "super_resolution"  # in the record of an export
BATCH_SIZE = 64


class SuperResolutionNetwork:
    """LR faces to HR faces; with no network it is bicubic enlargement, the baseline.

    Args:
        name: how tables call it.
        network: float32 RGB 0..255 in and out, or None for bicubic.
        low_size, high_size: side lengths in pixels.
        enlarge_first: the network takes the bicubic-enlarged image (SRCNN) instead of the small one (SRGAN).
        checksum: sha256 of the stored network, for manifests.
    """

    def __init__(
        self,
        name: str,
        network: keras.Model | None,
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

    @functools.cached_property
    def _compiled(self) -> Any:
        # Concrete: of several tf.functions around one method TensorFlow thinks that one is traced again and again.
        signature = [tf.TensorSpec((None, self.low_size, self.low_size, 3), tf.uint8)]
        return tf.function(self.super_resolve_in_graph, input_signature=signature).get_concrete_function()

    def super_resolve_in_graph(self, images: tf.Tensor) -> tf.Tensor:
        """uint8 [N, low, low, 3] -> uint8 [N, high, high, 3], as TensorFlow operations."""
        if self.network is None:
            return resize_in_graph(images, self.high_size, self.high_size)
        if self.enlarge_first:
            images = resize_in_graph(images, self.high_size, self.high_size)
        output = self.network(tf.cast(images, tf.float32), training=False)
        return tf.cast(tf.clip_by_value(tf.round(output), 0.0, 255.0), tf.uint8)

    def super_resolve(self, images: np.ndarray) -> np.ndarray:
        """Super-resolves uint8 [N, low, low, 3] to uint8 [N, high, high, 3], batch by batch.

        Raises:
            ValueError: the images have another size or type.
        """
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1:] != (self.low_size, self.low_size, 3):
            raise ValueError(
                f"{self.name} takes uint8 [N, {self.low_size}, {self.low_size}, 3], not {images.dtype} {images.shape}."
            )
        output = np.empty((len(images), self.high_size, self.high_size, 3), np.uint8)
        for start in range(0, len(images), BATCH_SIZE):
            output[start : start + BATCH_SIZE] = self._compiled(tf.constant(images[start : start + BATCH_SIZE])).numpy()
        return output


class ExportedSuperResolver(SuperResolutionNetwork):
    """The same, from the `super_resolve` signature of an export; the network cannot be taken out of it."""

    def __init__(self, version: Path, record: dict[str, Any], exported: Any, checksum: str) -> None:
        self.version = version
        self.record = record
        self.exported = exported  # its variables live as long as it does
        super().__init__(record["name"], None, record["low_size"], record["high_size"], checksum=checksum)

    def super_resolve_in_graph(self, images: tf.Tensor) -> tf.Tensor:
        """uint8 [N, low, low, 3] -> uint8 [N, high, high, 3], as TensorFlow operations."""
        return self.exported.signatures["super_resolve"](images=images)["images"]


def bicubic(low_size: int = 16, high_size: int = 64) -> SuperResolutionNetwork:
    """Pillow's bicubic enlargement: what a recognizer sees without super-resolution."""
    return SuperResolutionNetwork("bicubic", None, low_size, high_size)


def save_super_resolver(folder: Path, resolver: SuperResolutionNetwork) -> None:
    """Stores a network as `network.keras` and `super_resolver.json`, the folder whole or not at all.

    Raises:
        ValueError: bicubic has no network to store.
    """
    if resolver.network is None:
        raise ValueError(f"{resolver.name} has no network to store.")
    with atomic_folder(folder) as temporary:
        resolver.network.save(temporary / "network.keras")
        description = {
            "schema": SCHEMA,
            "name": resolver.name,
            "low_size": resolver.low_size,
            "high_size": resolver.high_size,
            "enlarge_first": resolver.enlarge_first,
            "sha256": sha256(temporary / "network.keras"),
        }
        write_json(temporary / "super_resolver.json", description)


def load_super_resolver(folder: Path) -> SuperResolutionNetwork:
    """Loads what `save_super_resolver` stored, or an export: `saved_models/srgan/1`, or `saved_models/srgan` (newest).

    The network computes in float32, whatever precision it was trained in.

    Raises:
        UserError: the folder is neither, or a file was changed or cut off.
    """
    if (folder / "super_resolver.json").is_file():
        return _load_network(folder)
    version = find_version(folder)
    if version is None:
        raise UserError(
            f"{folder} holds no super-resolution model (no super_resolver.json, no <version>/saved_model.pb); train_* "
            "writes <run>/model, and tools/export_saved_model.py saved_models/<name>/<version>."
        )
    return _load_export(version)


def _load_network(folder: Path) -> SuperResolutionNetwork:
    description = read_json(folder / "super_resolver.json")
    if not isinstance(description, dict) or description.get("schema") != SCHEMA:
        raise UserError(f"{folder / 'super_resolver.json'} is not of schema {SCHEMA}.")
    if {name: type(description.get(name)) for name in FIELDS} != FIELDS:
        raise UserError(f"{folder / 'super_resolver.json'} lacks a field, or has one of another type.")
    file = folder / "network.keras"
    if not file.is_file() or sha256(file) != description["sha256"]:
        raise UserError(f"{file} is missing or is not the file that super_resolver.json describes (sha256 differs).")
    try:
        network = keras.saving.load_model(file, compile=False, safe_mode=True)
    except Exception as error:  # many kinds, by where the file is broken; in safe mode code in it is an error too
        reason = " ".join(str(error).split())[:200].rstrip(".")
        raise UserError(f"{file} cannot be loaded as a network without code of its own ({reason}).") from None
    return SuperResolutionNetwork(
        description["name"],
        in_float32(network),
        description["low_size"],
        description["high_size"],
        description["enlarge_first"],
        description["sha256"],
    )


def _load_export(version: Path) -> SuperResolutionNetwork:
    record = read_record(version)
    if record["kind"] != KIND:
        raise UserError(f"{version} holds a model of the kind {record['kind']}, not {KIND}.")
    return ExportedSuperResolver(version, record, tf.saved_model.load(str(version)), content_checksum(record["files"]))


def in_float32(network: keras.Model) -> keras.Model:
    """The same network with every layer computing in float32: a network trained in half precision stores its policies.

    The weights are float32 in either; a network that is float32 throughout is returned as it is.
    """
    if all(layer.compute_dtype == "float32" for layer in network.layers):
        return network

    def with_policy(layer: keras.Layer) -> keras.Layer:
        return type(layer).from_config({**layer.get_config(), "dtype": "float32"})

    copy = keras.models.clone_model(network, clone_function=with_policy)
    copy.set_weights(network.get_weights())
    return copy
