"""Weights that are constants of the graph, in bfloat16."""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from lrfr_tf.networks.constant_network import ConstantNetwork

IMAGES = np.random.default_rng(0).normal(size=(2, 9, 9, 3)).astype(np.float32)


def network() -> keras.Model:
    inputs = keras.Input((9, 9, 3))
    x = layers.Conv2D(16, 3, activation="relu")(inputs)
    x = layers.GlobalAveragePooling2D()(x)
    made = keras.Model(inputs, layers.Activation("linear", dtype="float32", name="features")(layers.Dense(5)(x)))
    random = np.random.default_rng(1)
    made.set_weights([random.uniform(0.1, 1, weight.shape).astype(np.float32) for weight in made.get_weights()])
    return made


def stored(made: keras.Model, folder: Path) -> Path:
    module = ConstantNetwork(made)
    specification = tf.TensorSpec((None, 9, 9, 3), name="images")
    function = tf.function(lambda images: {"y": module(images)}, input_signature=[specification])
    tf.saved_model.save(module, str(folder), signatures=function.get_concrete_function())
    return folder


def test_a_server_answers_as_with_rounded_weights(tmp_path: Path) -> None:
    made = network()
    folder = stored(made, tmp_path / "constant")
    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        signature = tf.compat.v1.saved_model.load(session, ["serve"], str(folder)).signature_def["serving_default"]
        found = session.run(signature.outputs["y"].name, {signature.inputs["images"].name: IMAGES})
    rounded = network()
    rounded.set_weights([weight.astype(tf.bfloat16.as_numpy_dtype).astype(np.float32) for weight in made.get_weights()])
    np.testing.assert_allclose(found, rounded(IMAGES), rtol=0.02)
    assert found.dtype == np.float32
    assert np.abs(found - np.asarray(made(IMAGES))).max() > 1e-4


def test_weights_are_constants_and_no_variables(tmp_path: Path) -> None:
    made = network()
    graph = SavedModel.FromString((stored(made, tmp_path / "constant") / "saved_model.pb").read_bytes()).meta_graphs[0]
    bodies = [function.node_def for function in graph.graph_def.library.function]
    assert not any(node.op in ("VarHandleOp", "ReadVariableOp") for body in bodies for node in body)
    constants = [
        tuple(dimension.size for dimension in node.attr["value"].tensor.tensor_shape.dim)
        for body in bodies
        for node in body
        if node.op == "Const" and node.attr["dtype"].type == tf.bfloat16.as_datatype_enum
    ]
    assert sorted(constants) == sorted(weight.shape for weight in made.get_weights())
    convolutions = [(body, node) for body in bodies for node in body if node.op == "Conv2D"]
    assert len(convolutions) == 1
    ((body, convolution),) = convolutions
    of_name = {node.name: node for node in body}
    assert of_name[convolution.input[1].split(":")[0]].op == "Const"
