"""Persons and their references over HTTP."""

import io
import json
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

from lrfr_tf.gallery.gallery import Gallery
from lrfr_tf.service.app import make_app
from lrfr_tf.service.settings import Settings
from tests.service.conftest import NAMES, Start
from tests.service.serving import serving

Photo = Callable[..., bytes]


def ids(client: TestClient) -> dict[str, str]:
    return {one["name"]: one["id"] for one in client.get("/v1/persons").json()["persons"]}


def code(answer: httpx.Response) -> str:
    return answer.json()["error"]["code"]


def test_listing_goes_page_by_page(client: TestClient) -> None:
    names, cursor = [], "0"
    while cursor is not None:
        page = client.get("/v1/persons", params={"cursor": cursor, "limit": 3}).json()
        assert all(person["references"] == person["active"] == 2 for person in page["persons"])
        names += [person["name"] for person in page["persons"]]
        cursor = page["next_cursor"]
    assert tuple(names) == NAMES
    assert code(client.get("/v1/persons?cursor=x")) == "bad_cursor"
    assert client.get("/v1/persons?limit=0").status_code == 422


def test_create_enroll_identify(client: TestClient, people: Path, photo: Photo) -> None:
    id = client.post("/v1/persons", json={"name": "Zo\u00eb"}).json()["id"]
    assert code(client.post("/v1/persons", json={"name": "Zoe\u0308 "})) == "name_taken"
    files = [("image", ("a.png", photo(7, 1))), ("image", ("b.txt", photo(7, 1))), ("image", ("a.png", photo(7, 2)))]
    photos = client.post(f"/v1/persons/{id}/references", files=files).json()["photos"]
    assert [one["image"] for one in photos] == [0, 1, 2]
    assert photos[0]["verdict"] != "rejected"
    assert photos[1]["codes"][0] == "duplicate"
    assert photos[0]["photo"] == "a.png"
    (face,) = client.post("/v1/identify", files={"image": photo(7)}).json()["faces"]
    assert face["name"] == "Zo\u00eb"
    references = client.get(f"/v1/persons/{id}/references").json()["references"]
    assert photos[0]["reference"] == references[0]["id"]
    with Gallery.open(people) as gallery:
        assert gallery.references("Zo\u00eb")[0].source_name == "a.png"
        assert [row.who for row in gallery.audit("Zo\u00eb")][:2] == ["local", "local"]


def test_rename_merge_move_set_aside(client: TestClient) -> None:
    known = ids(client)
    assert client.patch(f"/v1/persons/{known['ada']}", json={"name": "Ada"}).json()["name"] == "Ada"
    assert code(client.patch(f"/v1/persons/{known['ada']}", json={"name": "grace"})) == "name_taken"
    merged = client.post(f"/v1/persons/{known['mary']}/merge", json={"into": known["ada"]}).json()
    assert (merged["name"], merged["references"]) == ("Ada", 4)
    assert code(client.get(f"/v1/persons/{known['mary']}")) == "no_such_person"
    assert code(client.post(f"/v1/persons/{known['ada']}/merge", json={"into": known["ada"]})) == "same_person"
    reference = client.get(f"/v1/persons/{known['ada']}/references").json()["references"][0]["id"]
    moved = client.post(f"/v1/references/{reference}/move", json={"to": known["hedy"]}).json()
    assert moved["person"] == known["hedy"]
    assert (
        client.post(f"/v1/references/{reference}/set-aside", json={"reason": "blurred"}).json()["state"] == "set_aside"
    )
    assert client.get(f"/v1/persons/{known['hedy']}").json()["active"] == 2
    assert client.post(f"/v1/references/{reference}/restore").json()["state"] == "active"
    for path, body in (("move", {"to": known["hedy"]}), ("set-aside", {}), ("restore", None)):
        assert code(client.post(f"/v1/references/nosuch/{path}", json=body)) == "no_such_reference"


