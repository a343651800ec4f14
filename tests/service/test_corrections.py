"""Corrections over HTTP: split, last days, and which reference shows a person."""

import base64
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from lrfr_tf.gallery.gallery import Gallery
from lrfr_tf.images.decode import decode_image
from lrfr_tf.service.native_pictures import png_of
from tests.faces_by_code import person

Photo = Callable[..., bytes]


def ids(client: TestClient) -> dict[str, str]:
    return {one["name"]: one["id"] for one in client.get("/v1/persons").json()["persons"]}


def references(client: TestClient, id: str) -> list[dict[str, Any]]:
    return client.get(f"/v1/persons/{id}/references").json()["references"]


def code(answer: httpx.Response) -> str:
    return answer.json()["error"]["code"]


def test_split_makes_one_person_two(client: TestClient, people: Path) -> None:
    known = ids(client)
    own = [one["id"] for one in references(client, known["ada"])]
    foreign = references(client, known["grace"])[0]["id"]
    url = f"/v1/persons/{known['ada']}/split"
    assert code(client.post(url, json={"references": own, "name": "Eve"})) == "none_would_stay"
    assert code(client.post(url, json={"references": [own[0], foreign], "name": "Eve"})) == "no_such_reference"
    assert code(client.post(url, json={"references": own[:1], "name": "grace"})) == "name_taken"
    assert client.post(url, json={"references": [], "name": "Eve"}).status_code == 422
    assert "Eve" not in ids(client)
    made = client.post(url, json={"references": own[1:], "name": "Eve"})
    assert (made.status_code, made.json()["name"], made.json()["references"]) == (201, "Eve", 1)
    assert made.json()["id"] == ids(client)["Eve"]
    assert [one["id"] for one in references(client, known["ada"])] == own[:1]
    with Gallery.open(people) as gallery:
        assert [row.who for row in gallery.audit("Eve") if row.what == "split"] == ["local"]
    assert code(client.post("/v1/persons/nosuch/split", json={"references": own, "name": "x"})) == "no_such_person"


def test_last_days_of_persons_and_references(client: TestClient, people: Path, photo: Photo) -> None:
    id = ids(client)["hedy"]
    changed = client.patch(f"/v1/persons/{id}", json={"expires": "2001-02-03"}).json()
    assert (changed["name"], changed["expires"]) == ("hedy", "2001-02-03")
    (face,) = client.post("/v1/identify", files={"image": photo(2)}).json()["faces"]
    assert face["name"] != "hedy"
    both = client.patch(f"/v1/persons/{id}", json={"expires": None, "name": "Hedy"}).json()
    assert (both["name"], both["expires"]) == ("Hedy", None)
    (face,) = client.post("/v1/identify", files={"image": photo(2)}).json()["faces"]
    assert face["name"] == "Hedy"
    reference = references(client, id)[0]["id"]
    state = client.patch(f"/v1/references/{reference}", json={"expires": "2090-01-01"}).json()
    assert (state["id"], state["person"], state["expires"]) == (reference, id, "2090-01-01")
    assert references(client, id)[0]["expires"] == "2090-01-01"
    with Gallery.open(people) as gallery:
        assert [row.who for row in gallery.audit("Hedy") if row.what == "expire"] == ["local"] * 3


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        ({"expires": "2027-02-30"}, 400, "bad_day"),
        ({"expires": "soon"}, 422, "malformed"),
        ({"expires": 5}, 422, "malformed"),
        ({}, 400, "nothing_to_change"),
        ({"name": None}, 400, "nothing_to_change"),
        ({"name": "grace", "expires": "2001-01-01"}, 409, "name_taken"),
        ({"role": "x"}, 422, "malformed"),
    ],
)
def test_changes_that_are_refused_change_nothing(
    client: TestClient, body: dict[str, Any], status: int, expected: str
) -> None:
    id = ids(client)["ada"]
    answer = client.patch(f"/v1/persons/{id}", json=body)
    assert (answer.status_code, code(answer)) == (status, expected)
    assert client.get(f"/v1/persons/{id}").json()["expires"] is None
    reference = references(client, id)[0]["id"]
    answer = client.patch(f"/v1/references/{reference}", json=body)
    assert answer.status_code in (400, 422)
    assert code(client.patch("/v1/references/nosuch", json={"expires": None})) == "no_such_reference"


def test_pictures_of_references(client: TestClient, people: Path) -> None:
    id = ids(client)["ada"]
    first = references(client, id)[0]
    answer = client.get(f"/v1/references/{first['id']}/picture")
    assert answer.headers["content-type"] in ("image/png", "image/jpeg")
    with Gallery.open(people) as gallery:
        np.testing.assert_array_equal(decode_image(answer.content, "answer"), gallery.picture(first["id"]))
        with gallery.store.writing() as change:
            change.run("DELETE FROM picture WHERE reference = (SELECT number FROM reference WHERE id = ?)", first["id"])
    assert first["has_picture"] is True
    assert references(client, id)[0]["has_picture"] is False
    assert code(client.get(f"/v1/references/{first['id']}/picture")) == "no_picture"
    assert code(client.get("/v1/references/nosuch/picture")) == "no_such_reference"


