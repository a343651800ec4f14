"""The stand-in against the literal documents of TF-Serving's "RESTful API": else it would prove nothing."""

import json
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.tf_serving.stand_in import StandIn, StatusError, document_of, tensors_of

TAGS = {
    "tag": tf.TensorSpec((None,), tf.string), "signal": tf.TensorSpec((None, 5), tf.float32),
    "sensor": tf.TensorSpec((None, 2, 2), tf.float32),
}  # fmt: skip
ROWS = """{"instances": [
   {"tag": "foo", "signal": [1, 2, 3, 4, 5], "sensor": [[1, 2], [3, 4]]},
   {"tag": "bar", "signal": [3, 4, 1, 2, 5], "sensor": [[4, 5], [6, 8]]}
]}"""
COLUMNS = """{"inputs": {
   "tag": ["foo", "bar"],
   "signal": [[1, 2, 3, 4, 5], [3, 4, 1, 2, 5]],
   "sensor": [[[1, 2], [3, 4]], [[4, 5], [6, 8]]]
}}"""


def ask(server: StandIn, path: str, body: str | None = None) -> tuple[int, Any]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.rest_port}/v1/models/{path}", None if body is None else body.encode()
    )
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_the_examples_of_the_documents(server: StandIn) -> None:
    assert ask(server, "half_plus_three:predict", '{"instances": [1.0,2.0,5.0]}') == (
        200, {"predictions": [3.5, 4.0, 5.5]},
    )  # fmt: skip
    assert ask(server, "half_plus_three/versions/9:predict", '{"inputs": [1.0,5.0]}') == (200, {"outputs": [3.5, 5.5]})
    assert ask(server, "half:predict", '{"instances": [1.0,5.0]}') == (
        404, {"error": "Servable not found for request: Latest(half)"},
    )  # fmt: skip
    good = {"error_code": "OK", "error_message": ""}
    states = [{"version": number, "state": "AVAILABLE", "status": good} for number in ("123", "9")]
    assert ask(server, "half_plus_three") == (200, {"model_version_status": states})
    assert ask(server, "half_plus_three/versions/123") == (200, {"model_version_status": states[:1]})
    assert ask(server, "half_plus_three/versions/7:predict", "{}")[0] == 404
    status, answer = ask(server, "half_plus_three/metadata")
    assert status == 200
    assert answer["model_spec"] == {"name": "half_plus_three", "signature_name": "", "version": "123"}
    x = answer["metadata"]["signature_def"]["signature_def"]["serving_default"]["inputs"]["x"]
    assert x["dtype"] == "DT_FLOAT"
    assert x["tensor_shape"] == {"dim": [{"size": "-1", "name": ""}], "unknown_rank": False}


def test_rows_and_columns_are_the_same_tensors() -> None:
    (rows, in_rows), (columns, in_columns) = (tensors_of(json.loads(text), TAGS) for text in (ROWS, COLUMNS))
    assert (in_rows, in_columns) == (True, False)
    for tensors in (rows, columns):
        assert tensors["tag"].numpy().tolist() == [b"foo", b"bar"]
        assert tensors["signal"].numpy().tolist() == [[1, 2, 3, 4, 5], [3, 4, 1, 2, 5]]
        assert tensors["sensor"].numpy().tolist() == [[[1, 2], [3, 4]], [[4, 5], [6, 8]]]


def test_binary_values_are_base64_in_an_object() -> None:
    image = {"image": tf.TensorSpec((None,), tf.string)}
    files = [{"b64": "aW1hZ2UgYnl0ZXM="}, {"b64": "YXdlc29tZSBpbWFnZSBieXRlcw=="}]  # of the documents
    for document in ({"instances": files}, {"inputs": {"image": files}}, {"inputs": files}):
        found = tensors_of(document, image)[0]["image"].numpy().tolist()
        assert found == [b"image bytes", b"awesome image bytes"]
    outputs = {"caption": np.array([b"seaside"], object), "image_bytes": np.array([b"image bytes"], object)}
    assert document_of(outputs, True) == {"predictions": [{"caption": "seaside", "image_bytes": files[0]}]}
    assert document_of(outputs, False) == {"outputs": {"caption": ["seaside"], "image_bytes": [files[0]]}}


@pytest.mark.parametrize(
    "document",
    [{}, {"instances": [1.0], "inputs": [1.0]}, {"instances": []}, {"inputs": {"y": [1.0]}}, {"instances": ["a"]},
     {"instances": [{"b64": "AA=="}]}, {"inputs": [[1.0], [1.0, 2.0]]}],
)  # fmt: skip
def test_what_the_server_refuses(document: dict[str, Any]) -> None:
    with pytest.raises(StatusError) as refused:
        tensors_of(document, {"x": tf.TensorSpec((None,), tf.float32)})
    assert refused.value.code == "INVALID_ARGUMENT"


def test_the_health_check_of_the_container(server: StandIn) -> None:
    text = (Path(__file__).parents[2] / "serving" / "compose.yaml").read_text()
    (command,) = (line.strip()[2:] for line in text.splitlines() if "/dev/tcp" in line)
    command = command.replace("8501", str(server.rest_port))
    assert subprocess.run(["bash", "-c", command], timeout=20, check=False).returncode == 0
    absent = command.replace("/models/siamese", "/models/absent")
    assert subprocess.run(["bash", "-c", absent], timeout=20, check=False).returncode == 1