def test_forget_asks_for_the_name(client: TestClient, photo: Photo, people: Path) -> None:
    id = ids(client)["grace"]
    assert code(client.post(f"/v1/persons/{id}/forget", json={"confirm": "ada"})) == "not_confirmed"
    assert client.post(f"/v1/persons/{id}/forget", json={}).status_code == 422
    done = client.post(f"/v1/persons/{id}/forget", json={"confirm": "grace"}).json()
    assert (done["id"], done["references"]) == (id, 2)
    assert "grace" not in ids(client)
    (face,) = client.post("/v1/identify", files={"image": photo(1)}).json()["faces"]
    assert "grace" not in json.dumps(face)


def test_whoever_got_the_name_meanwhile_is_not_forgotten(people: Path) -> None:
    with Gallery.open(people) as gallery:
        id = next(one.id for one in gallery.persons() if one.name == "ada")
        gallery.rename("ada", "Ada")
        gallery.rename("grace", "ada")
        with pytest.raises(Exception, match="another person 'ada' by now"):
            gallery.forget("ada", id)
        assert gallery.has_person("ada")


def test_subject_export_check_and_audit(client: TestClient) -> None:
    id = ids(client)["hedy"]
    answer = client.post(f"/v1/persons/{id}/subject-export")
    about = json.loads(zipfile.ZipFile(io.BytesIO(answer.content)).read("about.json"))
    assert about["person"]["name"] == "hedy"
    assert "hedy" not in answer.headers["content-disposition"]
    assert client.get("/v1/gallery/check").json()["check"]["persons"] == 4
    rows = client.get("/v1/audit", params={"person": id, "limit": 1}).json()
    assert [row["what"] for row in rows["rows"]] == ["enroll"]
    rest = client.get("/v1/audit", params={"person": id, "cursor": rows["next_cursor"]}).json()
    assert rest["next_cursor"] is None
    assert all(row["person"] == id for row in rest["rows"])


def test_a_gallery_that_another_process_writes_is_busy_not_wrong(
    client: TestClient, people: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sqlite3

    client.app.app.state.service.gallery.store.connection.execute("PRAGMA busy_timeout = 50")  # type: ignore
    other = sqlite3.connect(people, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    answer = client.post("/v1/persons", json={"name": "x"})
    other.execute("ROLLBACK")
    other.close()
    assert (answer.status_code, code(answer)) == (503, "gallery_unavailable")
    assert str(people) not in answer.text
    assert client.post("/v1/persons", json={"name": "x"}).status_code == 201


def test_what_is_under_way_is_answered_before_the_end(start: Start, photo: Photo) -> None:
    _, service = start(batch_wait_ms=500)
    answers: list[int] = []
    with serving(make_app(service)) as (port, server):
        url = f"http://127.0.0.1:{port}/v1/identify"
        data = photo(1)

        def ask() -> None:
            answers.append(httpx.post(url, files={"image": data}, timeout=60).status_code)

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        until = time.monotonic() + 30
        while service.batcher.depth < 4 and time.monotonic() < until:
            time.sleep(0.01)
        server.should_exit = True  # what SIGTERM does
        for thread in threads:
            thread.join(60)
    assert answers == [200] * 4
    assert not service.ready


def test_many_clients_get_the_answers_of_one(start: Start, photo: Photo) -> None:
    _, service = start()
    data = [photo(number) for number in range(4)]
    with serving(make_app(service)) as (port, _), httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        alone = [client.post("/v1/identify", files={"image": one}).json()["faces"][0] for one in data]
        together: dict[int, dict] = {}

        def ask(number: int) -> None:
            answer = httpx.post(f"{client.base_url}/v1/identify", files={"image": data[number % 4]}, timeout=60)
            together[number] = answer.json()["faces"][0]

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    for number, face in together.items():
        assert face["name"] == alone[number % 4]["name"]
        assert face["score"] == pytest.approx(alone[number % 4]["score"], abs=1e-5)
    assert len(together) == 16
    assert service.batcher.depth == 0


def test_limits_are_those_that_were_promised() -> None:
    assert Settings() == Settings(body_bytes=10 << 20, form_bytes=1 << 20, pixels=40_000_000, images=64)
