"""The client over REST and gRPC against the stand-in: the same answers as the loaded model, and every way to fail."""

import socket
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from lrfr_tf.networks.synthetic_faces import synthetic_faces, synthetic_files
from lrfr_tf.tf_serving import client
from lrfr_tf.tf_serving.client import (
    Connection,
    FailedError,
    RefusedError,
    ServingError,
    SlowError,
    UnavailableError,
    call_with_retries,
    find_signature,
    shorten_reason,
)
from lrfr_tf.tf_serving.grpc_client import GrpcConnection
from lrfr_tf.tf_serving.rest_client import RestConnection
from tests.tf_serving.small_models import PERSONS
from tests.tf_serving.stand_in import StandIn


@pytest.fixture(params=["columns", "rows", "grpc"])
def connection(request: pytest.FixtureRequest, server: StandIn) -> Connection:
    if request.param == "grpc":
        return GrpcConnection("127.0.0.1", server.grpc_port, 120)
    return RestConnection("127.0.0.1", server.rest_port, 120, request.param)


def call(connection: Connection, model: str, name: str, **inputs: np.ndarray) -> dict[str, np.ndarray]:
    described = connection.describe(model, None)
    return connection.predict(described, find_signature(described, name), inputs)


def in_process(server: StandIn, model: str, name: str, **inputs: np.ndarray) -> dict[str, np.ndarray]:
    signature = server.loaded[model][server.version_of(model, None)].signatures[name]
    tensors = {key: tf.constant(list(a) if a.dtype == object else a) for key, a in inputs.items()}
    return {key: value.numpy() for key, value in signature(**tensors).items()}


FACES, FILES = synthetic_faces(4, 16), synthetic_files()
CALLS: list[tuple[str, str, dict[str, np.ndarray]]] = [
    ("siamese", "embed", {"faces": FACES}),
    ("siamese", "embed_bytes", {"image_bytes": FILES}),
    ("siamese", "verify", {"faces_a": FACES[:2], "faces_b": FACES[2:]}),
    ("siamese", "verify_bytes", {"image_bytes_a": FILES, "image_bytes_b": FILES[::-1]}),
    ("srgan", "super_resolve", {"images": FACES}),
    ("srgan", "super_resolve_bytes", {"image_bytes": FILES}),
]


@pytest.mark.parametrize(("model", "name", "inputs"), CALLS, ids=[call[1] for call in CALLS])
def test_answers_are_those_of_the_model(
    connection: Connection, server: StandIn, model: str, name: str, inputs: dict[str, np.ndarray]
) -> None:
    found = call(connection, model, name, **inputs)
    expected = in_process(server, model, name, **inputs)
    assert found.keys() == expected.keys()
    for key, array in expected.items():
        assert found[key].dtype == array.dtype
        np.testing.assert_allclose(found[key], array, atol=1e-6)  # a float goes through JSON and comes back the same


def test_identities_are_text(connection: Connection) -> None:
    colors = np.array(list(PERSONS.values()), np.uint8)
    faces = np.broadcast_to(colors[:, None, None], (3, 5, 4, 3)).copy()
    found = call(connection, "classifier", "identify", faces=faces)
    assert found["identity"][:, 0].tolist() == ["red", "green", "Zoë Müller"]
    assert found["identity"].shape == found["score"].shape == (3, 2)
    assert (found["score"][:, 0] > 0.9).all()


def test_a_model_tells_its_signatures(connection: Connection) -> None:
    model = connection.describe("srgan", None)
    assert (model.name, model.version) == ("srgan", 1)
    assert model.signatures.keys() == {"serving_default", "super_resolve", "super_resolve_bytes"}
    signature = find_signature(model, "super_resolve")
    assert signature.inputs["images"] == client.TensorForm("uint8", (None, 16, 16, 3))
    assert signature.outputs["images"] == client.TensorForm("uint8", (None, 64, 64, 3))
    assert find_signature(model, "super_resolve_bytes").inputs["image_bytes"].dtype == "string"
    with pytest.raises(ServingError, match="has no signature embed; it has serving_default, super_resolve, super"):
        find_signature(model, "embed")


def test_the_newest_version_answers_unless_another_is_named(connection: Connection) -> None:
    assert connection.describe("half_plus_three", None).version == 123  # not "9", which is later as text
    assert connection.describe("half_plus_three", 9).version == 9
    with pytest.raises(ServingError, match=r"does not serve half_plus_three: .*Specific\(half_plus_three, 7\)\.$"):
        connection.describe("half_plus_three", 7)
    with pytest.raises(ServingError, match=r"does not serve half: .*Latest\(half\)\.$"):
        connection.describe("half", None)


def test_every_request_names_the_version_that_was_described(connection: Connection, server: StandIn) -> None:
    call(connection, "srgan", "super_resolve", images=FACES[:1])
    (seen,) = server.seen
    version = seen[1] if isinstance(seen, tuple) else seen.model_spec.version.value
    assert version == 1


