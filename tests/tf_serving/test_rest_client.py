"""The JSON that the client writes and reads, against documents written by hand after TF-Serving's."""

import json
from typing import Any

import numpy as np
import pytest

from lrfr_tf.tf_serving.client import ServedModel, ServedSignature, ServingError, TensorForm, served_model
from lrfr_tf.tf_serving.rest_client import RestConnection, array_of, named_values, request_body
from tests.tf_serving.stand_in import StandIn

FILES = np.array([b"image bytes", b"awesome image bytes"], object)
PIXELS = np.array([[[[1, 2, 3]]], [[[4, 5, 6]]]], np.uint8)
TEXT, FLOATS, BYTES = TensorForm("string", (None, 2)), TensorForm("float32", (None,)), TensorForm("uint8", (None,))


@pytest.mark.parametrize(
    ("form", "inputs", "expected"),
    [
        ("columns", {"image_bytes": FILES},
         '{"signature_name": "s", "inputs": {"image_bytes": '
         '[{"b64": "aW1hZ2UgYnl0ZXM="}, {"b64": "YXdlc29tZSBpbWFnZSBieXRlcw=="}]}}'),
        ("rows", {"image_bytes": FILES},
         '{"signature_name": "s", "instances": '
         '[{"b64": "aW1hZ2UgYnl0ZXM="}, {"b64": "YXdlc29tZSBpbWFnZSBieXRlcw=="}]}'),
        ("columns", {"faces": PIXELS},
         '{"signature_name": "s", "inputs": {"faces": [[[[1, 2, 3]]], [[[4, 5, 6]]]]}}'),
        ("rows", {"faces": PIXELS}, '{"signature_name": "s", "instances": [[[[1, 2, 3]]], [[[4, 5, 6]]]]}'),
        ("rows", {"faces_a": PIXELS, "faces_b": PIXELS[::-1]},
         '{"signature_name": "s", "instances": [{"faces_a": [[[1, 2, 3]]], "faces_b": [[[4, 5, 6]]]}, '
         '{"faces_a": [[[4, 5, 6]]], "faces_b": [[[1, 2, 3]]]}]}'),
        ("columns", {"a": FILES[:1], "b": FILES[1:]},
         '{"signature_name": "s", "inputs": {"a": [{"b64": "aW1hZ2UgYnl0ZXM="}], '
         '"b": [{"b64": "YXdlc29tZSBpbWFnZSBieXRlcw=="}]}}'),
    ],
)  # fmt: skip
def test_requests_are_the_documented_ones(form: str, inputs: dict[str, np.ndarray], expected: str) -> None:
    assert json.dumps(request_body("s", inputs, form)) == expected


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ('{"outputs": [3.5, 4.0]}', {"y": [3.5, 4.0]}),
        ('{"predictions": [3.5, 4.0]}', {"y": [3.5, 4.0]}),
        ('{"outputs": {"y": [1], "z": [2]}}', {"y": [1], "z": [2]}),
        ('{"predictions": [{"z": 2, "y": 1}, {"z": 4, "y": 3}]}', {"y": [1, 3], "z": [2, 4]}),
        ('{"predictions": [{"b64": "aW0="}]}', {"y": [{"b64": "aW0="}]}),
    ],
)
def test_answers_are_read_in_both_forms(document: str, expected: dict[str, Any]) -> None:
    assert named_values(json.loads(document), list(expected)) == expected


def test_text_stands_as_text_or_as_base64() -> None:
    value = json.loads('[["Zo\\u00eb", "a"], [{"b64": "Wm/Dqw=="}, "b"]]')
    assert array_of(value, TEXT).tolist() == [["Zoë", "a"], ["Zoë", "b"]]
    for wrong in (1, [["a", 1]], [["a", {"b64": "*"}]], [["a", {"b64": "/w=="}]], [{"b64": 1}], [["a", "b"], ["c"]]):
        with pytest.raises((ValueError, TypeError)):
            array_of(wrong, TEXT)


def test_numbers_are_held_against_their_type() -> None:
    assert array_of([0, 255], BYTES).dtype == np.uint8
    assert array_of([0.5, 1], FLOATS).tolist() == [0.5, 1.0]
    special = array_of(json.loads("[NaN, Infinity, -Infinity, 1e39]"), FLOATS)
    assert np.isnan(special[0])
    assert special[1:].tolist() == [np.inf, -np.inf, np.inf]  # 1e39 is more than a float32 holds
    for wrong in ([256], [-1], [0.5], [True], ["1"], [10**30], [[1], [1, 2]], None, {"a": 1}):
        with pytest.raises((ValueError, TypeError)):
            array_of(wrong, BYTES)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html>no</html>", "it is not JSON"),
        (b"\xff\xfe", "it is not JSON"),
        (b"[" * 100_000, "it is not JSON"),
        (b"[]", "its values are not those of s"),
        (b"7", "its values are not those of s"),
        (b"{}", "it has no predictions"),
        (b'{"predictions": 7}', "its values are not those of s"),
        (b'{"outputs": {"y": [1.0]}}', "it has no z"),
        (b'{"outputs": {"y": ["a"], "z": ["b"]}}', "its values are not those of s"),
        (b'{"outputs": {"y": [1.0, 2.0], "z": ["b"]}}', r"y has the shape \[2\], not \[1\]"),
        (b'{"outputs": {"y": [NaN], "z": ["b"]}}', "y holds NaN or infinity"),
        (b'{"outputs": {"y": [1e999], "z": ["b"]}}', "y holds NaN or infinity"),
    ],
)
def test_other_answers_are_refused(server: StandIn, body: bytes, words: str) -> None:
    server.body = body
    signature = ServedSignature("s", {}, {"y": FLOATS, "z": TensorForm("string", (None,))})
    model = ServedModel("half_plus_three", 123, {})
    with pytest.raises(ServingError, match=f"is not what TF-Serving gives here: {words}"):
        RestConnection("127.0.0.1", server.rest_port, 5).predict(model, signature, {"x": np.zeros(1, np.float32)})


METADATA = """{
"model_spec":{"name": "text", "signature_name": "", "version": "12"},
"metadata": {"signature_def": {"signature_def": {
  "serving_default": {
   "inputs": {"text": {"dtype": "DT_STRING", "tensor_shape": {"dim": [{"size": "-1", "name": ""}],
     "unknown_rank": false}, "name": "serving_default_text:0"}},
   "outputs": {"output_0": {"dtype": "DT_FLOAT", "tensor_shape": {"dim": [], "unknown_rank": true},
     "name": "StatefulPartitionedCall:0"}},
   "method_name": "tensorflow/serving/predict"},
  "__saved_model_init_op": {"inputs": {}, "outputs": {"__saved_model_init_op": {"dtype": "DT_INVALID",
     "tensor_shape": {"dim": [], "unknown_rank": true}, "name": "NoOp"}}, "method_name": ""}
}}}}"""


def test_metadata_as_the_server_writes_them() -> None:
    """After what a server of 2.3 answered, see test_stand_in for the stand-in's own."""
    found = served_model(json.loads(METADATA), "here")
    signature = ServedSignature(
        "serving_default", {"text": TensorForm("string", (None,))}, {"output_0": TensorForm("float32", None)}
    )
    assert found == ServedModel("text", 12, {"serving_default": signature})
    for wrong in (None, [], {}, {"model_spec": {"name": "a", "version": "b"}, "metadata": {}}, {"error": "no"}):
        with pytest.raises(ServingError, match="it holds no metadata of a model"):
            served_model(wrong, "here")
