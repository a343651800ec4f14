"""Weights stored as float16 are widened once, by the initializer that TF-Serving runs, and not in every call."""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from lrfr_tf.networks.stored_network import StoredNetwork, read_weights, rounded_weights

ROWS = np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32)


def network(seed: int) -> keras.Model:
    """Weights of several ranks and of sizes that fill no row, all of them numbers that float16 holds."""
    inputs = keras.Input((5,))
    x = layers.BatchNormalization()(layers.Dense(16, activation="relu")(layers.Reshape((5,))(inputs)))
    made = keras.Model(inputs, layers.Dense(3)(x))
    random = np.random.default_rng(seed)
    made.set_weights(
        [random.uniform(0.1, 1, w.shape).astype(np.float16).astype(np.float32) for w in made.get_weights()]
    )
    return made


def stored(made: keras.Model, folder: Path, precision: str = "float16") -> Path:
    module = StoredNetwork(made, precision)
    function = tf.function(lambda rows: {"y": module(rows)}, input_signature=[tf.TensorSpec((None, 5), name="rows")])
    tf.saved_model.save(module, str(folder), signatures=function.get_concrete_function())
    return folder


def answer_of_a_session(folder: Path) -> np.ndarray:
    """As a server does: a session, which shares nothing with this process, restores and runs the initializer."""
    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        signature = tf.compat.v1.saved_model.load(session, ["serve"], str(folder)).signature_def["serving_default"]
        return session.run(signature.outputs["y"].name, {signature.inputs["rows"].name: ROWS})


def operations(folder: Path) -> list[tuple[str, int]]:
    """Kind and source type of the operations of the functions that a signature calls."""
    graph = SavedModel.FromString((folder / "saved_model.pb").read_bytes()).meta_graphs[0].graph_def
    bodies = [
        f for f in graph.library.function if "signature_wrapper" in f.signature.name or "lambda" in f.signature.name
    ]
    assert bodies
    return [(node.op, node.attr["SrcT"].type) for body in bodies for node in body.node_def]


def test_a_server_widens_the_weights_once(tmp_path: Path) -> None:
    made = network(1)
    folder = stored(made, tmp_path / "half")
    np.testing.assert_allclose(answer_of_a_session(folder), made(ROWS), rtol=1e-6)
    assert ("Cast", tf.float16.as_datatype_enum) not in operations(folder)
    kinds = tf.train.load_checkpoint(str(folder / "variables" / "variables")).get_variable_to_dtype_map()
    values = [kind for name, kind in kinds.items() if name.endswith("VARIABLE_VALUE")]
    assert sorted(kind.name for kind in values) == ["float16", "float32", "int8"]  # the latter two of no numbers


def test_copies_and_other_models_in_one_process_keep_their_own_weights(tmp_path: Path) -> None:
    first, second = network(1), network(2)
    folders = [stored(first, tmp_path / "first"), stored(second, tmp_path / "second")]
    loaded = [tf.saved_model.load(str(folder)) for folder in (*folders, *folders)]
    del loaded[0]  # its twin goes on
    for model, made in zip(loaded, (second, first, second), strict=True):
        found = model.signatures["serving_default"](rows=tf.constant(ROWS))["y"]
        np.testing.assert_allclose(found, made(ROWS), rtol=1e-6)
    assert np.abs(np.asarray(first(ROWS)) - np.asarray(second(ROWS))).max() > 0.01


def test_int8_is_a_factor_for_each_output_channel(tmp_path: Path) -> None:
    made = network(4)
    folder = stored(made, tmp_path / "quarter", "int8")
    expected = []
    for weight in made.get_weights():
        steps = np.abs(weight).max(axis=0) / 127
        expected.append(np.rint(weight / steps) * steps if weight.ndim == 2 else weight)
    found = network(0)
    assert read_weights(folder, "int8", found)
    for one, other in zip(found.get_weights(), expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)
    np.testing.assert_allclose(answer_of_a_session(folder), found(ROWS), rtol=1e-5)
    assert 1e-4 < np.abs(np.asarray(made(ROWS)) - np.asarray(found(ROWS))).max() < 0.5
    shapes = tf.train.load_checkpoint(str(folder / "variables" / "variables")).get_variable_to_shape_map()
    assert shapes["_values/.ATTRIBUTES/VARIABLE_VALUE"] == [5 * 16 + 16 * 3]
    # Channels of zeros, and weights of another network.
    made.set_weights([np.zeros_like(weight) for weight in made.get_weights()])
    assert all(np.isfinite(weight).all() for weight in rounded_weights(made, "int8"))
    other = keras.Sequential([keras.Input((5,)), layers.Dense(3)])
    before = other.get_weights()
    assert not read_weights(folder, "int8", other)
    assert not read_weights(folder, "float16", found)
    assert not read_weights(folder, "float32", found)
    np.testing.assert_array_equal(other.get_weights()[0], before[0])


def test_float32_needs_no_initializer(tmp_path: Path) -> None:
    made = network(3)
    folder = stored(made, tmp_path / "single", "float32")
    np.testing.assert_allclose(answer_of_a_session(folder), made(ROWS), rtol=1e-6)
    assert not any(op == "VarHandleOp" for op, _ in operations(folder))
    found = network(0)
    assert read_weights(folder, "float32", found)
    for one, other in zip(found.get_weights(), made.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
