"""What becomes of the gallery's file while the service runs: a typed error, nothing lost, and it recovers if it can."""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from starlette.testclient import TestClient

from lrfr_tf.gallery.gallery import Gallery
from lrfr_tf.gallery.people import People
from lrfr_tf.gallery.store import LOOK_AGAIN, Store
from lrfr_tf.recognition.recognizer import Recognizer
from lrfr_tf.service import state
from tests.service.conftest import Start
from tests.service.test_idempotency import count, enroll, ids

Photo = Callable[..., bytes]
UNAVAILABLE = (503, "gallery_unavailable")
FINE = (200, "")


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be used, or was found good, is looked at again at once."""
    monkeypatch.setattr("lrfr_tf.gallery.store.LOOK_AGAIN", 0.0)
    monkeypatch.setattr(state, "WRITTEN_AGAIN", 0.0)
    assert LOOK_AGAIN > 0


def outcome(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, "" if answer.is_success else answer.json()["error"]["code"]


def all_of(client: TestClient, photo: bytes, id: str) -> list[tuple[int, str]]:
    """What is answered to a request of each kind."""
    return [
        outcome(client.get("/v1/health/ready")),
        outcome(client.get("/v1/gallery")),
        outcome(client.get("/v1/persons")),
        outcome(client.get(f"/v1/persons/{id}")),
        outcome(client.get(f"/v1/persons/{id}/references")),
        outcome(client.get("/v1/audit")),
        outcome(client.get("/v1/gallery/check")),
        outcome(client.post("/v1/identify", files={"image": photo})),
        outcome(client.patch(f"/v1/persons/{id}", json={"expires": None})),
        outcome(enroll(client, id, photo, key=os.urandom(4).hex())),
    ]


def names_in(path: Path) -> set[str]:
    with contextlib.closing(People(Store(path))) as stored:
        return {person.name for person in stored.persons()}


def name_of(client: TestClient, photo: bytes) -> str | None:
    (face,) = client.post("/v1/identify", files={"image": photo}).json()["faces"]
    return face["name"]


def test_a_removed_file_is_told_and_used_again_once_it_is_back(client: TestClient, people: Path, photo: Photo) -> None:
    id, data = ids(client)["ada"], photo(0)
    client.post("/v1/persons", json={"name": "zoe"})
    people.rename(people.with_name("elsewhere.db"))
    assert set(all_of(client, data, id)) == {UNAVAILABLE}
    assert outcome(client.get("/v1/health/live")) == FINE
    assert outcome(client.post("/v1/detect", files={"image": data})) == FINE
    assert not people.exists()
    people.with_name("elsewhere.db").rename(people)
    assert set(all_of(client, data, id)) == {FINE}
    client.post("/v1/persons", json={"name": "hypatia"})
    assert {"zoe", "hypatia"} <= names_in(people)


def test_an_older_copy_in_its_place_is_what_is_served(
    start: Start, people: Path, photo: Photo, recognizer: Recognizer
) -> None:
    client, service = start()
    older = people.with_name("older.db")
    service.gallery.backup(older)
    assert name_of(client, photo(2)) == "hedy"
    client.patch(f"/v1/persons/{ids(client)['hedy']}", json={"name": "Hedy Lamarr"})
    client.post("/v1/persons", json={"name": "zoe"})
    assert name_of(client, photo(2)) == "Hedy Lamarr"
    shutil.copy(people, people.with_name("kept.db"))
    os.link(people, people.with_name("linked.db"))
    older.rename(people)
    assert name_of(client, photo(2)) == "hedy"
    assert set(ids(client)) == {"ada", "grace", "hedy", "mary"}
    assert outcome(client.get("/v1/health/ready")) == FINE
    assert outcome(client.post("/v1/persons", json={"name": "hypatia"})) == (201, "")
    assert "hypatia" in names_in(people)
    # What the other file had is all in it, though nothing was ended in order.
    assert {"Hedy Lamarr", "zoe"} <= names_in(people.with_name("linked.db"))


def test_an_older_copy_is_enrolled_into_anew(start: Start, people: Path, photo: Photo) -> None:
    client, service = start()
    id = ids(client)["ada"]
    service.gallery.backup(people.with_name("older.db"))
    first = enroll(client, id, photo(0, 60)).json()["photos"]
    people.with_name("older.db").rename(people)
    again = enroll(client, id, photo(0, 60)).json()["photos"]
    assert again[0]["verdict"] == first[0]["verdict"]
    assert count(client, id) == 3


def test_another_gallery_in_its_place_is_not_served(
    client: TestClient, people: Path, photo: Photo, recognizer: Recognizer, tmp_path: Path
) -> None:
    id, data = ids(client)["ada"], photo(0)
    with Gallery.create(tmp_path / "other.db", recognizer) as other:
        other.create_person("somebody else")
    shutil.copy(people, tmp_path / "kept.db")
    (tmp_path / "other.db").rename(people)
    assert set(all_of(client, data, id)) == {UNAVAILABLE}
    assert "taken the place" in client.get("/v1/persons").json()["error"]["message"]
    assert str(tmp_path) not in client.get("/v1/persons").text
    assert names_in(people) == {"somebody else"}
    (tmp_path / "kept.db").rename(people)
    assert set(all_of(client, data, id)) == {FINE}


@pytest.mark.parametrize("what", [b"no gallery" * 1000, b"", "folder"])
def test_what_is_no_gallery_in_its_place_is_told(
    client: TestClient, people: Path, photo: Photo, tmp_path: Path, what: bytes | str
) -> None:
    id, data = ids(client)["ada"], photo(0)
    people.rename(tmp_path / "kept.db")
    if isinstance(what, str):
        people.mkdir()
    else:
        people.write_bytes(what)
    assert set(all_of(client, data, id)) == {UNAVAILABLE}
    people.rmdir() if people.is_dir() else people.unlink()
    (tmp_path / "kept.db").rename(people)
    assert set(all_of(client, data, id)) == {FINE}


@pytest.mark.parametrize("place", [0, 100, 0.5])
def test_bytes_that_are_overwritten_are_told(
    client: TestClient, people: Path, photo: Photo, tmp_path: Path, place: float
) -> None:
    id, data = ids(client)["ada"], photo(0)
    assert set(all_of(client, data, id)) == {FINE}
    whole = people.read_bytes()
    start = int(place * len(whole)) if place < 1 else int(place)
    with people.open("r+b") as file:
        file.seek(start)
        file.write(os.urandom(len(whole) // 3))
    assert set(all_of(client, data, id)) == {UNAVAILABLE}
    with people.open("r+b") as file:
        file.write(whole)
    assert set(all_of(client, data, id)) == {FINE}
    assert client.get(f"/v1/persons/{id}").json()["name"] == "ada"


@contextlib.contextmanager
def full(store: Store) -> Iterator[None]:
    """The file cannot grow, as on a full disk."""
    ((before,),) = store.connection.execute("PRAGMA max_page_count").fetchall()
    store.connection.execute("PRAGMA max_page_count = 1")  # that is, no more than there are
    yield
    store.connection.execute(f"PRAGMA max_page_count = {before}")


def test_a_file_that_cannot_grow_loses_nothing(start: Start, people: Path, photo: Photo) -> None:
    client, service = start()
    id = ids(client)["ada"]
    with full(service.gallery.store):
        outcomes = {outcome(enroll(client, id, photo(0, 60 + number), key=str(number))) for number in range(20)}
        assert outcomes <= {FINE, UNAVAILABLE}
        assert UNAVAILABLE in outcomes
        assert outcome(client.get("/v1/persons")) == FINE
        before = count(client, id)
    for number in range(20):
        assert outcome(enroll(client, id, photo(0, 60 + number), key=str(number))) == FINE
    assert count(client, id) == 22
    assert before < 22


def test_a_gallery_that_cannot_be_written_is_not_ready(
    client: TestClient, people: Path, photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    id, data = ids(client)["ada"], photo(0)
    monkeypatch.setattr("lrfr_tf.gallery.kept_file.KeptFile.is_writable", lambda self: False)
    people.chmod(0o400)
    reading = [client.get("/v1/persons"), client.get("/v1/gallery"), client.get(f"/v1/persons/{id}/references")]
    assert {outcome(one) for one in reading} == {FINE}
    writing = [
        client.get("/v1/health/ready"),
        client.post("/v1/persons", json={"name": "zoe"}),
        client.post("/v1/identify", files={"image": data}),
        enroll(client, id, data),
    ]
    assert {outcome(one) for one in writing} == {UNAVAILABLE}
    monkeypatch.undo()
    people.chmod(0o600)
    assert set(all_of(client, data, id)) == {FINE}


def test_a_file_that_another_process_holds_is_told(
    client: TestClient, people: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with contextlib.closing(sqlite3.connect(people, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        client.app.app.state.service.gallery.store.connection.execute("PRAGMA busy_timeout = 50")  # type: ignore
        assert outcome(client.get("/v1/health/ready")) == UNAVAILABLE
        assert outcome(client.post("/v1/persons", json={"name": "zoe"})) == UNAVAILABLE
        assert outcome(client.get("/v1/persons")) == FINE
        other.execute("ROLLBACK")
    assert outcome(client.get("/v1/health/ready")) == FINE


def test_what_is_refused_costs_no_look_through_the_file(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[bool] = []
    monkeypatch.setattr(Store, "refuse_damage", lambda self, whole=True: looked.append(whole))
    assert outcome(client.get("/v1/persons/none/references")) == (404, "no_such_person")
    assert outcome(client.post("/v1/persons", json={"name": "ada"})) == (409, "name_taken")
    assert not looked


def test_a_photo_is_never_written_to_a_temporary_file(
    client: TestClient, photo: Photo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(*positional: object, **named: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    noise = np.random.default_rng(0).bytes(3 << 20)
    assert outcome(client.post("/v1/detect", files={"image": photo(0) + noise})) == FINE
