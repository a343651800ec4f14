"""A request that is repeated with its Idempotency-Key enrolls once, whatever became of the process meanwhile."""

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from lrfr_tf.gallery import quality
from lrfr_tf.gallery.gallery import Gallery
from lrfr_tf.service.idempotency import Answers, Noted, answers_beside
from lrfr_tf.service.request_error import RequestError
from tests.service.conftest import Start

Photo = Callable[..., bytes]


def ids(client: TestClient) -> dict[str, str]:
    return {one["name"]: one["id"] for one in client.get("/v1/persons").json()["persons"]}


def code(answer: httpx.Response) -> str:
    return answer.json()["error"]["code"]


def enroll(client: TestClient, id: str, *photos: bytes, key: str = "one", query: str = "level=off") -> httpx.Response:
    files = [("image", (f"Ada Lovelace {number}.png", photo)) for number, photo in enumerate(photos)]
    return client.post(f"/v1/persons/{id}/references?{query}", files=files, headers={"idempotency-key": key})


@pytest.fixture
def alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """All made-up persons have one face; here only equal files are duplicates."""
    monkeypatch.setattr(quality, "is_same_picture", lambda *pictures: False)


def count(client: TestClient, id: str) -> int:
    return client.get(f"/v1/persons/{id}").json()["references"]


def test_a_repeated_request_enrolls_once(client: TestClient, photo: Photo) -> None:
    id = ids(client)["ada"]
    first = enroll(client, id, photo(0))
    again = enroll(client, id, photo(0))
    assert again.json()["photos"] == first.json()["photos"]
    assert again.json()["request_id"] == again.headers["x-request-id"]
    assert count(client, id) == 3
    assert code(enroll(client, id, photo(1))) == "other_request"
    assert code(enroll(client, id, photo(0), query="level=strict")) == "other_request"
    assert code(enroll(client, ids(client)["grace"], photo(0))) == "other_request"
    assert enroll(client, id, photo(0), key="two").json()["photos"] != first.json()["photos"]
    assert enroll(client, id, photo(0), key="x" * 201).status_code == 422


@pytest.mark.usefixtures("alike")
def test_it_gets_the_same_answer_of_another_process(start: Start, people: Path, photo: Photo) -> None:
    client, service = start()
    id = ids(client)["ada"]
    photos = (photo(0, 60), photo(3), photo(0, 60), b"\x89PNG\r\n\x1a\n" + photo(0)[8:60])
    sent: dict[str, Any] = {"query": "level=standard"}
    first = enroll(client, id, *photos, **sent).json()["photos"]
    verdicts = [one["codes"][:1] for one in first]
    assert verdicts[1:] == [["like_another_person"], ["duplicate"], ["unreadable"]]
    assert "mary" in first[1]["sentence"]
    assert first[0]["reference"] is not None
    before = count(client, id)
    service.answers.close()  # what a dead process holds is of no use to anybody

    other, _ = start()
    assert enroll(other, id, *photos, **sent).json()["photos"] == first
    assert count(other, id) == before

    other.patch(f"/v1/persons/{ids(other)['mary']}", json={"name": "Mary S."})
    assert "Mary S." in enroll(other, id, *photos, **sent).json()["photos"][1]["sentence"]
    other.post(f"/v1/persons/{ids(other)['Mary S.']}/forget", json={"confirm": "Mary S."})
    assert "another person" in enroll(other, id, *photos, **sent).json()["photos"][1]["sentence"]


