"""Weights of the networks that embed aligned faces, as train_siamese and train_distillation write them."""

import warnings
from pathlib import Path

import keras

from lrfr_tf.errors import UserError
from lrfr_tf.files import read_json, sha256, write_json

WEIGHTS_SUFFIX = ".weights.h5"
CHECKSUM_SUFFIX = ".sha256"
# Beside weights of a training: what faces they were trained on.
EMBEDDER_RECORD = "embedder.json"


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


def write_embedder_record(folder: Path, template: str, input_size: int) -> None:
    """Writes beside the weights of a model folder what they were trained on.

    Args:
        template: that of the trees, as their manifests have it.
        input_size: side of the aligned faces in pixels.
    """
    write_json(folder / EMBEDDER_RECORD, {"schema": 1, "template": template, "input_size": input_size})


def template_of_weights(weights: Path) -> str:
    """The template of the faces that weights were trained on, as a record beside them has it.

    That is `embedder.json`, or for dsn.weights.h5 dsn.json, as imported checkpoints have it.

    Raises:
        UserError: there is no such record, or it is damaged.
    """
    names = (f"{weights.name.removesuffix(WEIGHTS_SUFFIX)}.json", EMBEDDER_RECORD)
    files = [weights.with_name(name) for name in names if weights.with_name(name).is_file()]
    if not files:
        raise UserError(
            f"No {EMBEDDER_RECORD} beside {weights} says on which template its faces were aligned; if you know it, "
            'write one, such as {"template": "lai"}.'
        )
    record = read_json(files[0])
    template = record.get("template") if isinstance(record, dict) else None
    if not isinstance(template, str):
        raise UserError(f"{files[0]} names no template.")
    return template


def _checksum_file(path: Path) -> Path:
    return path.with_name(path.name + CHECKSUM_SUFFIX)
