"""Requests that mean harm, or were made by mistake: refused with one envelope, and nothing of them is logged."""

import asyncio
import base64
import io
import json
import logging
import resource
import socket
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from PIL import Image
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from lrfr_tf.service.app import make_app
from lrfr_tf.service.guard import Guard
from lrfr_tf.service.keys import Keys
from lrfr_tf.service.log import REQUESTS, JsonLines
from tests.service.conftest import Start
from tests.service.serving import said, serving

Photo = Callable[..., bytes]
GIBIBYTE = 1 << 30


def code(answer: object) -> str:
    """The code of a refusal, whose envelope is looked at."""
    body = answer.json()  # type: ignore[attr-defined]
    assert set(body) == {"error", "request_id"}
    assert set(body["error"]) == {"code", "message", "details"}
    assert body["request_id"] == answer.headers["x-request-id"]  # type: ignore[attr-defined]
    return body["error"]["code"]


def png_of(width: int, height: int) -> bytes:
    """A PNG whose header says so; its pixels are a few zeros."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "status", "expected"),
    [
        (b"", 400, "unreadable"),
        (b"this is text", 400, "unreadable"),
        (b"GIF89a" + bytes(100), 400, "unreadable"),
        (png_of(100_000, 100_000), 413, "too_many_pixels"),
        (png_of(90, 90), 400, "unreadable"),
    ],
)
def test_bad_images(client: TestClient, data: bytes, status: int, expected: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answer = client.post("/v1/identify", files={"image": ("x.png", data)})
    assert (answer.status_code, code(answer)) == (status, expected)
    assert answer.json()["error"]["details"] == {"image": 0}
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB


def test_a_damaged_upload_harms_no_other(client: TestClient, photo: Photo) -> None:
    whole = photo(1)
    damaged = whole[: len(whole) // 2]
    assert code(client.post("/v1/identify", files=[("image", whole), ("image", damaged)])) == "unreadable"
    assert client.post("/v1/identify", files={"image": whole}).status_code == 200


@pytest.mark.parametrize(
    ("content", "kind", "expected"),
    [
        (b"--x\r\nno end", "multipart/form-data; boundary=x", "malformed"),
        (b"x", "multipart/form-data", "malformed"),
        (b"{", "application/json", "malformed"),
        (b"[" * 100_000, "application/json", "malformed"),
        (b"[]", "application/json", "malformed"),
        (b"{}", "application/json", "no_image"),
        (b'{"image": 1}', "application/json", "malformed"),
        (b'{"image": "%%%"}', "application/json", "malformed"),
        (b'{"images": {}}', "application/json", "malformed"),
        (b"x", "text/plain", "unsupported_media_type"),
    ],
)
def test_malformed_bodies(client: TestClient, content: bytes, kind: str, expected: str) -> None:
    answer = client.post("/v1/identify", content=content, headers={"content-type": kind})
    assert (answer.status_code // 100, code(answer)) == (4, expected)


def test_too_many_images(start: Start, photo: Photo) -> None:
    client, _ = start(images=2)
    data = photo(1)
    assert code(client.post("/v1/detect", files=[("image", data)] * 3)) == "too_many_images"
    texts = [base64.b64encode(data).decode()] * 3
    assert code(client.post("/v1/detect", json={"images": texts})) == "too_many_images"
    assert client.post("/v1/detect", files=[("image", data)] * 2).status_code == 200


def test_the_queue_is_bounded(start: Start, photo: Photo) -> None:
    client, service = start(queue=4)
    with service.batcher.places(4):
        answer = client.post("/v1/detect", files={"image": photo(1)})
    assert (answer.status_code, code(answer)) == (503, "busy")
    assert int(answer.headers["retry-after"]) >= 1
    assert client.post("/v1/detect", files={"image": photo(1)}).status_code == 200


def test_a_body_of_a_gibibyte_is_not_read(start: Start) -> None:
    _, service = start()
    with serving(make_app(service)) as (port, _):
        head = "POST /v1/identify HTTP/1.1\nHost: localhost\nContent-Type: application/json\n"
        answer, _ = said(port, f"{head}Content-Length: {GIBIBYTE}")
        assert answer.startswith("HTTP/1.1 413 ")
        assert '"body_too_large"' in answer
        # Nobody says how long it is: it is counted while it comes.
        mebibyte = b"100000\r\n" + b"[" * (1 << 20) + b"\r\n"
        answer, sent = said(port, f"{head}Transfer-Encoding: chunked", (mebibyte for _ in range(1024)))
        assert sent < 64 << 20


def test_a_slow_client_is_ended(start: Start) -> None:
    _, service = start(body_seconds=0.3)
    with serving(make_app(service)) as (port, _):
        head = "POST /v1/identify HTTP/1.1\nHost: localhost\nContent-Type: application/json\nContent-Length: 100"
        answer, _ = said(port, head, iter([b"{"]))
        assert answer.startswith("HTTP/1.1 408 ")
        assert '"too_slow"' in answer


def test_a_client_is_not_slow_where_the_service_looks_late(start: Start) -> None:
    _, service = start(body_seconds=0.01)
    whole = {"type": "http.request", "body": b"", "more_body": False}

    async def late(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.1)
        assert await receive() == whole
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    async def receive() -> Message:
        return whole

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"host", b"localhost")]}
    asyncio.run(Guard(late, service.settings, service.metrics)(scope, receive, send))
    assert sent[0]["status"] == 200


def test_a_slow_client_holds_nobody_up(start: Start, photo: Photo) -> None:
    _, service = start(body_seconds=60)
    with serving(make_app(service)) as (port, _), socket.create_connection(("127.0.0.1", port), timeout=30) as slow:
        head = "POST /v1/identify HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        slow.sendall(f"{head}Content-Length: 100\r\n\r\n{{".encode())
        while not service.batcher.depth:  # it has its place, and keeps it
            time.sleep(0.01)
        answer = httpx.post(f"http://127.0.0.1:{port}/v1/identify", files={"image": photo(1)}, timeout=30)
        assert answer.status_code == 200
        assert service.batcher.depth >= 1  # it still waits


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "", "localhost@evil.example", "[::1"])
def test_foreign_hosts_are_refused(client: TestClient, host: str) -> None:
    for method, path in (("GET", "/v1/persons"), ("POST", "/v1/persons"), ("GET", "/docs")):
        answer = client.request(method, path, headers={"host": host})
        assert (answer.status_code, code(answer)) == (403, "host_not_allowed")


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://localhost:8000.evil.example", "http://localhost"]
)
def test_foreign_origins_are_refused_on_every_route_that_changes_something(client: TestClient, origin: str) -> None:
    description = client.get("/openapi.json").json()
    changing = [
        (method, path)
        for path, methods in description["paths"].items()
        for method in methods
        if method in ("post", "patch", "put", "delete")
    ]
    assert len(changing) >= 14
    for method, path in changing:
        answer = client.request(method, path, headers={"origin": origin})
        assert (answer.status_code, code(answer)) == (403, "origin_not_allowed"), path


def test_own_origins_may_and_no_cors_header_is_sent(start: Start) -> None:
    client, _ = start(origins=("https://desk.example",))
    for origin in ("http://localhost:8000", "https://localhost:8000", "https://desk.example"):
        answer = client.get("/v1/persons", headers={"origin": origin})
        assert answer.status_code == 200
        assert not [name for name in answer.headers if name.startswith("access-control")]
    assert client.options("/v1/persons", headers={"origin": "https://desk.example"}).status_code == 405
    assert code(client.get("/v1/persons", headers={"sec-fetch-site": "cross-site"})) == "origin_not_allowed"


@pytest.mark.parametrize("path", ["/v1/persons/..%2F..%2Fetc%2Fpasswd", "/v1/persons/../../etc/passwd", "/v1/nothing",
                                  "/static-offline-docs/..%2f..%2fcore.py"])  # fmt: skip
def test_path_tricks_lead_nowhere(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, code(answer) in ("no_such_route", "no_such_person")) == (404, True)


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "'; DROP TABLE persons; --", "../../etc/passwd", "%00 ${x}"]
)
def test_names_are_text(client: TestClient, photo: Photo, name: str) -> None:
    made = client.post("/v1/persons", json={"name": name})
    assert (made.status_code, made.json()["name"]) == (201, name)
    id = made.json()["id"]
    answer = client.post(f"/v1/persons/{id}/references?level=off", files={"image": (f"../{name}.png", photo(7))})
    assert answer.json()["photos"][0]["verdict"] == "accepted"
    assert "/" not in answer.json()["photos"][0]["photo"]
    answer = client.get("/v1/persons")
    assert name in [person["name"] for person in answer.json()["persons"]]
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "a\nb", "a\0b"])
def test_bad_names(client: TestClient, name: str) -> None:
    assert code(client.post("/v1/persons", json={"name": name})) == "bad_name"


def test_a_form_that_is_not_known_does_not_come_back(client: TestClient) -> None:
    answer = client.post("/v1/persons", json={"nom": "secret name"})
    assert (answer.status_code, code(answer)) == (422, "malformed")
    assert "secret" not in answer.text


def test_a_thousand_requests_without_a_key(start: Start, tmp_path: Path) -> None:
    keys = Keys(tmp_path / "keys")
    keys.create("read")
    client, service = start(keys)
    for number in range(1000):
        headers = {"authorization": "Bearer lrfr_0_0"} if number % 2 else {}
        answer = client.post("/v1/identify", files={"image": b"x"}, headers=headers)
        assert answer.status_code == 401
    assert code(answer) == "key_invalid"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert service.batcher.depth == 0


def test_roles(start: Start, tmp_path: Path, photo: Photo) -> None:
    keys = Keys(tmp_path / "keys")
    client, _ = start(keys)
    assert client.get("/v1/persons").status_code == 200  # there is no key yet
    texts = {role: keys.create(role) for role in ("read", "enroll", "admin")}
    assert code(client.get("/v1/persons")) == "key_missing"

    def ask(role: str, method: str, path: str, **more: object) -> int:
        headers = {"authorization": f"Bearer {texts[role][1]}"}
        return client.request(method, path, headers=headers, **more).status_code  # type: ignore[arg-type]

    assert ask("read", "GET", "/v1/persons") == 200
    assert ask("read", "POST", "/v1/persons", json={"name": "x"}) == 403
    assert ask("enroll", "POST", "/v1/persons", json={"name": "x"}) == 201
    assert ask("enroll", "GET", "/v1/audit") == 403
    assert ask("admin", "GET", "/v1/audit") == 200
    assert client.get("/v1/health/live").status_code == client.get("/v1/health/ready").status_code == 200
    keys.revoke(texts["admin"][0].id)
    assert ask("admin", "GET", "/v1/audit") == 401
    rows = client.get("/v1/audit", headers={"authorization": f"Bearer {keys.create('admin')[1]}"}).json()["rows"]
    assert rows[-1]["who"] == texts["enroll"][0].id
    keys.path.write_text("{}")
    answer = client.get("/v1/persons", headers={"authorization": f"Bearer {texts['read'][1]}"})
    assert (answer.status_code, code(answer)) == (503, "keys_unreadable")
    assert str(keys.path) not in answer.text


def test_requests_a_minute(start: Start) -> None:
    client, _ = start(requests_per_minute=3)
    assert [client.get("/v1/persons").status_code for _ in range(4)] == [200, 200, 200, 429]
    answer = client.get("/v1/persons")
    assert code(answer) == "too_many_requests"
    assert 1 <= int(answer.headers["retry-after"]) <= 60


def test_the_log_has_no_name_key_or_image(start: Start, tmp_path: Path, photo: Photo) -> None:
    keys = Keys(tmp_path / "keys")
    key, text = keys.create("admin")
    client, service = start(keys)
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    logger = logging.getLogger(REQUESTS)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        headers = {"authorization": f"Bearer {text}", "x-request-id": "mine-1"}
        id = client.post("/v1/persons", json={"name": "Quentin Quirk"}, headers=headers).json()["id"]
        client.post("/v1/identify", files={"image": ("Quentin Quirk.png", photo(1))}, headers=headers)
        client.get("/v1/persons/Quentin Quirk?x=Quentin Quirk", headers=headers)
        client.get("/Quentin Quirk", headers=headers)
        client.get("/v1/persons", headers={**headers, "x-request-id": "Quentin Quirk\tx"})
        service.gallery.store.close()
        answer = client.get("/v1/persons", headers=headers)
    finally:
        logger.removeHandler(handler)
    assert (answer.status_code, code(answer)) == (500, "internal")
    assert "sqlite" not in answer.text.lower()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    requests = [line for line in lines if line["event"] == "request"]
    assert [line["status"] for line in requests] == [201, 200, 404, 404, 200, 500]
    assert requests[0]["route"] == "/v1/persons"
    assert requests[2]["route"] == "/v1/persons/{id}"
    assert (requests[0]["key"], requests[0]["request_id"]) == (key.id, "mine-1")
    (failed,) = [line for line in lines if line["event"] == "failed"]
    assert failed["error"] == "ProgrammingError"
    text_of_log = stream.getvalue()
    for secret in ("Quentin", text, text.rpartition("_")[2], id):
        assert secret not in text_of_log


def test_the_description_has_the_one_envelope_of_errors(client: TestClient) -> None:
    description = client.get("/openapi.json").json()
    assert "HTTPValidationError" not in description["components"]["schemas"]
    failure = {"$ref": "#/components/schemas/Failure"}
    for methods in description["paths"].values():
        for route in methods.values():
            for status in ("4XX", "5XX"):
                assert route["responses"][status]["content"]["application/json"]["schema"] == failure


def test_nothing_is_fetched_from_elsewhere_by_the_page_of_the_routes(client: TestClient) -> None:
    page = client.get("/docs")
    assert page.status_code == 200
    assert "http://" not in page.text
    assert "https://" not in page.text
    assert client.get("/static-offline-docs/swagger-ui-bundle.js").status_code == 200


def test_an_image_with_many_pixels_is_refused_by_its_decoder_too(start: Start) -> None:
    client, _ = start(pixels=10_000)
    stream = io.BytesIO()
    Image.new("RGB", (101, 100)).save(stream, "PNG")
    assert code(client.post("/v1/detect", files={"image": stream.getvalue()})) == "too_many_pixels"


def test_a_method_that_an_address_has_not_is_answered_with_those_that_it_has(client: TestClient) -> None:
    for method, path, allowed in (
        ("TRACE", "/v1/persons/x", "GET, PATCH"),
        ("DELETE", "/v1/persons", "GET, POST"),
        ("GET", "/v1/identify", "POST"),
        ("OPTIONS", "/v1/audit", "GET"),
    ):
        answer = client.request(method, path)
        assert (answer.status_code, code(answer), answer.headers["allow"]) == (405, "method_not_allowed", allowed)
