"""When the client asks again, and what becomes of answers that are no answers."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from lrfr_tf.client import Client, ServiceError
from lrfr_tf.client import transport as transport_module

PERSON = {"id": "a", "name": "ada", "created": "2026-01-01", "expires": None, "references": 0, "active": 0}
ENROLLED = {"photos": [], "person": "a", "request_id": "r"}
Handler = Callable[[httpx.Request], httpx.Response]


def refused(status: int, code: str, wait: str | None = "2") -> httpx.Response:
    error = {"code": code, "message": "No.", "details": {"why": 1}}
    headers = {} if wait is None else {"retry-after": wait}
    return httpx.Response(status, json={"error": error, "request_id": "r"}, headers=headers)


class Service:
    """Answers with what it is given, in turn, the last again and again; an exception is raised."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.seen: list[httpx.Request] = []
        self.waits: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def client_of(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Client]:
    def make(service: Service, **how: Any) -> Client:
        monkeypatch.setattr(transport_module.time, "sleep", service.waits.append)
        return Client("http://service", http=httpx.Client(transport=httpx.MockTransport(service)), **how)

    return make


def test_a_busy_service_is_asked_again_after_the_time_it_says(client_of: Callable[..., Client]) -> None:
    service = Service(refused(503, "busy", "3"), refused(503, "busy", "1"), httpx.Response(200, json=PERSON))
    assert client_of(service).persons.create("ada").name == "ada"
    assert service.waits == [3.0, 1.0]


@pytest.mark.parametrize(
    ("how", "tries"),
    [({"retries": 2}, 3), ({"retries": 0}, 1), ({"retries": 9, "longest_wait": 4.0}, 3)],
)
def test_it_is_not_asked_for_ever(client_of: Callable[..., Client], how: dict[str, Any], tries: int) -> None:
    service = Service(refused(503, "busy"))
    with pytest.raises(ServiceError) as error:
        client_of(service, **how).check()
    assert (error.value.status, error.value.code, error.value.retry_after) == (503, "busy", 2.0)
    assert (error.value.message, error.value.details, error.value.request_id) == ("No.", {"why": 1}, "r")
    assert len(service.seen) == tries


@pytest.mark.parametrize(
    "answer",
    [refused(503, "not_ready", None), refused(429, "too_many_requests"), refused(409, "name_taken", None),
     refused(500, "internal", None), httpx.ReadTimeout("slow")],
)  # fmt: skip
def test_what_would_not_go_better_is_not_asked_again(
    client_of: Callable[..., Client], answer: httpx.Response | Exception
) -> None:
    service = Service(answer)
    with pytest.raises(ServiceError):
        client_of(service).gallery()
    assert len(service.seen) == 1


def test_enrolling_is_sent_again_with_the_same_key(client_of: Callable[..., Client]) -> None:
    service = Service(
        httpx.ReadTimeout("slow"),
        *(refused(409, "under_way", "1") for _ in range(6)),
        refused(503, "backend_unavailable"),
        httpx.ReadError("reset"),
        httpx.Response(200, json=ENROLLED),
    )
    client = client_of(service)
    assert client.enroll("a", b"photo").person == "a"
    keys = {request.headers["idempotency-key"] for request in service.seen}
    assert len(service.seen) == 10
    assert len(keys) == 1
    assert all(b"photo" in request.read() for request in service.seen)
    client.enroll("a", b"photo")
    assert service.seen[-1].headers["idempotency-key"] not in keys


def test_what_may_have_been_done_is_not_done_twice(client_of: Callable[..., Client]) -> None:
    for call in (
        lambda client: client.persons.create("ada"),
        lambda client: client.persons.merge("a", into="b"),
        lambda client: client.persons.forget("a", confirm="ada"),
        lambda client: client.confirm(1, True),
    ):
        service = Service(httpx.RemoteProtocolError("closed"))
        with pytest.raises(ServiceError) as error:
            call(client_of(service))
        assert (error.value.status, error.value.code) == (0, "broken_off")
        assert len(service.seen) == 1
    service = Service(httpx.ConnectError("refused"), httpx.Response(201, json=PERSON))
    assert client_of(service).persons.create("ada").id == "a"  # the request never arrived
    service = Service(httpx.RemoteProtocolError("closed"), httpx.Response(200, json=PERSON))
    assert client_of(service).persons.get("a").id == "a"


@pytest.mark.parametrize(
    "answer",
    [httpx.Response(502, text="<html>Bad Gateway</html>"), httpx.Response(200, text="<html>"),
     httpx.Response(200, json={"id": 7}), httpx.Response(200, json=[]), httpx.Response(404, json={"detail": "no"})],
)  # fmt: skip
def test_what_is_not_of_the_service_is_said(client_of: Callable[..., Client], answer: httpx.Response) -> None:
    with pytest.raises(ServiceError) as error:
        client_of(Service(answer)).persons.get("a")
    assert error.value.code == "no_answer_of_the_service"
    assert error.value.status == answer.status_code


def test_ids_stay_in_their_place_and_the_key_in_its_header(client_of: Callable[..., Client]) -> None:
    service = Service(httpx.Response(200, json={**PERSON, "new": "field"}))
    client_of(service, key="lrfr_a_b").persons.get("../audit?x=1")
    (request,) = service.seen
    assert request.url.raw_path == b"/v1/persons/..%2Faudit%3Fx%3D1"
    assert request.headers["authorization"] == "Bearer lrfr_a_b"


def test_a_client_of_ones_own_stays_open() -> None:
    own = httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(200, json=PERSON)))
    with Client("http://service", http=own) as client:
        client.persons.get("a")
    assert not own.is_closed
    own.close()


def test_importing_it_loads_nothing_heavy() -> None:
    heavy = ("numpy", "PIL", "tensorflow", "keras", "fastapi")
    ask = f"import sys, lrfr_tf.client; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", ask], capture_output=True, check=True, text=True).stdout == "[]\n"


def test_without_httpx_it_says_what_brings_it() -> None:
    ask = "import sys; sys.modules['httpx'] = None; import lrfr_tf.client"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, check=False, text=True)
    assert "ImportError: httpx is missing; pip install 'lrfr-tf[client]' brings it." in done.stderr
