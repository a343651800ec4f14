"""Every method of the client against the real service on a port."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lrfr_tf.client import Client, ServiceError
from lrfr_tf.client.people import Health
from lrfr_tf.images.decode import decode_image
from lrfr_tf.recognition.recognizer import Recognizer
from lrfr_tf.service.keys import Keys
from lrfr_tf.service.state import Service
from tests.service.conftest import NAMES

Photo = Callable[..., bytes]


def ids(client: Client) -> dict[str, str]:
    return {person.name: person.id for person in client.persons.list()}


def refusal(call: Callable[[], object]) -> ServiceError:
    with pytest.raises(ServiceError) as refused:
        call()
    return refused.value


def test_faces(client: Client, recognizer: Recognizer, photo: Photo, tmp_path: Path) -> None:
    path = tmp_path / "street.png"
    path.write_bytes(photo(2))
    answer = client.identify([path, photo(0)], candidates=3, pictures=True)
    assert [(face.image, face.name, face.decision) for face in answer.faces] == [
        (0, "hedy", "known"),
        (1, "ada", "known"),
    ]
    assert answer.request_id
    assert answer.decided_by is not None
    face = answer.faces[0]
    assert face.person == ids(client)["hedy"]
    assert [one.name for one in face.candidates][0] == "hedy"
    assert face.candidates[0].score == face.score
    assert len(face.candidates) == 3
    assert face.picture is not None
    assert decode_image(face.picture, "picture").shape[2] == 3
    (plain,) = client.identify(str(path)).faces
    assert plain.picture is None
    (detected,) = client.detect(path).faces
    assert detected.box == pytest.approx(face.box)
    assert len(detected.landmarks) == 5
    embedded = client.embed(path)
    (own,) = recognizer.analyze(path)
    assert float(np.array(embedded.faces[0].embedding) @ own.embedding) >= 0.9999
    assert embedded.embedder == recognizer.embedder.name
    verified = client.verify(photo(1, 50), photo(1, 51), far=0.01)
    assert verified.same is True
    assert verified.decided_by is not None
    assert (verified.decided_by["rule"], verified.decided_by["rate"]) == ("far", 0.01)
    assert not verified.faces[0].ambiguous
    assert decode_image(client.super_resolve(photo(1)), "picture").shape == (64, 64, 3)


def test_persons(client: Client) -> None:
    assert tuple(ids(client)) == NAMES
    assert [person.name for person in client.persons.list(contains="A")] == ["ada", "grace", "mary"]
    made = client.persons.create("Zo\u00eb / ?#")
    assert (made.name, made.references, made.picture) == ("Zo\u00eb / ?#", 0, None)
    assert refusal(lambda: client.persons.create("ada")).code == "name_taken"
    assert client.persons.rename(made.id, "Zo\u00eb").name == "Zo\u00eb"
    assert client.persons.expire(made.id, "2999-12-31").expires == "2999-12-31"
    assert client.persons.expire(made.id, None).expires is None
    known = ids(client)
    merged = client.persons.merge(known["mary"], into=known["ada"])
    assert (merged.id, merged.references) == (known["ada"], 4)
    taken = [one.id for one in client.references(merged.id)[2:]]
    assert client.persons.split(merged.id, taken, "mary").references == 2
    assert client.persons.get(merged.id).active == 2
    about = json.loads(zipfile.ZipFile(io.BytesIO(client.persons.subject_export(merged.id))).read("about.json"))
    assert about["person"]["name"] == "ada"
    assert refusal(lambda: client.persons.forget(merged.id, confirm="x")).code == "not_confirmed"
    assert client.persons.forget(merged.id, confirm="ada").references == 2
    gone = refusal(lambda: client.persons.get(merged.id))
    assert (gone.status, gone.code) == (404, "no_such_person")
    assert gone.request_id
    assert "no person" in gone.message


def test_listing_goes_on_over_pages(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lrfr_tf.client.persons.PAGE", 3)
    monkeypatch.setattr("lrfr_tf.client.client.PAGE", 3)
    assert tuple(person.name for person in client.persons.list()) == NAMES
    rows = list(client.audit())
    assert len(rows) > 3
    assert [row.number for row in rows] == sorted(row.number for row in rows)
    newest = list(client.audit(order="newest"))
    assert [row.number for row in newest] == [row.number for row in reversed(rows)]
    ada = ids(client)["ada"]
    assert {(row.person, row.name) for row in client.audit(ada)} == {(ada, "ada")}


def test_references(client: Client, photo: Photo, tmp_path: Path) -> None:
    person = client.persons.create("zoe").id
    path = tmp_path / "a b.png"
    path.write_bytes(photo(7, 1))
    (face,) = client.detect(path).faces
    first = client.enroll(person, path, level="off", box=face.box)
    assert (first.person, first.photos[0].verdict, first.photos[0].photo) == (person, "accepted", "a b.png")
    rest = client.enroll(person, [photo(7, 2), photo(7, 1)], level="standard")
    assert [one.image for one in rest.photos] == [0, 1]
    assert rest.photos[1].codes[0] == "duplicate"
    reference = first.photos[0].reference
    assert reference is not None
    assert reference in [one.id for one in client.references(person)]
    assert decode_image(client.picture(reference), "picture").shape[2] == 3
    assert (client.set_aside(reference).state, client.set_aside(reference, "blurred").reason) == (
        "set_aside",
        "blurred",
    )
    assert client.restore(reference).state == "active"
    assert client.expire(reference, "2999-01-01").expires == "2999-01-01"
    assert client.move(reference, ids(client)["ada"]).person == ids(client)["ada"]
    assert refusal(lambda: client.restore("nosuch")).code == "no_such_reference"
    rest = client.enroll(person, [b"text", photo(7, 3)], level="off")
    assert [one.verdict for one in rest.photos] == ["rejected", "accepted"]
    assert rest.photos[0].codes == ("unreadable",)
    with pytest.raises(FileNotFoundError):
        client.enroll(person, tmp_path / "none.png")


def test_a_request_that_is_sent_again_enrolls_once(client: Client, photo: Photo) -> None:
    person = ids(client)["ada"]
    first = client.enroll(person, photo(0, 60), level="off", idempotency_key="one")
    assert client.enroll(person, photo(0, 60), level="off", idempotency_key="one").photos == first.photos
    assert client.persons.get(person).references == 3
    again = client.enroll(person, photo(0, 60), level="off")  # another request
    assert again.photos[0].reference != first.photos[0].reference


def test_what_is_on_record(client: Client, photo: Photo) -> None:
    (face,) = client.identify(photo(1)).faces
    assert face.record is not None
    said = client.confirm(face.record, True, who="a clerk")
    assert (said.confirmed, said.refuted, said.is_confirmed) == (1, 0, True)
    assert client.confirm(face.record, False).refuted == 1
    about = client.gallery()
    assert (about.role, about.persons, about.limits.images) == ("admin", 4, 64)
    check = client.check()
    assert (check.persons, check.references) == (4, 8)
    assert {one.name for one in check.people} == set(NAMES)
    assert check.pairs[0].first_person is not None
    assert check.rates


def test_health(service: Service, client: Client) -> None:
    assert client.health() == Health(True, True)
    service.ready = False
    health = client.health()
    assert (health.live, health.ready, health.code) == (True, False, "not_ready")
    with Client("http://127.0.0.1:9") as nobody:
        assert nobody.health().code == "unreachable"


def test_keys(address: str, keys: Keys) -> None:
    _, text = keys.create("read")
    with Client(address) as nobody:
        assert refusal(lambda: list(nobody.persons.list())).code == "key_missing"
    with Client(f"{address}/", text) as reader:
        assert len(list(reader.persons.list())) == 4
        refused = refusal(lambda: reader.persons.create("x"))
        assert (refused.status, refused.code, refused.details) == (403, "role_too_low", {"role": "enroll"})
        assert text not in repr(reader)
        assert text not in repr(refused)
