"""A network as exports store it: its weights alone, in the precision of choice."""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from lrfr_tf.files import read_json


class StoredNetwork(tf.Module):
    """A network whose weights are stored in a precision of choice; it computes in float32 either way.

    Only the weights are part of the module: a Keras model would put every layer's description into the SavedModel.

    Args:
        network: computes in float32.
        precision: "float32", or "float16" for half the size.
    """

    def __init__(self, network: keras.Model, precision: str) -> None:
        super().__init__()
        self._call = network.stateless_call
        self._trainable = [tf.Variable(tf.cast(value, precision), False) for value in network.trainable_variables]
        self._others = [tf.Variable(tf.cast(value, precision), False) for value in network.non_trainable_variables]

    def __call__(self, images: tf.Tensor, training: bool = False) -> tf.Tensor:
        """What the network gives; it cannot be trained."""
        trainable, others = (
            [tf.cast(value, tf.float32) for value in group] for group in (self._trainable, self._others)
        )
        return self._call(trainable, others, images, training=training)[0]


def rounded_weights(network: keras.Model) -> list[np.ndarray]:
    """The network's weights as float32 that float16 holds exactly; what is too large becomes infinite."""
    with np.errstate(over="ignore"):
        return [weight.astype(np.float16).astype(np.float32) for weight in network.get_weights()]


def source_of(model: Path, checksum: str) -> dict[str, str]:
    """Where an export's weights come from, for its record.

    Args:
        model: the model folder of a run; only its last two names are told, as nobody needs the machine's own paths.
        checksum: SHA-256 of the stored network.
    """
    source = {"model": "/".join(model.resolve().parts[-2:]), "sha256": checksum}
    if (model.parent / "run.json").is_file():
        source["git_commit"] = read_json(model.parent / "run.json")["git_commit"]
    return source
