"""Several photos in one request: each has an answer of its own, also one that is no picture."""

import base64
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from tests.service.conftest import Start
from tests.service.test_hostile import code, png_of
from tests.service.test_idempotency import count, enroll, ids

Photo = Callable[..., bytes]
NO_PICTURES = (b"this is text", b"", b"GIF89a" + bytes(100), b"\xff\xd8\xff" + bytes(20))


def test_a_photo_that_is_no_picture_is_rejected_and_the_others_are_enrolled(client: TestClient, photo: Photo) -> None:
    id = ids(client)["ada"]
    answer = enroll(client, id, NO_PICTURES[0], photo(0, 60), *NO_PICTURES[1:], photo(0, 61), png_of(90, 90))
    assert answer.status_code == 200
    photos = answer.json()["photos"]
    assert [one["image"] for one in photos] == list(range(7))
    kept = [one for one in photos if one["image"] in (1, 5)]
    assert all(one["verdict"] != "rejected" and one["reference"] for one in kept)
    for one in photos:
        if one not in kept:
            assert (one["verdict"], one["codes"], one["reference"]) == ("rejected", ["unreadable"], None)
            assert one["sentence"].startswith("The image ")
            assert one["photo"] == f"Ada Lovelace {one['image']}.png"
    assert count(client, id) == 4
    again = enroll(client, id, NO_PICTURES[0], photo(0, 60), *NO_PICTURES[1:], photo(0, 61), png_of(90, 90))
    assert again.json()["photos"] == photos
    assert count(client, id) == 4
    assert 'lrfr_enrolled_photos_total{verdict="rejected"} 5.0' in client.get("/metrics").text


def test_a_photo_alone_that_is_no_picture_is_rejected(client: TestClient) -> None:
    path = f"/v1/persons/{ids(client)['ada']}/references"
    (photo,) = client.post(path, json={"image": base64.b64encode(b"text").decode()}).json()["photos"]
    assert (photo["verdict"], photo["codes"], photo["reference"]) == ("rejected", ["unreadable"], None)
    (photo,) = client.post(path, files={"image": b"text"}, data={"box": "0,0,9,9"}).json()["photos"]
    assert photo["codes"] == ["unreadable"]
    assert code(client.post("/v1/persons/none/references", files={"image": b"text"})) == "no_such_person"


@pytest.mark.parametrize(
    ("photos", "status", "expected"),
    [
        ([b"text", png_of(100_000, 100_000)], 413, "too_many_pixels"),
        ([b"text"] * 5, 413, "too_many_images"),
        ([b"text" * 300_000], 413, "body_too_large"),
    ],
)
def test_what_is_over_a_limit_is_refused_as_a_whole(
    start: Start, photo: Photo, photos: list[bytes], status: int, expected: str
) -> None:
    client, _ = start(images=4, body_bytes=1 << 20)
    id = ids(client)["ada"]
    answer = enroll(client, id, photo(0, 60), *photos)
    assert (answer.status_code, code(answer)) == (status, expected)
    assert count(client, id) == 2
