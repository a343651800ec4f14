"""What the service says of its gallery and of who asks."""

from pathlib import Path

from starlette.testclient import TestClient

from lrfr_tf.gallery.gallery import Gallery
from lrfr_tf.service.keys import Keys
from lrfr_tf.service.settings import Settings
from tests.service.conftest import NAMES, Start


def test_a_gallery_says_what_it_is_and_what_the_caller_may(start: Start, people: Path, tmp_path: Path) -> None:
    with Gallery.open(people) as gallery, gallery.store.writing() as change:
        change.set_fact("purpose", "who comes in")
        change.set_fact("confirmations", 2)
    keys = Keys(tmp_path / "keys")
    client, _ = start(keys)
    about = client.get("/v1/gallery").json()
    assert (about["key"], about["role"], about["needs_key"]) == ("local", "admin", False)
    key, text = keys.create("read")
    about = client.get("/v1/gallery", headers={"authorization": f"Bearer {text}"}).json()
    assert (about["key"], about["role"], about["needs_key"]) == (key.id, "read", True)
    assert (about["persons"], about["references"]) == (len(NAMES), 2 * len(NAMES))
    assert (about["purpose"], about["legal_basis"], about["confirmations"], about["audit_days"]) == (
        "who comes in", "", 2, 365,
    )  # fmt: skip
    assert about["keeps_pictures"] is True
    assert about["levels"] == ["off", "standard", "strict"]
    limits = Settings()
    assert about["limits"] == {"body_bytes": limits.body_bytes, "images": limits.images, "pixels": limits.pixels}
    assert about["created"].startswith("20")


def test_the_threshold_is_that_of_decisions(client: TestClient, people: Path) -> None:
    with Gallery.open(people) as gallery:
        expected = gallery.threshold.as_json()
    assert client.get("/v1/gallery").json()["decided_by"] == expected


def test_every_route_says_what_it_answers(client: TestClient) -> None:
    description = client.get("/openapi.json").json()
    for path, methods in description["paths"].items():
        for method, route in methods.items():
            good = [status for status in route["responses"] if status.startswith("2")]
            assert len(good) == 1, (path, method)
            (content,) = [route["responses"][status]["content"] for status in good]
            for kind, one in content.items():
                schema = one["schema"]
                if kind == "application/json":
                    assert schema["$ref"].startswith("#/components/schemas/"), (path, method)
                else:
                    assert schema["type"] == "string", (path, method)
