"""Faces over HTTP: the answers are those of the recognizer and the gallery."""

import base64
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from lrfr_tf.gallery.gallery import Gallery
from lrfr_tf.images.decode import decode_image
from lrfr_tf.recognition.recognizer import Recognizer
from tests.service.conftest import Start

Photo = Callable[..., bytes]


def test_identify_answers_as_the_gallery_does(
    client: TestClient, people: Path, recognizer: Recognizer, photo: Photo
) -> None:
    data = photo(2)
    answer = client.post("/v1/identify", files={"image": data})
    assert answer.status_code == 200
    (face,) = answer.json()["faces"]
    pixels = decode_image(data, "photo")
    (expected,) = recognizer.analyze(pixels)
    with Gallery.open(people, recognizer) as gallery:
        match = gallery.identify(expected)
    assert (face["decision"], face["name"]) == (match.decision, match.name) == ("known", "hedy")
    assert face["score"] == pytest.approx(match.score, abs=1e-5)
    assert face["threshold"] == pytest.approx(match.threshold)
    assert [one["name"] for one in face["next_best"]] == [one.name for one in match.next_best]
    assert face["box"] == pytest.approx(expected.box, abs=0.01)
    height, width = pixels.shape[:2]
    assert face["box_normalized"] == pytest.approx(np.array(expected.box) / [width, height, width, height], abs=1e-4)
    assert np.array(face["landmarks"]).shape == (5, 2)
    assert answer.json()["images"] == [{"width": width, "height": height}]
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_base64_and_many_images_give_the_same(client: TestClient, photo: Photo) -> None:
    first, second = photo(0), photo(3)
    form = client.post("/v1/identify", files=[("image", first), ("image", second)]).json()
    texts = [base64.b64encode(one).decode() for one in (first, second)]
    json = client.post("/v1/identify", json={"images": texts}).json()
    alone = client.post("/v1/identify", json={"image": f"data:image/png;base64,{texts[1]}"}).json()
    assert [(one["image"], one["name"]) for one in form["faces"]] == [(0, "ada"), (1, "mary")]
    for one, other in zip(form["faces"], json["faces"], strict=True):
        assert one["score"] == pytest.approx(other["score"], abs=1e-5)
    assert alone["faces"][0]["score"] == pytest.approx(form["faces"][1]["score"], abs=1e-5)


def test_decisions_stand_in_the_audit(client: TestClient, photo: Photo) -> None:
    record = client.post("/v1/identify", files={"image": photo(1)}).json()["faces"][0]["record"]
    rows = client.get("/v1/audit", params={"limit": 1000}).json()["rows"]
    (row,) = [row for row in rows if row["number"] == record]
    assert (row["what"], row["decision"], row["who"]) == ("decision", "known", "local")


def test_verify(client: TestClient, photo: Photo) -> None:
    same = client.post("/v1/verify", files=[("image_a", photo(1, 50)), ("image_b", photo(1, 51))]).json()
    other = client.post("/v1/verify", files=[("image", photo(1)), ("image", photo(2))]).json()
    assert same["similarity"] > other["similarity"]
    assert same["same"] is True
    assert same["decided_by"]["rule"] == "far"
    grey = io.BytesIO()
    Image.new("RGB", (90, 90), (128, 128, 128)).save(grey, "PNG")
    refused = client.post("/v1/verify", files=[("image", photo(1)), ("image", grey.getvalue())])
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "no_face")
    assert refused.json()["error"]["details"] == {"image": 1}
    assert client.post("/v1/verify", files={"image": photo(1)}).json()["error"]["code"] == "two_images"


def test_detect_and_embed(client: TestClient, recognizer: Recognizer, photo: Photo) -> None:
    detected = client.post("/v1/detect", files={"image": photo(1)}).json()["faces"]
    embedded = client.post("/v1/embed", files={"image": photo(1)}).json()
    (expected,) = recognizer.analyze(decode_image(photo(1), "photo"))
    assert detected[0]["box"] == embedded["faces"][0]["box"]
    assert embedded["faces"][0]["embedding"] == pytest.approx(expected.embedding.tolist(), abs=1e-5)
    assert embedded["embedder"] == recognizer.embedder.name


def test_super_resolve_gives_a_png(client: TestClient, photo: Photo) -> None:
    answer = client.post("/v1/super-resolve", files={"image": photo(1)})
    assert answer.headers["content-type"] == "image/png"
    assert decode_image(answer.content, "answer").shape == (64, 64, 3)


def test_the_form_of_the_first_system(client: TestClient, photo: Photo) -> None:
    (face,) = client.post("/face-recognition", files={"image": photo(1)}).json()["faces"]
    assert face["top_prediction"]["name"] == "grace"
    assert set(face["bounding_box"]) == {"left", "top", "right", "bottom"}
    assert face["all_predictions"] is None
    (face,) = client.post("/face-recognition?include_predictions=true", files={"image": photo(1)}).json()["faces"]
    assert [one["id"] for one in face["all_predictions"]] == [0, 1, 2, 3]
    assert face["top_prediction"] == face["all_predictions"][0]


def test_a_change_by_another_process_is_in_force_at_once(client: TestClient, people: Path, photo: Photo) -> None:
    with Gallery.open(people) as other:
        other.rename("grace", "Grace Hopper")
    (face,) = client.post("/v1/identify", files={"image": photo(1)}).json()["faces"]
    assert face["name"] == "Grace Hopper"


def test_figures_and_health(start: Start, photo: Photo) -> None:
    client, service = start()
    assert client.get("/v1/health/live").json() == {"status": "live"}
    assert client.get("/v1/health/ready").json() == {"status": "ready"}
    client.post("/v1/identify", files={"image": photo(1)})
    client.post("/v1/identify", files={"image": b"text"})
    text = client.get("/metrics").text
    assert 'lrfr_decisions_total{decision="known"} 1.0' in text
    assert 'lrfr_refusals_total{code="unreadable"} 1.0' in text
    assert 'lrfr_requests_total{route="/v1/identify",status="200"} 1.0' in text
    assert "lrfr_queue_images 0.0" in text
    assert all(f'stage="{stage}"' in text for stage in ("wait", "decode", "detect", "embed", "decide"))
    service.ready = False
    assert client.get("/v1/health/ready").status_code == 503
