"""Requests at the edge of what is sensible: they get a code of their own, and cost nobody else anything."""

import json
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from lrfr_tf.service.app import make_app
from lrfr_tf.service.batcher import Job
from lrfr_tf.service.compute import DETECT, EMBED, EMBED_PERSON, EMBED_SHOWN
from lrfr_tf.service.keys import Keys
from tests.service.conftest import Start
from tests.service.serving import said, serving
from tests.service.test_hostile import code

Photo = Callable[..., bytes]
HUGE = "1" + "0" * 400
FORM = {"content-type": "application/json"}


def person_of(client: TestClient) -> str:
    return client.get("/v1/persons").json()["persons"][0]["id"]


def test_a_rate_of_400_digits_is_no_number(client: TestClient, photo: Photo) -> None:
    files = [("image", photo(0)), ("image", photo(0))]
    for far in (HUGE, "nan", "inf", "-1"):
        answer = client.post("/v1/verify", files=files, data={"far": far})
        assert (answer.status_code, code(answer)) == (400, "malformed")
    texts = client.post("/v1/verify", content=b'{"images": ["", ""], "far": %s}' % HUGE.encode(), headers=FORM)
    assert texts.status_code == 400


@pytest.mark.parametrize("box", ["-1e308,-1e308,1e308,1e308", "nan,0,1,1", "0,0,inf,1", "1,1,0,0"])
def test_a_box_without_an_area_is_refused(client: TestClient, photo: Photo, box: str) -> None:
    answer = client.post(f"/v1/persons/{person_of(client)}/references", files={"image": photo(0)}, data={"box": box})
    assert (answer.status_code, code(answer)) == (400, "bad_box")


def test_an_empty_idempotency_key_is_refused(client: TestClient, photo: Photo) -> None:
    path = f"/v1/persons/{person_of(client)}/references"
    answer = client.post(path, files={"image": photo(0)}, headers={"idempotency-key": ""})
    assert (answer.status_code, code(answer)) == (422, "malformed")


def test_a_charset_that_decodes_nothing_is_refused(client: TestClient) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="far"\r\n\r\n1\r\n--x--\r\n'
    kind = "multipart/form-data; boundary=x; charset=undefined"
    answer = client.post("/v1/detect", content=body, headers={"content-type": kind})
    assert (answer.status_code, code(answer)) == (400, "malformed")


def test_a_form_that_is_no_json_has_the_code_of_others(client: TestClient) -> None:
    for content in (b"[" * 100_000, b"{", b'{"name": "\xff"}'):
        answer = client.post("/v1/persons", content=content, headers=FORM)
        assert answer.status_code // 100 == 4
        assert code(answer) == "malformed"


def test_of_a_form_with_a_hundred_thousand_faults_a_few_are_told(client: TestClient) -> None:
    answer = client.post("/v1/persons", content=json.dumps({f"a{n}": 1 for n in range(50_000)}), headers=FORM)
    assert code(answer) == "malformed"
    assert len(answer.content) < 5000


def test_a_long_form_is_refused_before_anybody_has_shown_a_key(start: Start, tmp_path: Path) -> None:
    keys = Keys(tmp_path / "keys")
    keys.create("read")
    client, service = start(keys)
    answer = client.post("/v1/persons", content=b'{"name": "' + b"x" * (2 << 20) + b'"}', headers=FORM)
    assert (answer.status_code, code(answer)) == (413, "body_too_large")
    with serving(make_app(service)) as (port, _):
        head = "POST /v1/persons HTTP/1.1\nHost: localhost\nContent-Type: application/json\nTransfer-Encoding: chunked"
        text, _ = said(port, head, (b"100000\r\n" + b"[" * (1 << 20) + b"\r\n" for _ in range(64)))
        assert text.startswith("HTTP/1.1 413 ") or not text  # the connection may be gone before it is read


def test_a_slow_form_is_ended_with_its_code(start: Start) -> None:
    _, service = start(body_seconds=0.3)
    with serving(make_app(service)) as (port, _):
        head = "POST /v1/persons HTTP/1.1\nHost: localhost\nContent-Type: application/json\nContent-Length: 100"
        text, _ = said(port, head, iter([b"{"]))
        assert text.startswith("HTTP/1.1 408 ")
        assert '"too_slow"' in text


@pytest.mark.parametrize("kind", [DETECT, EMBED, EMBED_PERSON, EMBED_SHOWN])
def test_what_is_computed_holds_no_image(start: Start, portrait: np.ndarray, photo: Photo, kind: str) -> None:
    _, service = start()
    (done,) = service.networks.compute(kind, [Job(kind, photo(0))])
    assert done.faces
    assert not hasattr(done, "pixels")  # 64 images of 40 megapixels would be eight gigabytes
    assert len(done.natives) == (len(done.faces) if kind == EMBED_SHOWN else 0)


def test_requests_that_wait_to_enroll_hold_nobody_up(start: Start, photo: Photo) -> None:
    client, service = start()
    data, path = photo(0), f"/v1/persons/{person_of(client)}/references"
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.append(client.post(path, files={"image": data}).status_code))
        for _ in range(48)  # more than the threads that answer everybody
    ]
    with service.networks.lock:
        for thread in threads:
            thread.start()
        while service.batcher.depth < len(threads):
            threads[0].join(0.01)
        other = threading.Thread(target=lambda: answers.append(client.get("/v1/health/ready").status_code))
        other.start()
        other.join(30)
        held_up = other.is_alive()
    for thread in (*threads, other):
        thread.join(120)
    assert not held_up
    assert answers == [200] * (len(threads) + 1)


def test_a_file_of_answers_that_is_taken_away_is_made_anew(client: TestClient, people: Path, photo: Photo) -> None:
    answers = people.with_name(people.name + ".answers")
    path = f"/v1/persons/{person_of(client)}/references"

    def ask(key: str) -> int:
        return client.post(path, files={"image": photo(1)}, headers={"idempotency-key": key}).status_code

    assert ask("one") == 200
    answers.unlink()
    assert ask("two") == 200
    with sqlite3.connect(answers) as database:  # what was noted is in the file, and not in the one that is gone
        assert database.execute("SELECT COUNT(*) FROM request").fetchall() == [(1,)]
    answers.write_bytes(b"no database at all" * 1000)
    assert ask("three") == 503
    answers.unlink()  # it need not be started again
    assert ask("three") == 200


@pytest.mark.parametrize("fault", [("role", "king"), ("sha256", 7), ("id", None)])
def test_keys_with_other_values_are_damaged(start: Start, tmp_path: Path, fault: tuple[str, object]) -> None:
    keys = Keys(tmp_path / "keys")
    _, text = keys.create("admin")
    client, _ = start(keys)
    value = json.loads(keys.path.read_text())
    value["keys"][0][fault[0]] = fault[1]
    keys.path.write_text(json.dumps(value))
    answer = client.get("/v1/persons", headers={"authorization": f"Bearer {text}"})
    assert (answer.status_code, code(answer)) == (503, "keys_unreadable")
