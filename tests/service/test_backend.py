"""A TF-Serving that embeds for the service: the answers of a local network, or a refusal; never a wrong name."""

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from starlette.testclient import TestClient

from lrfr_tf.cli import command, serve
from lrfr_tf.errors import UserError
from lrfr_tf.files import read_json
from lrfr_tf.gallery.gallery import Gallery
from lrfr_tf.networks.away import FAILED, OTHER_NETWORK, SLOW, UNREACHABLE, NetworkAwayError
from lrfr_tf.recognition.calibration import write_calibration
from lrfr_tf.recognition.recognizer import Recognizer
from lrfr_tf.service.app import make_app, make_service
from lrfr_tf.service.settings import Settings
from lrfr_tf.tf_serving import served_embedder
from lrfr_tf.tf_serving.grpc_client import GrpcConnection
from lrfr_tf.tf_serving.probe import embedding_of_probe, probe_face
from lrfr_tf.tf_serving.served_embedder import MOST_FACES, ServedEmbedder, recognizer_of_server
from tests.faces_by_code import write_people
from tests.service.conftest import NAMES
from tests.strangers_by_code import strangers
from tests.tf_serving.stand_in import StandIn, StatusError
from tests.tools.small_embedders import SmallEmbedder, write_small_embedder

Photo = Callable[..., bytes]
SIZE = 64


class Mirrored(tf.Module):
    """Another network: the same arrays go in and come out."""

    def __init__(self) -> None:
        super().__init__()
        self.upright = SmallEmbedder()

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.uint8, name="faces")])
    def embed(self, faces: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"embedding": self.upright.embed(faces=faces[:, ::-1])["embedding"]}


class Short(tf.Module):
    """Another network with embeddings of two numbers."""

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.uint8, name="faces")])
    def embed(self, faces: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"embedding": tf.reduce_mean(tf.cast(faces, tf.float32), axis=[1, 2])[:, :2]}


