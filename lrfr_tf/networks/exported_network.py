"""The network of an exported embedder as a Keras model again, out of its record and its variables."""

from pathlib import Path
from typing import Any

import keras

from lrfr_tf.errors import UserError
from lrfr_tf.models.backbone import BACKBONES, backbone, fold_facenet
from lrfr_tf.models.facenet import StandardiseFixed, WhitenEach, facenet
from lrfr_tf.networks.stored_network import PRECISIONS, read_weights

# The published networks as their export records them: dimensions, and how they standardize pixels.
FACENETS = {"facenet_128": (128, WhitenEach), "facenet_512": (512, StandardiseFixed)}


def exported_network(version: Path, record: dict[str, Any]) -> keras.Model:
    """The network of an export; it computes in float32, with the weights as they are stored.

    Args:
        version: the folder of the export.
        record: its record (`read_record`), of the kind embedder.

    Raises:
        UserError: the network is not known, the variables are not its weights, its weights are constants, or there are
            two networks.
    """
    if "source_of_larger" in record:
        raise UserError(
            f"{version} holds two networks, as version 1 of siamese did; it can be used and measured as it is, but "
            "neither exported anew nor converted."
        )
    if record.get("stored_as") == "bfloat16":
        raise UserError(f"{version} has its weights in its graph, in bfloat16; take the one that it was made of.")
    if record.get("stored_as") not in PRECISIONS:
        raise UserError(
            f"{version} stores its weights as {record.get('stored_as')}; that is none of {', '.join(PRECISIONS)}."
        )
    if record.get("backbone") in BACKBONES:
        network = backbone(record["backbone"])
    elif record.get("backbone") in FACENETS:
        dimensions, standardization = FACENETS[record["backbone"]]
        network = fold_facenet(facenet(dimensions, standardization))
    else:
        known = ", ".join((*BACKBONES, *FACENETS))
        raise UserError(f"{version} holds the network {record.get('backbone')}; embedders of {known} can be rebuilt.")
    if not read_weights(version, record["stored_as"], network):
        raise UserError(f"The variables of {version} are not those of the network {record['backbone']}.")
    return network
