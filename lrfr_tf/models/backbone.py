"""The networks that embed aligned faces directly, by name."""

from typing import Any

import keras

from lrfr_tf.models.facenet import TRUNK, WhitenEach, facenet_of_aligned_faces, inception_resnet_v1
from lrfr_tf.models.fold import fold_batch_norm
from lrfr_tf.models.mobilefacenet import mobilefacenet
from lrfr_tf.models.spherenet import UNITS, spherenet

SPHERENETS = tuple(f"spherenet{depth}" for depth in UNITS)
BACKBONES = (*SPHERENETS, "facenet", "mobilefacenet")
FACENET_DIMENSIONS = 128


def backbone(name: str) -> keras.Model:
    """A network from aligned faces, float [N, S, S, 3] RGB in 0..255, to float32 features, with random weights.

    "spherenet4" to "spherenet64" take S = 128 and give 512 features; "facenet" is the 128-D FaceNet with its batch norm
    folded into the convolutions, which takes 128 and gives 128; "mobilefacenet" takes 112 and gives 512.

    Raises:
        ValueError: the name is not one of `BACKBONES`.
    """
    if name not in BACKBONES:
        raise ValueError(f"There is no backbone {name!r}; there are {', '.join(BACKBONES)}.")
    if name == "mobilefacenet":
        return mobilefacenet()
    if name == "facenet":
        return facenet_of_aligned_faces(
            fold_batch_norm(inception_resnet_v1(FACENET_DIMENSIONS, dropout=0.0)), WhitenEach
        )
    return spherenet(int(name.removeprefix("spherenet")))


def folded_trunk(facenet: keras.Model) -> keras.Model:
    """The trunk of a `facenet` with its batch norm folded into the convolutions and without dropout.

    That of 128 dimensions has the layers, and takes the weights, of the trunk of `backbone("facenet")`.
    """
    trunk = inception_resnet_v1(int(facenet.output_shape[-1]), dropout=0.0)
    trunk.set_weights(facenet.get_layer(TRUNK).get_weights())
    return fold_batch_norm(trunk)


def fold_facenet(network: keras.Model) -> keras.Model:
    """The same `models.facenet.facenet` with its batch norm folded; every other network as it is."""
    trunk: list[Any] = next((layer.layers for layer in network.layers if layer.name == TRUNK), [])
    if not any(isinstance(layer, keras.layers.BatchNormalization) for layer in trunk):
        return network
    images = keras.Input(network.input_shape[1:], name="images")
    features = folded_trunk(network)(network.get_layer("standardisation")(images))
    return keras.Model(images, network.get_layer("embedding")(features), name=network.name)