def write_other(folder: Path, module: tf.Module) -> Path:
    tf.saved_model.save(module, str(folder / "1"), signatures={"embed": module.embed.get_concrete_function()})
    return folder


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export on the template that shipped ones have, with a calibration."""
    folder = tmp_path_factory.mktemp("exports") / "small"
    version = write_small_embedder(folder / "1", dimensions=192, template="centred", input_size=SIZE)
    write_calibration(folder, read_json(version / "model.json"), strangers(start=-0.6), {})
    return folder


@pytest.fixture(scope="module")
def local(export: Path) -> Recognizer:
    return Recognizer(export / "1")


@pytest.fixture(scope="module")
def expected(export: Path) -> np.ndarray:
    return embedding_of_probe(export / "1")


@pytest.fixture
def enrolled_here(local: Recognizer, portrait: np.ndarray, tmp_path: Path) -> Path:
    write_people(tmp_path / "people", portrait, dict.fromkeys(NAMES, 2))
    with Gallery.create(tmp_path / "people.db", local) as gallery:
        gallery.enroll_folder(tmp_path / "people", "off")
    return tmp_path / "people.db"


@pytest.fixture
def server(export: Path) -> Iterator[StandIn]:
    with StandIn({"small": export}) as server:
        yield server


@contextlib.contextmanager
def service_on(people: Path, recognizer: Recognizer) -> Iterator[TestClient]:
    embedder = recognizer.embedder
    assert isinstance(embedder, ServedEmbedder)
    with Gallery.open(people, recognizer) as gallery:
        service = make_service(gallery, Settings(), None, "srcnn", check_networks=embedder.check)
        app = make_app(service)
        with TestClient(app, base_url="http://localhost:8000", raise_server_exceptions=False) as client:
            yield client


def served(export: Path, port: int, timeout: float = 10.0, notes: list[str] | None = None) -> Recognizer:
    said: list[str] = [] if notes is None else notes
    return recognizer_of_server(str(export / "1"), lambda: GrpcConnection("127.0.0.1", port, timeout), note=said.append)


def embedder_on(export: Path, expected: np.ndarray, port: int, timeout: float = 10.0) -> ServedEmbedder:
    record = read_json(export / "1" / "model.json")
    return ServedEmbedder(record, expected, lambda: GrpcConnection("127.0.0.1", port, timeout), model="small")


def reason_of(embedder: ServedEmbedder) -> str:
    with pytest.raises(NetworkAwayError) as away:
        embedder.embed([probe_face(SIZE)])
    return away.value.reason


def test_answers_are_those_of_the_local_network(
    enrolled_here: Path, export: Path, local: Recognizer, server: StandIn, photo: Photo
) -> None:
    recognizer = served(export, server.grpc_port)
    with service_on(enrolled_here, recognizer) as client, Gallery.open(enrolled_here, local) as gallery:
        assert client.get("/v1/health/ready").json() == {"status": "ready"}
        for number in range(len(NAMES)):
            (face,) = client.post("/v1/identify", files={"image": photo(number)}).json()["faces"]
            (embedded,) = client.post("/v1/embed", files={"image": photo(number)}).json()["faces"]
            (own,) = local.analyze(_pixels(photo(number)))
            match = gallery.identify(own)
            assert (face["decision"], face["name"]) == (match.decision, match.name) == ("known", NAMES[number])
            assert face["score"] == pytest.approx(match.score, abs=1e-4)
            assert face["threshold"] == pytest.approx(match.threshold)
            assert float(np.array(embedded["embedding"]) @ own.embedding) >= 0.9999
        same = client.post("/v1/verify", files=[("image", photo(1, 50)), ("image", photo(1, 51))]).json()
        assert same["same"] is True


def test_enrolling_goes_the_same_way(enrolled_here: Path, export: Path, server: StandIn, photo: Photo) -> None:
    with service_on(enrolled_here, served(export, server.grpc_port)) as client:
        id = client.post("/v1/persons", json={"name": "zoe"}).json()["id"]
        before = len(server.seen)
        files = [("image", photo(7, 1)), ("image", photo(7, 2))]
        photos = client.post(f"/v1/persons/{id}/references?level=off", files=files).json()["photos"]
        assert [one["verdict"] for one in photos] == ["accepted", "accepted"]
        assert len(server.seen) > before
        (face,) = client.post("/v1/identify", files={"image": photo(7, 3)}).json()["faces"]
        assert face["name"] == "zoe"


def test_a_request_that_failed_halfway_goes_on_where_it_failed(
    enrolled_here: Path, export: Path, server: StandIn, photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served_embedder, "PAUSE", 0.0)
    with service_on(enrolled_here, served(export, server.grpc_port)) as client:
        id = client.post("/v1/persons", json={"name": "zoe"}).json()["id"]
        ask = {"url": f"/v1/persons/{id}/references?level=off", "headers": {"idempotency-key": "one"}}
        files = [("image", photo(7, number)) for number in range(3)]
        answer = server.predict
        seen = len(server.seen)

        def fail_at_the_second(*words: object) -> dict[str, np.ndarray]:
            if len(server.seen) == seen + 2:
                raise StatusError("UNAVAILABLE", "queue is full")
            return answer(*words)  # type: ignore[arg-type]

        monkeypatch.setattr(server, "predict", fail_at_the_second)
        assert client.post(**ask, files=files).status_code == 503  # type: ignore[arg-type]
        photos = client.post(**ask, files=files).json()["photos"]  # type: ignore[arg-type]
        assert [one["verdict"] for one in photos] == ["accepted"] * 3
        assert [one["image"] for one in photos] == [0, 1, 2]
        assert client.get(f"/v1/persons/{id}").json()["references"] == 3


def test_this_process_does_not_load_the_network(
    enrolled_here: Path, export: Path, server: StandIn, photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(path: str, *rest: object, **more: object) -> None:
        raise AssertionError(f"{path} is loaded")

    monkeypatch.setattr(tf.saved_model, "load", load)
    with service_on(enrolled_here, served(export, server.grpc_port)) as client:
        (face,) = client.post("/v1/identify", files={"image": photo(2)}).json()["faces"]
    assert face["name"] == "hedy"


def test_a_server_that_goes_and_comes_back(
    enrolled_here: Path, export: Path, photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served_embedder, "PAUSE", 0.1)
    notes: list[str] = []
    with StandIn({"small": export}) as first:
        port = first.grpc_port
    recognizer = served(export, port, notes=notes)
    with service_on(enrolled_here, recognizer) as client:  # it starts, though there is no server
        for ask in (
            lambda: client.get("/v1/health/ready"),
            lambda: client.post("/v1/identify", files={"image": photo(2)}),
            lambda: client.post("/v1/verify", files=[("image", photo(1)), ("image", photo(2))]),
        ):
            answer = ask()
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "backend_unavailable")
            assert answer.json()["error"]["details"] == {"reason": UNREACHABLE}
            assert int(answer.headers["retry-after"]) >= 1
            assert str(port) not in answer.text
        assert client.get("/v1/health/live").status_code == 200
        assert client.post("/v1/detect", files={"image": photo(2)}).status_code == 200
        with StandIn({"small": export}, port):
            _wait_until(lambda: client.get("/v1/health/ready").status_code == 200)
            (face,) = client.post("/v1/identify", files={"image": photo(2)}).json()["faces"]
            assert face["name"] == "hedy"
        _wait_until(lambda: client.get("/v1/health/ready").status_code == 503)
    assert "is not available" in notes[0]
    assert "answers with small-1-" in notes[1]
    assert len(notes) == 3


def test_a_slow_server_is_not_waited_for_by_everybody(
    export: Path, expected: np.ndarray, server: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedder = embedder_on(export, expected, server.grpc_port, timeout=0.5)
    server.delay = 1.5
    assert reason_of(embedder) == SLOW
    asked = len(server.seen)
    assert reason_of(embedder) == SLOW
    assert len(server.seen) == asked  # the second one was refused without asking
    server.delay = 0
    monkeypatch.setattr(served_embedder, "PAUSE", 0.0)
    _wait_until(lambda: _answers(embedder))


@pytest.mark.parametrize("module", [Mirrored, Short])
def test_another_network_gives_no_answer(
    enrolled_here: Path, export: Path, photo: Photo, module: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served_embedder, "PAUSE", 0.0)
    other = write_other(tmp_path / "other", module())
    with StandIn({"small": other}) as server, service_on(enrolled_here, served(export, server.grpc_port)) as client:
        for answer in (client.get("/v1/health/ready"), client.post("/v1/identify", files={"image": photo(2)})):
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "backend_unavailable")
            assert answer.json()["error"]["details"] == {"reason": OTHER_NETWORK}


def test_a_network_that_is_exchanged_between_two_requests_is_noticed(
    export: Path, expected: np.ndarray, server: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedder = embedder_on(export, expected, server.grpc_port)
    right = server.loaded["small"]
    assert embedder.embed([probe_face(SIZE)])[0] @ expected >= 0.9999
    server.loaded["small"] = StandIn({"small": write_other(tmp_path / "other", Mirrored())}).loaded["small"]
    assert reason_of(embedder) == OTHER_NETWORK
    server.loaded["small"] = right
    monkeypatch.setattr(served_embedder, "PAUSE", 0.0)
    embedder.check()


@pytest.mark.parametrize(
    ("fault", "reason"),
    [(("UNAVAILABLE", "queue is full"), UNREACHABLE), (("INTERNAL", "broken"), FAILED),
     (("INVALID_ARGUMENT", "larger than maximum batch size"), FAILED), (("NOT_FOUND", "gone"), OTHER_NETWORK)],
)  # fmt: skip
def test_what_a_server_says_becomes_a_reason(
    export: Path, expected: np.ndarray, server: StandIn, fault: tuple[str, str], reason: str
) -> None:
    embedder = embedder_on(export, expected, server.grpc_port)
    server.faults.append(fault)
    assert reason_of(embedder) == reason


def test_a_version_that_is_not_served_is_no_answer(export: Path, expected: np.ndarray, server: StandIn) -> None:
    embedder = embedder_on(export, expected, server.grpc_port)
    embedder.record = {**embedder.record, "version": 7}
    assert reason_of(embedder) == OTHER_NETWORK


def test_faces_go_in_batches_of_fixed_sizes(
    export: Path, expected: np.ndarray, local: Recognizer, server: StandIn
) -> None:
    recognizer = served(export, server.grpc_port)
    faces = [np.full((SIZE, SIZE, 3), level, np.uint8) for level in range(37)]
    faces = [np.clip(face + probe_face(SIZE) // 2, 0, 255).astype(np.uint8) for face in faces]
    rows = np.stack([face.embedding for face in recognizer.take(faces)])
    own = np.stack([face.embedding for face in local.take(faces)])
    assert (np.sum(rows * own, axis=1) >= 0.9999).all()
    sizes = [request.inputs["faces"].tensor_shape.dim[0].size - 1 for request in server.seen]
    assert sum(sizes) >= len(faces)
    assert set(sizes) <= {1, 2, 4, 8, MOST_FACES}
    np.testing.assert_allclose(recognizer.embedder.embed([faces[0]]), rows[:1], atol=1e-6)
    assert recognizer.embedder.embed([]).shape == (0, 192)
    with pytest.raises(ValueError, match="must be uint8"):
        recognizer.embedder.embed([faces[0].astype(float)])
    with pytest.raises(UserError, match="is on a server"):
        recognizer.embedder.graph_part()


def test_what_cannot_be_served_is_one_sentence(export: Path, expected: np.ndarray, tmp_path: Path) -> None:
    plain = write_small_embedder(tmp_path / "plain" / "1")
    with pytest.raises(UserError, match="has no input_size"):
        recognizer_of_server(str(plain), lambda: GrpcConnection("127.0.0.1", 1, 1.0), note=print)
    with pytest.raises(UserError, match="facenet is none"):
        recognizer_of_server("facenet", lambda: GrpcConnection("127.0.0.1", 1, 1.0), note=print)


def test_flags(people: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words, sentence in (
        (["--serving=host:8500"], "--serving and --serving_model are for --backend=tf_serving"),
        (["--backend=tf_serving", "--serving=host"], "--serving=host is not host:port"),
        (["--backend=tf_serving", "--serving=host:99999"], "--serving=host:99999 is not host:port"),
    ):
        with pytest.raises(SystemExit) as stopped:
            command.main(["serve", f"--gallery={people}", *words])
        assert stopped.value.code == 2
        assert sentence in capsys.readouterr().err
    config = serve.Config(gallery=str(people), backend="tf_serving", serving="[::1]:8500")
    assert serve.address_of(config) == ("::1", 8500)


def _pixels(data: bytes) -> np.ndarray:
    from lrfr_tf.images.decode import decode_image

    return decode_image(data, "photo")


def _answers(embedder: ServedEmbedder) -> bool:
    with contextlib.suppress(NetworkAwayError):
        embedder.check()
        return True
    return False


def _wait_until(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not true():
        assert time.monotonic() < until
        time.sleep(0.05)
