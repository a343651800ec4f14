"""Small networks to convert: a generator and an embedder with the edges of the real ones, as a run leaves them."""

from pathlib import Path

import keras
import numpy as np

from lrfr_tf.models.backbone import backbone
from lrfr_tf.models.facenet import Enlarge
from lrfr_tf.models.srgan import generator_paper
from lrfr_tf.networks.super_resolution import save_super_resolver
from lrfr_tf.networks.super_resolvers import KerasSuperResolver
from lrfr_tf.weights.backbone import write_embedder_record


def write_small_generator(folder: Path) -> Path:
    """A generator with contrast, with batch norm and attention that are not the initial ones, as `<run>/model`."""
    keras.utils.set_random_seed(0)
    network = generator_paper(16, blocks=1, filters=4, attention=True)
    random = np.random.default_rng(0)
    for layer in network.layers:
        if isinstance(layer, (keras.layers.BatchNormalization, keras.layers.DepthwiseConv2D)):
            layer.set_weights([weight + random.uniform(0.05, 0.2, weight.shape) for weight in layer.get_weights()])
    last = [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)][-1]
    last.set_weights([10 * weight for weight in last.get_weights()])  # or its images would be nearly grey
    save_super_resolver(folder, KerasSuperResolver("small", network))
    return folder


def write_small_backbone(folder: Path, seed: int = 0) -> Path:
    """A SphereNet of 4 layers with random weights, as `<run>/model`."""
    keras.utils.set_random_seed(seed)
    folder.mkdir(parents=True)
    backbone("spherenet4").save_weights(folder / "spherenet4.weights.h5")
    write_embedder_record(folder, "lai", 128)
    return folder


def small_enlarging_network() -> keras.Model:
    """20 x 20 pixels, enlarged to 30 x 30 as the shipped embedder does, into 300 values."""
    images = keras.Input((20, 20, 3))
    x = Enlarge(30, dtype="float32", name="enlarged")(images)
    return keras.Model(images, keras.layers.Flatten()(keras.layers.AveragePooling2D(3)(x)))