def test_a_person_is_shown_by_the_largest_reference_in_force(client: TestClient, people: Path) -> None:
    id = ids(client)["ada"]

    def shown() -> str | None:
        (listed,) = [one for one in client.get("/v1/persons").json()["persons"] if one["id"] == id]
        assert listed == client.get(f"/v1/persons/{id}").json()
        return listed["picture"]

    first, second = (one["id"] for one in references(client, id))
    for larger, other in ((first, second), (second, first)):
        with Gallery.open(people) as gallery, gallery.store.writing() as change:
            change.run("UPDATE reference SET height = (id = ?) + 50 WHERE id IN (?, ?)", larger, larger, other)
        assert shown() == larger
    client.post(f"/v1/references/{second}/set-aside", json={})
    assert shown() == first
    with Gallery.open(people) as gallery, gallery.store.writing() as change:
        change.run("DELETE FROM picture")
    assert shown() is None


def test_persons_by_a_part_of_the_name(client: TestClient) -> None:
    for name in ("\u00c9mile Zola", "Zoe 100%", "Stra\u00dfer"):
        assert client.post("/v1/persons", json={"name": name}).status_code == 201

    def found(contains: str) -> list[str]:
        names, cursor = [], "0"
        while cursor is not None:
            asked = {"contains": contains, "limit": 1, "cursor": cursor}
            page = client.get("/v1/persons", params=asked).json()
            names += [one["name"] for one in page["persons"]]
            cursor = page["next_cursor"]
        return names

    assert found("A") == ["ada", "grace", "mary", "\u00c9mile Zola", "Stra\u00dfer"]
    assert found("\u00e9MILE") == ["\u00c9mile Zola"]
    assert found("STRASSE") == ["Stra\u00dfer"]
    assert found("%") == ["Zoe 100%"]
    assert found("nobody") == []
    assert found("") == list(ids(client))


def two_faces(portrait: np.ndarray) -> bytes:
    """Faces of person 0, large, and of person 7, small, in one photo."""
    photo = np.zeros((140, 260, 3), np.uint8)
    photo[10:130, 10:130] = person(portrait, 0, 60, size=120)
    photo[20:116, 150:246] = person(portrait, 7, 60, size=96)
    return png_of(photo)


@pytest.mark.parametrize("in_json", [False, True])
def test_the_face_that_a_box_means_is_enrolled(client: TestClient, portrait: np.ndarray, in_json: bool) -> None:
    data = two_faces(portrait)
    faces = client.post("/v1/identify", files={"image": data}).json()["faces"]
    assert len(faces) == 2
    small = max(faces, key=lambda face: face["box"][0])
    id = client.post("/v1/persons", json={"name": "Zoe"}).json()["id"]
    url = f"/v1/persons/{id}/references"
    if in_json:
        sent = client.post(url, json={"image": base64.b64encode(data).decode(), "box": small["box"]})
    else:
        box = ",".join(f"{value:.2f}" for value in small["box"])
        sent = client.post(url, files={"image": data}, data={"box": box})
    (photo,) = sent.json()["photos"]
    assert (photo["verdict"], photo["codes"]) != ("rejected", ["no_face"])
    assert "several_faces" not in photo["codes"]
    (reference,) = references(client, id)
    assert reference["height"] == pytest.approx(small["height"], abs=3)
    faces = client.post("/v1/identify", files={"image": data}).json()["faces"]
    assert max(faces, key=lambda face: face["box"][0])["person"] == id


def test_a_box_beside_every_face_enrolls_nobody(client: TestClient, photo: Photo, portrait: np.ndarray) -> None:
    id = ids(client)["ada"]
    url = f"/v1/persons/{id}/references?level=off"
    (answer,) = client.post(url, files={"image": two_faces(portrait)}, data={"box": "0,0,20,20"}).json()["photos"]
    assert (answer["verdict"], answer["codes"], answer["reference"]) == ("rejected", ["no_face"], None)
    for box in ("1,2,3", "a,b,c,d", "5,5,1,1", "0,0,nan,4", "0,0,1e999,4", "", "1;2;3;4"):
        assert code(client.post(url, files={"image": photo(0)}, data={"box": box})) == "bad_box"
    assert code(client.post(url, json={"image": "aGk=", "box": {}})) == "bad_box"
    assert code(client.post(url, files=[("image", photo(0))] * 2, data={"box": "0,0,9,9"})) == "one_image"
    assert len(references(client, id)) == 2


def test_a_box_lies_in_the_upright_photo(client: TestClient, photo: Photo) -> None:
    """A camera's photo that is turned by its EXIF: boxes of answers are those of the photo as people see it."""
    upright = Image.open(io.BytesIO(photo(7)))
    wide = Image.new("RGB", (200, 96))
    wide.paste(upright, (104, 0))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    stream = io.BytesIO()
    wide.transpose(Image.Transpose.ROTATE_90).save(stream, "PNG", exif=exif)
    (face,) = client.post("/v1/identify", files={"image": stream.getvalue()}).json()["faces"]
    assert face["box"][0] > 100
    id = client.post("/v1/persons", json={"name": "Zoe"}).json()["id"]
    box = ",".join(map(str, face["box"]))
    url = f"/v1/persons/{id}/references?level=off"
    (answer,) = client.post(url, files={"image": stream.getvalue()}, data={"box": box}).json()["photos"]
    assert answer["verdict"] != "rejected"
