"""The network of an identity loss: an embedder of aligned faces as a Keras model, through which gradients flow."""

import dataclasses
from pathlib import Path

import keras

from lrfr_tf.errors import UserError
from lrfr_tf.models.facenet import UnitLength
from lrfr_tf.networks.embedding import KIND, W600K_MBF
from lrfr_tf.networks.exported_network import exported_network
from lrfr_tf.networks.saved_model import find_version, read_record
from lrfr_tf.networks.trained_backbone import load_backbone
from lrfr_tf.weights.backbone import template_of_weights
from lrfr_tf.weights.mobilefacenet import W600K_TEMPLATE, load_w600k_mbf


@dataclasses.dataclass(frozen=True)
class IdentityNetwork:
    """A frozen embedder: float32 RGB [N, S, S, 3] in 0..255, aligned on `template` -> unit length [N, D]."""

    network: keras.Model
    template: str


def load_identity_network(model: str) -> IdentityNetwork:
    """Loads an embedder of aligned faces to judge super-resolved ones.

    It computes in float32, whatever the precision of a training: a judge should not depend on that.

    Args:
        model: "w600k_mbf"; the folder `<run>/model` of a training; or an export, `saved_models/siamese/2` or
            `saved_models/siamese` (newest).

    Raises:
        UserError: it is none of these, an embedder that takes faces as a detector cuts them out, or an export that no
            network can be made of again.
    """
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        network, template = _load(model)
        images = keras.Input(network.input_shape[1:], dtype="float32", name="images")
        unit = keras.Model(images, UnitLength()(network(images)), name="identity")
    finally:
        keras.config.set_dtype_policy(policy)
    unit.trainable = False
    return IdentityNetwork(unit, template)


def _load(model: str) -> tuple[keras.Model, str]:
    if model == W600K_MBF:
        return load_w600k_mbf(), W600K_TEMPLATE
    folder = Path(model)
    if folder.is_dir() and any(folder.glob("*.weights.h5")):
        network, weights = load_backbone(folder)
        return network, template_of_weights(weights)
    version = find_version(folder)
    if version is None:
        raise UserError(
            f"{model} is no embedder of aligned faces; that is {W600K_MBF}, the folder <run>/model of a training, or "
            "an export such as saved_models/siamese/1."
        )
    record = read_record(version)
    template = record.get("template")
    if record["kind"] != KIND or template is None:
        raise UserError(f"{version} holds no embedder of aligned faces.")
    return exported_network(version, record), template
