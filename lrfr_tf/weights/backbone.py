"""Weights of the networks that embed aligned faces, as train_siamese writes them."""

import warnings
from pathlib import Path

import keras

from lrfr_tf.errors import UserError
from lrfr_tf.files import sha256

CHECKSUM_SUFFIX = ".sha256"
# Beside weights that tools/mix_weights.py made: which, and in what shares.
MIX_RECORD = "mix.json"


def save_weights(network: keras.Model, path: Path) -> None:
    """Writes a `.weights.h5` file, and beside it its SHA-256 as `sha256sum` does, which `load_weights` looks at."""
    network.save_weights(path)
    _checksum_file(path).write_text(f"{sha256(path)}  {path.name}\n", encoding="utf-8")


def load_weights(network: keras.Model, path: Path) -> None:
    """Loads a `.weights.h5` file into a network.

    Raises:
        UserError: the file is missing, holds another network's weights, or is not the one whose SHA-256 lies beside it.
    """
    if not path.is_file():
        raise UserError(f"The weight file {path} is missing.")
    beside = _checksum_file(path)
    if beside.is_file() and beside.read_text(encoding="utf-8", errors="replace").split()[:1] != [sha256(path)]:
        raise UserError(f"{path} was changed: its sha256 is not the one in {beside.name}.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # where layers are missing Keras may warn only, and leave them random
            network.load_weights(path)
    except (OSError, ValueError, KeyError, TypeError, Warning) as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"{path} does not hold the weights of {network.name}: {reason.rstrip('.')}.") from None


def _checksum_file(path: Path) -> Path:
    return path.with_name(path.name + CHECKSUM_SUFFIX)
