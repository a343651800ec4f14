"""Trained super-resolution networks, stored and loaded: uint8 16 x 16 in, uint8 64 x 64 out."""

from pathlib import Path
from typing import Protocol

import keras
import numpy as np
import tensorflow as tf

from lrfr_tf.errors import UserError
from lrfr_tf.files import atomic_folder, read_json, sha256, write_json
from lrfr_tf.networks.graph_part import GraphPart
from lrfr_tf.networks.saved_model import find_version, read_record
from lrfr_tf.networks.super_resolvers import Bicubic, ExportedSuperResolver, KerasSuperResolver

SCHEMA = 1
DESCRIPTION = "super_resolver.json"
FIELDS = {"name": str, "low_size": int, "high_size": int, "enlarge_first": bool, "sha256": str}
KIND = "super_resolution"  # in the record of an export


class SuperResolutionNetwork(Protocol):
    """LR faces to HR faces; `super_resolvers` has the implementations.

    Attributes:
        name: how tables call it.
        low_size, high_size: side lengths in pixels.
        checksum: SHA-256 of the stored network, for manifests; "" for bicubic, or if it was not stored.
    """

    name: str
    low_size: int
    high_size: int
    checksum: str

    def super_resolve(self, images: np.ndarray) -> np.ndarray:
        """Super-resolves uint8 [N, low, low, 3] to uint8 [N, high, high, 3], batch by batch.

        Raises:
            ValueError: the images have another size or type.
        """

    def super_resolve_in_graph(self, images: tf.Tensor) -> tf.Tensor:
        """uint8 [N, low, low, 3] -> uint8 [N, high, high, 3], as TensorFlow operations."""

    def folded(self) -> "SuperResolutionNetwork":
        """The same in fewer operations (see `models.fold`), as exports compute it."""

    def graph_part(self) -> GraphPart:
        """`super_resolve_in_graph` with what must be stored beside it."""

    def copy_weights_to(self, network: keras.Model) -> bool:
        """Gives a network these weights, if it has their form; says whether it has."""


def bicubic(low_size: int = 16, high_size: int = 64) -> SuperResolutionNetwork:
    """Pillow's bicubic enlargement: the baseline."""
    return Bicubic(low_size, high_size)


def save_super_resolver(folder: Path, resolver: KerasSuperResolver) -> None:
    """Stores a network as `network.keras` and `super_resolver.json`, the folder whole or not at all."""
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
        write_json(temporary / DESCRIPTION, description)


def load_super_resolver(folder: Path) -> SuperResolutionNetwork:
    """Loads what `save_super_resolver` stored, or an export: `saved_models/srgan/1`, or `saved_models/srgan` (newest).

    The network computes in float32, whatever precision it was trained in.

    Raises:
        UserError: the folder is neither, or a file was changed or cut off.
    """
    version = None if (folder / DESCRIPTION).is_file() else find_version(folder)
    if version is None:
        return load_trained_super_resolver(folder)
    record = read_record(version)
    if record["kind"] != KIND:
        raise UserError(f"{version} holds a model of the kind {record['kind']}, not {KIND}.")
    return ExportedSuperResolver(version, record, tf.saved_model.load(str(version)))


def load_trained_super_resolver(folder: Path) -> KerasSuperResolver:
    """Loads what `save_super_resolver` stored; see `load_super_resolver`.

    Raises:
        UserError: the folder holds something else, or a file was changed or cut off.
    """
    if not (folder / DESCRIPTION).is_file():
        if find_version(folder) is not None:
            raise UserError(f"{folder} is an export already; the model folder of a training run is wanted.")
        raise UserError(
            f"{folder} holds no super-resolution model (no {DESCRIPTION}, no <version>/saved_model.pb); train_* "
            "writes <run>/model, and lrfr export saved_models/<name>/<version>."
        )
    description = read_json(folder / DESCRIPTION)
    if not isinstance(description, dict) or description.get("schema") != SCHEMA:
        raise UserError(f"{folder / 'super_resolver.json'} is not of schema {SCHEMA}.")
    if {name: type(description.get(name)) for name in FIELDS} != FIELDS:
        raise UserError(f"{folder / 'super_resolver.json'} lacks a field, or has one of another type.")
    file = folder / "network.keras"
    if not file.is_file() or sha256(file) != description["sha256"]:
        raise UserError(f"{file} is missing or is not the file that {DESCRIPTION} describes (sha256 differs).")
    try:
        network = keras.saving.load_model(file, compile=False, safe_mode=True)
    except Exception as error:  # many kinds, by where the file is broken; in safe mode code in it is an error too
        reason = " ".join(str(error).split())[:200].rstrip(".")
        raise UserError(f"{file} cannot be loaded as a network without code of its own ({reason}).") from None
    return KerasSuperResolver(
        description["name"],
        in_float32(network),
        low_size=description["low_size"],
        high_size=description["high_size"],
        enlarge_first=description["enlarge_first"],
        checksum=description["sha256"],
    )


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
