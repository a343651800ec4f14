"""A network whose weights are constants of its graph, as exports that compute in bfloat16 hold them."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lrfr_tf.models.bfloat16 import FLOAT32_LAYERS, in_bfloat16
from lrfr_tf.networks.stored_network import variables_of

COMPUTE_TYPES = ("float32", "bfloat16")


class ConstantNetwork(tf.Module):
    """A network that computes in bfloat16, with its weights in bfloat16, too, as constants of the graph.

    oneDNN brings the weights of a convolution into the order that AMX needs: once with a constant, in every call with a
    variable. One face through FaceNet takes 10 ms of CPU time, with variables it took 29. Layers that stay float32,
    such as the last one of SphereFace, keep their weights so.

    Args:
        network: as it computes in float32.
    """

    def __init__(self, network: keras.Model) -> None:
        super().__init__()
        rounded = in_bfloat16(network)
        variables = variables_of(rounded)
        weights = [_in_compute_dtype(variable) for variable in variables]

        def compute(images: tf.Tensor, training: bool) -> tf.Tensor:
            with keras.StatelessScope() as scope:
                # `stateless_call` would make float32 of them, and the network bfloat16 again, in every call.
                for variable, weight in zip(variables, weights, strict=True):
                    scope.add_update((variable, tf.constant(weight)))
                return rounded(images, training=training)

        # A function: what a module has as an attribute, such as the network, would be stored with its variables.
        self._compute = compute

    def __call__(self, images: tf.Tensor, training: bool = False) -> tf.Tensor:
        """What the network gives; it cannot be trained. To be called within a graph, which then holds the weights."""
        return self._compute(images, training)


def _in_compute_dtype(variable: Any) -> np.ndarray:
    """A weight in what its layer computes in."""
    layer = variable.path.split("/")[-2]
    weight = variable.numpy()
    return weight if layer in FLOAT32_LAYERS else weight.astype(tf.bfloat16.as_numpy_dtype)