@pytest.mark.parametrize(
    ("code", "error", "words"),
    [
        ("UNAVAILABLE", UnavailableError, "is not available: the queue is full"),
        ("INVALID_ARGUMENT", RefusedError, "refuses the request: the queue is full"),
        ("RESOURCE_EXHAUSTED", FailedError, "failed with RESOURCE_EXHAUSTED: the queue is full"),
        ("DEADLINE_EXCEEDED", SlowError, r"did not answer in time \(the queue is full\)"),
        ("INTERNAL", FailedError, "failed with .*: the queue is full"),
    ],
)
def test_each_status_of_the_server_is_told(
    connection: Connection, server: StandIn, code: str, error: type[Exception], words: str
) -> None:
    server.faults = [(code, "the queue is full")]
    with pytest.raises(error, match=words) as raised:
        call(connection, "srgan", "super_resolve", images=FACES)
    assert type(raised.value) is error
    assert str(raised.value).endswith(".")


def test_what_the_graph_refuses_is_told_in_its_words(connection: Connection) -> None:
    with pytest.raises(RefusedError) as raised:
        call(connection, "siamese", "embed_bytes", image_bytes=np.array([b"GIF89a"], object))
    assert raised.value.reason == "An image is empty or not a JPEG, PNG or BMP file, and is refused"


def test_a_silent_server_is_not_waited_for(server: StandIn) -> None:
    server.delay = 1.0
    slow: list[Connection] = [
        RestConnection("127.0.0.1", server.rest_port, 0.3),
        GrpcConnection("127.0.0.1", server.grpc_port, 0.3),
    ]
    for connection, words in zip(slow, ("did not answer within 0.3 s", "did not answer in time"), strict=True):
        with pytest.raises(ServingError, match=words):
            call(connection, "srgan", "super_resolve", images=FACES[:1])


def test_no_server_at_all() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        for connection in (RestConnection("127.0.0.1", port, 5), GrpcConnection("127.0.0.1", port, 5)):
            with pytest.raises(UnavailableError, match=rf"127\.0\.0\.1:{port} (cannot be reached|is not available)"):
                connection.describe("srgan", None)
    for host in ("no.such.host.invalid", "x" * 70):
        with pytest.raises(ServingError, match="cannot be reached"):
            RestConnection(host, 8501, 5).describe("srgan", None)


def test_the_other_protocols_port(server: StandIn) -> None:
    with pytest.raises(ServingError, match=r"it is not HTTP \(REST has a port of its own, usually 8501\)\.$"):
        RestConnection("127.0.0.1", server.grpc_port, 5).describe("srgan", None)
    with pytest.raises(ServingError, match="is not available"):
        GrpcConnection("127.0.0.1", server.rest_port, 5).describe("srgan", None)


def test_an_unavailable_server_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(client.time, "sleep", waits.append)
    errors: list[Exception] = [UnavailableError("a"), UnavailableError("b")]

    def call() -> str:
        if errors:
            raise errors.pop(0)
        return "answer"

    assert call_with_retries(call, 2) == "answer"
    assert waits == [0.5, 1.0]
    errors.extend([UnavailableError("a"), UnavailableError("b"), UnavailableError("c")])
    with pytest.raises(UnavailableError, match="c"):
        call_with_retries(call, 2)
    errors.append(ServingError("no"))
    with pytest.raises(ServingError, match="no"):
        call_with_retries(call, 2)
    assert len(waits) == 4


def test_reasons_are_one_short_line() -> None:
    assert shorten_reason("assertion failed: [faces must\nbe so.]\n\t [[{{node x}}]]") == "faces must be so"
    assert shorten_reason("Queue is full.\n\t [[{{node y}}]]") == "Queue is full"
    trace = "Graph execution error:\n\nDetected at node %s defined at (most recent call last):\n"
    for whole in (
        trace % "map/DecodePng" + "<stack traces unavailable>\nInvalid PNG data\n\t [[{{node DecodePng}}]] [Op:__f_1]",
        trace % "'x'" + "    File \"/x/y.py\", line 3, in f\n      main()\nNode: 'x'\nInvalid PNG data",
        "2 root error(s) found.\n  (0) INVALID_ARGUMENT: Invalid PNG data\n\t [[{{node x}}]]\n\t [[y/_1]]\n"
        "  (1) INVALID_ARGUMENT: Invalid PNG data\n0 successful operations.\n0 derived errors ignored.",
        "{{function_node __wrapped__DecodePng}} Invalid PNG data [Op:DecodePng]",
    ):
        assert shorten_reason(whole) == "Invalid PNG data"
    assert shorten_reason("") == "it says nothing more"
    assert shorten_reason("\x1b[31m" + "a" * 1000) == "?[31m" + "a" * 295 + " [...]"


def test_a_numbered_answer_is_the_models_alone(server: StandIn) -> None:
    """An answer of another count is not taken for that of these faces."""
    connection = RestConnection("127.0.0.1", server.rest_port, 5)
    model = connection.describe("siamese", None)
    signature: Any = find_signature(model, "embed")
    server.body = b'{"outputs": [' + b",".join([b"[" + b",".join([b"0.1"] * 512) + b"]"] * 3) + b"]}"
    assert connection.predict(model, signature, {"faces": FACES[:3]})["embedding"].shape == (3, 512)
    with pytest.raises(ServingError, match=r"embedding has the shape \[3, 512\], not \[4, 512\]"):
        connection.predict(model, signature, {"faces": FACES})
