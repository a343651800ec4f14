"""What is on record over HTTP, what people say of decisions, and the check with its rates."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from lrfr_tf.gallery.gallery import Gallery
from lrfr_tf.service.keys import Keys
from tests.service.conftest import NAMES, Start

Photo = Callable[..., bytes]


def ids(client: TestClient) -> dict[str, str]:
    return {one["name"]: one["id"] for one in client.get("/v1/persons").json()["persons"]}


def code(answer: httpx.Response) -> str:
    return answer.json()["error"]["code"]


def test_the_audit_page_by_page_in_both_orders(client: TestClient, photo: Photo) -> None:
    for number in range(4):
        client.post("/v1/identify", files={"image": photo(number)})

    def numbers(**asked: Any) -> list[int]:
        found, cursor = [], "0"
        while cursor is not None:
            page = client.get("/v1/audit", params={**asked, "limit": 3, "cursor": cursor}).json()
            assert 1 <= len(page["rows"]) <= 3
            found += [row["number"] for row in page["rows"]]
            cursor = page["next_cursor"]
        return found

    oldest = numbers()
    assert oldest == sorted(oldest)
    assert len(oldest) == 2 * len(NAMES) + 4
    assert numbers(order="newest") == oldest[::-1]
    person = ids(client)["hedy"]
    assert numbers(order="newest", person=person) == numbers(person=person)[::-1]
    assert len(numbers(person=person)) == 3
    assert client.get("/v1/audit?order=sideways").status_code == 422


def test_one_kind_of_rows_with_how_far_each_name_is_confirmed(client: TestClient, photo: Photo) -> None:
    records = []
    for number in range(3):
        (face,) = client.post("/v1/identify", files={"image": photo(number)}).json()["faces"]
        records.append(face["record"])
    for record, agrees, who in ((records[0], True, "eve"), (records[1], True, "eve"), (records[1], False, "bob")):
        client.post(f"/v1/decisions/{record}/confirm", json={"agrees": agrees, "who": who})
    rows = client.get("/v1/audit", params={"what": "decision", "order": "newest"}).json()["rows"]
    assert [row["number"] for row in rows] == records[::-1]
    said = [[row["confirmation"][name] for name in ("confirmed", "refuted", "needed", "is_confirmed")] for row in rows]
    assert said == [[0, 0, 1, False], [1, 1, 1, False], [1, 0, 1, True]]
    rows = client.get("/v1/audit", params={"what": "refuted"}).json()["rows"]
    assert [(row["decided"], row["who"]) for row in rows] == [(records[1], "bob")]
    enrolled = client.get("/v1/audit", params={"what": "enroll", "person": ids(client)["ada"]}).json()["rows"]
    assert [row["confirmation"] for row in enrolled] == [None, None]
    assert client.get("/v1/audit", params={"what": "nothing"}).json()["rows"] == []


def test_names_stand_beside_the_rows_until_somebody_is_forgotten(client: TestClient) -> None:
    known = ids(client)
    page = client.get("/v1/audit", params={"limit": 1000}).json()
    assert page["names"] == {id: name for name, id in known.items()}
    assert all("name" not in row for row in page["rows"])
    client.post(f"/v1/persons/{known['ada']}/forget", json={"confirm": "ada"})
    page = client.get("/v1/audit", params={"order": "newest", "person": known["ada"]}).json()
    assert page["rows"][0]["what"] == "forget"
    assert page["names"] == {}
    assert client.get("/v1/audit", params={"order": "newest", "limit": 1}).json()["names"] == {}


def test_who_was_handed_the_data_of_whom(client: TestClient) -> None:
    person = ids(client)["hedy"]
    assert client.post(f"/v1/persons/{person}/subject-export").status_code == 200
    (row,) = client.get("/v1/audit", params={"what": "subject_export"}).json()["rows"]
    assert (row["person"], row["who"]) == (person, "local")


def test_decisions_are_confirmed_by_people(start: Start, people: Path, tmp_path: Path, photo: Photo) -> None:
    with Gallery.open(people) as gallery, gallery.store.writing() as change:
        change.set_fact("confirmations", 2)
    keys = Keys(tmp_path / "keys")
    key, text = keys.create("enroll")
    client, _ = start(keys)
    client.headers["authorization"] = f"Bearer {text}"
    (face,) = client.post("/v1/identify", files={"image": photo(1)}).json()["faces"]
    url = f"/v1/decisions/{face['record']}/confirm"
    first = client.post(url, json={"agrees": True}).json()
    assert (first["confirmed"], first["refuted"], first["needed"], first["is_confirmed"]) == (1, 0, 2, False)
    assert code(client.post(url, json={"agrees": True})) == "looked_already"
    assert code(client.post(url, json={"agrees": False, "who": key.id.upper()})) == "looked_already"
    second = client.post(url, json={"agrees": True, "who": "Zo\u00eb"}).json()
    assert (second["confirmed"], second["is_confirmed"]) == (2, True)
    third = client.post(url, json={"agrees": False, "who": "Bob"}).json()
    assert (third["refuted"], third["is_confirmed"]) == (1, False)
    with Gallery.open(people) as gallery:
        said = [(row.who, row.what) for row in gallery.audit() if row.decided == face["record"]]
    assert said == [(key.id, "confirmed"), ("Zo\u00eb", "confirmed"), ("Bob", "refuted")]
    reader = {"authorization": f"Bearer {keys.create('read')[1]}"}
    assert client.post(url, json={"agrees": True}, headers=reader).status_code == 403


def test_confirmations_that_are_none(client: TestClient, people: Path, photo: Photo) -> None:
    record = client.post("/v1/identify", files={"image": photo(1)}).json()["faces"][0]["record"]
    with Gallery.open(people) as gallery, gallery.store.transaction("IMMEDIATE"):
        gallery.store.connection.execute("UPDATE audit SET person = NULL WHERE number = ?", (record,))
    url = f"/v1/decisions/{record}/confirm"
    assert code(client.post(url, json={"agrees": True})) == "nobody_named"
    assert code(client.post("/v1/decisions/1/confirm", json={"agrees": True})) == "no_such_decision"  # it enrolled
    for number in (0, 2**63, "x"):
        assert client.post(f"/v1/decisions/{number}/confirm", json={"agrees": True}).status_code == 422
    for body in ({}, {"agrees": True, "who": "  "}, {"agrees": None}, {"agrees": True, "name": "x"}):
        assert client.post(url, json=body).status_code == 422


def test_the_check_names_persons_and_references_by_id(client: TestClient) -> None:
    check = client.get("/v1/gallery/check").json()["check"]
    known = ids(client)
    assert {one["name"]: one["person"] for one in check["people"]} == known
    assert len(check["pairs"]) == 6
    for pair in check["pairs"]:
        assert (pair["first_person"], pair["second_person"]) == (known[pair["first"]], known[pair["second"]])
        for person, reference in ((pair["first_person"], pair["id"]), (pair["second_person"], pair["second_id"])):
            own = client.get(f"/v1/persons/{person}/references").json()["references"]
            assert reference in [one["id"] for one in own]
    reference = check["people"][0]["ids"][0]
    client.post(f"/v1/references/{reference}/set-aside", json={"reason": "blurred"})
    (aside,) = client.get("/v1/gallery/check").json()["check"]["set_aside"]
    assert (aside["id"], aside["person"], aside["reason"]) == (reference, check["people"][0]["person"], "blurred")


def test_a_stricter_rate_costs_names(client: TestClient, people: Path) -> None:
    check = client.get("/v1/gallery/check").json()["check"]
    rates = check["rates"]
    assert [one["fpir"] for one in rates] == sorted(one["fpir"] for one in rates)
    thresholds = [one["threshold"] for one in rates]
    assert thresholds == sorted(thresholds, reverse=True)
    assert all(one["tested"] == check["tested"] for one in rates)
    at_one_percent = next(one for one in rates if one["fpir"] == 0.01)
    assert at_one_percent["threshold"] == check["threshold"]["score"]
    assert (at_one_percent["recognized"], at_one_percent["wrong"]) == (check["recognized"], check["wrong"])
    with Gallery.open(people) as gallery:
        (expected,) = gallery.thresholds_at([0.1])
    assert next(one for one in rates if one["fpir"] == 0.1)["threshold"] == pytest.approx(expected.score)


def test_without_a_calibration_there_are_no_rates(client: TestClient) -> None:
    service = client.app.app.state.service  # type: ignore[attr-defined]
    strangers = service.gallery.recognizer.strangers
    service.gallery.recognizer.strangers = None
    try:
        service.gallery._threshold = None
        check = client.get("/v1/gallery/check").json()["check"]
    finally:
        service.gallery.recognizer.strangers = strangers
    assert (check["rates"], check["threshold"], check["recognized"]) == ([], None, 0)
