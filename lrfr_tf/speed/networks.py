"""One FaceNet for all peers: its weights as arrays, and itself as the SavedModel that would be shipped."""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from lrfr_tf.export.embedder import checked_faces
from lrfr_tf.models.backbone import fold_facenet
from lrfr_tf.models.facenet import TRUNK, WhitenEach, facenet
from lrfr_tf.networks.constant_network import ConstantNetwork
from lrfr_tf.networks.graph_part import embeddings_in_graph
from lrfr_tf.networks.stored_network import StoredNetwork
from lrfr_tf.weights.facenet import load_facenet_128
from lrfr_tf.weights.sample_package import cached_facenet_weights

DIMENSIONS = 128


def facenet_to_compare() -> tuple[keras.Model, str]:
    """FaceNet 128-D and what its weights are: the published ones if they are in the cache, else random ones."""
    cached = cached_facenet_weights()
    if cached is not None:
        return load_facenet_128(cached), "published"
    keras.utils.set_random_seed(0)
    return facenet(DIMENSIONS, WhitenEach), "random"


def store_weights(network: keras.Model, file: Path) -> None:
    """Every weight of FaceNet's trunk as `<layer>/<weight>`, such as `Conv2d_1a_3x3/kernel`."""
    layers = network.get_layer(TRUNK).layers
    np.savez(file, **{f"{layer.name}/{w.name}": w.numpy() for layer in layers for w in layer.weights})


def store_as_saved_model(network: keras.Model, folder: Path, compute: str = "float32") -> None:
    """FaceNet with the signature `embed`, as `tools/export_saved_model.py --model=facenet` would export it.

    Args:
        compute: "bfloat16" for what `--compute=bfloat16` makes.
    """
    folded = fold_facenet(network)
    module = StoredNetwork(folded, "float32") if compute == "float32" else ConstantNetwork(folded)
    embeddings = embeddings_in_graph(module, int(network.input_shape[1]))

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, 3), tf.uint8, "faces")])
    def embed(faces: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"embedding": embeddings(checked_faces(faces))}

    tf.saved_model.save(module, str(folder), signatures={"embed": embed})
