"""What the page asks of an identification: candidates with their persons, and the pixels that the network saw."""

import base64
from collections.abc import Callable

import numpy as np
import pytest
from starlette.testclient import TestClient

from lrfr_tf.images.decode import decode_image
from lrfr_tf.recognition.recognizer import Recognizer
from lrfr_tf.service import native_pictures
from lrfr_tf.service.native_pictures import png_of

Photo = Callable[..., bytes]


def ids(client: TestClient) -> dict[str, str]:
    return {one["name"]: one["id"] for one in client.get("/v1/persons").json()["persons"]}


@pytest.mark.parametrize(("query", "count"), [("", 4), ("?candidates=2", 2), ("?candidates=20", 4)])
def test_candidates_come_with_the_ids_of_their_persons(
    client: TestClient, photo: Photo, query: str, count: int
) -> None:
    (face,) = client.post(f"/v1/identify{query}", files={"image": photo(2)}).json()["faces"]
    known = ids(client)
    assert len(face["candidates"]) == count
    assert face["candidates"][0] == {"name": "hedy", "score": face["score"], "person": known["hedy"]}
    assert [one["score"] for one in face["candidates"]] == sorted(
        (one["score"] for one in face["candidates"]), reverse=True
    )
    assert all(one["person"] == known[one["name"]] for one in face["candidates"])
    assert (face["name"], face["person"]) == ("hedy", known["hedy"])
    assert face["next_best"] == [{"name": one["name"], "score": one["score"]} for one in face["candidates"][1:]]
    assert face["picture"] is None


def test_who_is_unknown_has_candidates_and_no_person(client: TestClient, photo: Photo) -> None:
    gallery = client.app.app.state.service.gallery  # type: ignore[attr-defined]
    gallery.rule, gallery._threshold = type(gallery.rule)(threshold=2.0), None
    (face,) = client.post("/v1/identify", files={"image": photo(0)}).json()["faces"]
    assert (face["decision"], face["name"], face["person"]) == ("unknown", None, None)
    assert face["candidates"][0]["name"] == "ada"


def test_a_number_of_candidates_out_of_range_is_refused(client: TestClient, photo: Photo) -> None:
    for count in ("0", "21", "x"):
        assert client.post(f"/v1/identify?candidates={count}", files={"image": photo(2)}).status_code == 422


def test_pictures_are_what_the_network_saw(client: TestClient, recognizer: Recognizer, portrait: np.ndarray) -> None:
    data = png_of(portrait)
    (face,) = client.post("/v1/identify?pictures=true", files={"image": data}).json()["faces"]
    (seen,) = recognizer.analyze(portrait)
    picture = base64.b64decode(face["picture"])
    np.testing.assert_array_equal(decode_image(picture, "picture"), recognizer.cutter.native(portrait, seen))
    enlarged = client.post("/v1/super-resolve", files={"image": picture})
    assert decode_image(enlarged.content, "answer").shape == (64, 64, 3)


def test_pictures_of_a_crowd_end_somewhere(client: TestClient, photo: Photo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native_pictures, "MOST_PICTURES", 1)
    files = [("image", photo(1)), ("image", photo(2))]
    faces = client.post("/v1/identify?pictures=true", files=files).json()["faces"]
    assert [face["picture"] is None for face in faces] == [False, True]
