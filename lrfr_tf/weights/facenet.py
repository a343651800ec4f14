"""Published FaceNet weights, set layer by layer into our own network.

The files are legacy Keras .h5 files. They are opened with h5py after their SHA-256 is checked, and only arrays are read
from them: the Python bytecode of their Lambda layers is never touched.
"""

import http.client
import types
import warnings
from pathlib import Path

import h5py
import keras
import numpy as np

from lrfr_tf.errors import UserError
from lrfr_tf.files import atomic_file, sha256
from lrfr_tf.models.facenet import TRUNK, StandardiseFixed, WhitenEach, facenet
from lrfr_tf.weights.sample_package import FACENET_PACKAGE

FACENET_128_SHA256 = FACENET_PACKAGE.weights_sha256

# VGGFace2 (LFW 0.9965) and CASIA-WebFace (LFW 0.9905), by David Sandberg.
FACENET_512_KEYS = ("20180402-114759", "20180408-102900")


def load_facenet_128(path: Path) -> keras.Model:
    """FaceNet with 128 dimensions (trained on MS-Celeb-1M with per-image whitening), from facenet_keras.h5.

    The model takes float RGB images [N, 160, 160, 3] in 0..255 and returns float32 [N, 128] of unit length.

    Raises:
        UserError: the file is missing or is another file.
    """
    check_sha256(path, FACENET_128_SHA256, "facenet_keras.h5")
    model = facenet(128, WhitenEach)
    set_layer_weights(model.get_layer(TRUNK), path)
    return model


def load_facenet_512(key: str, path: Path) -> keras.Model:
    """FaceNet with 512 dimensions (fixed standardization), from the weight file that keras-facenet publishes for `key`.

    The model takes float RGB images [N, 160, 160, 3] in 0..255 and returns float32 [N, 512] of unit length.

    Raises:
        UserError: the file is missing or is another file.
    """
    check_sha256(path, facenet_512_sha256(key), f"the keras-facenet weights of {key}")
    model = facenet(512, StandardiseFixed)
    set_layer_weights(model.get_layer(TRUNK), path)
    return model


def fetch_facenet_512(key: str, cache: Path | None = None) -> Path:
    """The 512-D weight file of `key`: from keras-facenet's cache (~/.keras-facenet), or fetched into it.

    Raises:
        UserError: the file is not in the cache and cannot be fetched.
    """
    keras_facenet = _keras_facenet()
    entry = keras_facenet.metadata.MODEL_METADATA[key]
    cache = Path.home() / ".keras-facenet" if cache is None else cache
    path = cache / entry["dir_name"] / entry["keras_weights_filename"]
    digest = entry["keras_weights_sha256"]
    if path.is_file() and sha256(path) == digest:
        return path
    try:
        with atomic_file(path) as temporary:
            keras_facenet.utils.download_and_verify(entry["keras_weights_url"], str(temporary), digest)
            check_sha256(temporary, digest, f"the weights of {key}")  # their own check is an assert
    except AssertionError:
        raise UserError(f"What was fetched for the FaceNet weights {key} has another SHA-256 than expected.") from None
    except (OSError, http.client.HTTPException):
        raise UserError(
            f"Could not fetch the FaceNet weights {key}: connect to the network, or give a file as "
            "`facenet_weights`=FILE."
        ) from None
    return path


def facenet_512_sha256(key: str) -> str:
    """The SHA-256 that keras-facenet's catalog gives for the weight file of `key`."""
    return str(_keras_facenet().metadata.MODEL_METADATA[key]["keras_weights_sha256"])


def check_sha256(path: Path, expected: str, what: str) -> None:
    """Raises UserError, naming the file, if it is missing or its SHA-256 is not `expected`."""
    if not path.is_file():
        raise UserError(f"The weight file {path} is missing.")
    found = sha256(path)
    if found != expected:
        raise UserError(f"{path} is not {what}: its SHA-256 begins with {found[:12]}, not {expected[:12]}.")


def set_layer_weights(network: keras.Model, path: Path) -> int:
    """Sets every weighted layer of `network` from a legacy Keras .h5 file, by layer and weight name.

    The file is a whole model (weights under "model_weights") or weights alone. Returns how many layers were set.

    Raises:
        UserError: the file lacks a layer, has one left over, or a name or shape differs.
    """
    with h5py.File(path, "r") as file:
        layers = file.get("model_weights", file)
        left_over = {name for name, group in layers.items() if len(group.attrs.get("weight_names", ())) > 0}
        count = 0
        for layer in network.layers:
            if not layer.weights:
                continue
            if layer.name not in left_over:
                raise UserError(f"{path} holds no weights for the layer {layer.name}.")
            layer.set_weights(_arrays(layers[layer.name], layer, path))
            left_over.remove(layer.name)
            count += 1
    if left_over:
        raise UserError(f"{path} holds weights for layers that the network lacks, such as {min(left_over)}.")
    return count


def _arrays(group: h5py.Group, layer: keras.Layer, path: Path) -> list[np.ndarray]:
    names = [name.decode() if isinstance(name, bytes) else name for name in group.attrs["weight_names"]]
    # "Conv2d_1a_3x3/kernel:0" -> "kernel": beta, mean and variance share a shape, so only the name tells them apart.
    kinds = [name.rsplit("/", 1)[-1].split(":")[0] for name in names]
    arrays = [group[name][()] for name in names]
    expected = [(weight.name, tuple(weight.shape)) for weight in layer.weights]
    if [(kind, array.shape) for kind, array in zip(kinds, arrays, strict=True)] != expected:
        raise UserError(f"{path} does not fit the layer {layer.name}: it needs {expected}.")
    return arrays


def _keras_facenet() -> types.ModuleType:
    # Imported late and quietly: it pulls in OpenCV and SciPy, and old spellings in it make newer packages warn.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import keras_facenet
    return keras_facenet
