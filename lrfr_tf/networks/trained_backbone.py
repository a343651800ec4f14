"""The network that a training of an embedder left in its run folder."""

from pathlib import Path

import keras

from lrfr_tf.errors import UserError
from lrfr_tf.models.backbone import BACKBONES, backbone
from lrfr_tf.weights.backbone import load_weights


def load_backbone(model: Path) -> tuple[keras.Model, Path]:
    """The network of a run, and the file that its weights are in: `<run>/model/<backbone>.weights.h5`.

    Raises:
        UserError: there is no such file, or it holds another network's weights.
    """
    files = sorted(model.glob("*.weights.h5")) if model.is_dir() else []
    if len(files) != 1 or files[0].name.split(".")[0] not in BACKBONES:
        raise UserError(f"{model} holds no <backbone>.weights.h5; `model` takes the folder that train_siamese wrote.")
    network = backbone(files[0].name.split(".")[0])
    load_weights(network, files[0])
    return network, files[0]