def test_nothing_is_enrolled_twice_where_the_answer_was_lost(
    client: TestClient, photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process ends after a photo is on the disk and before that is noted."""
    id = ids(client)["ada"]
    photos = (photo(0, 60), photo(0, 61), photo(0, 62))
    real, calls = Noted.note, []

    def dies(self: Noted, image: int, answer: dict[str, Any]) -> None:
        calls.append(image)
        if image == 1:
            raise RuntimeError("the process ends here")
        real(self, image, answer)

    with monkeypatch.context() as patched:
        patched.setattr(Noted, "note", dies)
        assert enroll(client, id, *photos).status_code == 500
    assert calls == [0, 1]
    assert count(client, id) == 4
    answer = enroll(client, id, *photos).json()["photos"]
    assert count(client, id) == 5
    own = [one["id"] for one in client.get(f"/v1/persons/{id}/references").json()["references"]]
    assert [one["reference"] for one in answer] == own[2:]
    assert {one["verdict"] for one in answer} <= {"accepted", "accepted_with_warning"}
    assert enroll(client, id, *photos).json()["photos"] == answer


def test_a_gallery_that_went_back_to_a_backup_is_enrolled_anew(start: Start, people: Path, photo: Photo) -> None:
    client, service = start()
    id = ids(client)["ada"]
    (first,) = enroll(client, id, photo(0, 60)).json()["photos"]
    with service.gallery.store.writing() as change:
        change.run("DELETE FROM reference WHERE id = ?", first["reference"])
    (again,) = enroll(client, id, photo(0, 60)).json()["photos"]
    assert count(client, id) == 3
    assert again["verdict"] == first["verdict"]


@pytest.mark.usefixtures("alike")
def test_the_file_holds_no_name_key_or_photo_and_forgets(start: Start, people: Path, photo: Photo) -> None:
    client, _ = start()
    id = ids(client)["ada"]
    data = photo(3)
    assert "mary" in enroll(client, id, data, key="key of Ada", query="level=standard").json()["photos"][0]["sentence"]
    path = answers_beside(people)
    assert path.stat().st_mode & 0o077 == 0
    kept = path.read_bytes()
    for secret in (b"Lovelace", b"mary", b"key of Ada", data[40:80]):
        assert secret not in kept
    assert id.encode() in kept
    done = client.post(f"/v1/persons/{id}/forget", json={"confirm": "ada"}).json()
    assert done["cleaned"] is True
    assert id.encode() not in path.read_bytes()
    assert code(enroll(client, id, data, key="key of Ada", query="level=standard")) == "no_such_person"


def test_whoever_was_forgotten_elsewhere_goes_at_the_next_start(start: Start, people: Path, photo: Photo) -> None:
    client, service = start()
    known = ids(client)
    enroll(client, known["ada"], photo(0))
    enroll(client, known["grace"], photo(1), key="two")
    service.answers.close()
    with Gallery.open(people) as gallery:
        gallery.forget("ada")
    start()
    assert Answers(answers_beside(people)).persons() == [known["grace"]]


def test_old_requests_and_many_go() -> None:
    time = 0.0
    answers = Answers(kept=3, seconds=100, now=lambda: time)

    def ask(key: str) -> str:
        with answers.request("me", key, "p", images=[b"x"], how="") as noted:
            return noted.photo(0)[0]

    first = ask("a")
    time = 99.0
    assert ask("a") == first
    time = 101.0
    assert ask("a") != first
    given = {key: ask(key) for key in "bcde"}
    assert ask("e") == given["e"]
    assert ask("c") == given["c"]
    assert ask("b") != given["b"]  # three are kept


def test_the_same_key_of_another_caller_is_another_key() -> None:
    answers = Answers()
    with answers.request("me", "k", "p", images=[b"x"], how="") as noted:
        first = noted.photo(0)
        with answers.request("you", "k", "p", images=[b"y"], how="") as other:
            assert other.photo(0) != first
        with pytest.raises(RequestError) as refused, answers.request("me", "k", "p", images=[b"x"], how=""):
            pass
    assert (refused.value.status, refused.value.code) == (409, "under_way")


def test_two_at_once_enroll_once(client: TestClient, photo: Photo) -> None:
    id = ids(client)["ada"]
    data = photo(0, 60)
    answers: list[httpx.Response] = []
    threads = [threading.Thread(target=lambda: answers.append(enroll(client, id, data))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert count(client, id) == 3
    good = [one.json()["photos"] for one in answers if one.status_code == 200]
    assert good
    assert all(one == good[0] for one in good)
    assert all(code(one) == "under_way" for one in answers if one.status_code != 200)


def test_a_damaged_file_is_told_and_enrolls_nobody(client: TestClient, people: Path, photo: Photo) -> None:
    answers_beside(people).write_bytes(b"no database at all" * 100)
    id = ids(client)["ada"]
    answer = enroll(client, id, photo(0))
    assert (answer.status_code, code(answer)) == (503, "answers_unavailable")
    assert count(client, id) == 2
    done = client.post(f"/v1/persons/{id}/forget", json={"confirm": "ada"}).json()
    assert done["cleaned"] is False
    with pytest.raises(sqlite3.DatabaseError):
        sqlite3.connect(answers_beside(people)).execute("SELECT * FROM photo")
