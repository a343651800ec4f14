"""A service with a tiny embedder and a gallery of four persons, in this process."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from lrfr_tf.files import read_json
from lrfr_tf.gallery.gallery import Gallery
from lrfr_tf.images.decode import write_png
from lrfr_tf.recognition.calibration import write_calibration
from lrfr_tf.recognition.recognizer import Recognizer
from lrfr_tf.service.app import make_app, make_service
from lrfr_tf.service.keys import Keys
from lrfr_tf.service.settings import Settings
from lrfr_tf.service.state import Service
from tests.faces_by_code import person, write_people
from tests.strangers_by_code import strangers
from tests.tools.small_embedders import write_small_embedder

NAMES = ("ada", "grace", "hedy", "mary")
Start = Callable[..., tuple[TestClient, Service]]


@pytest.fixture(scope="session")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("embedders") / "small"
    version = write_small_embedder(folder / "1", dimensions=192)
    write_calibration(folder, read_json(version / "model.json"), strangers(start=-0.6), {})
    return folder


@pytest.fixture(scope="session")
def recognizer(embedder: Path) -> Recognizer:
    return Recognizer(embedder)


@pytest.fixture(scope="session")
def enrolled(
    embedder: Path, recognizer: Recognizer, portrait: np.ndarray, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A gallery of four persons with two photos each. Read only: copy it to change it."""
    folder = tmp_path_factory.mktemp("galleries")
    write_people(folder / "people", portrait, dict.fromkeys(NAMES, 2))
    with Gallery.create(folder / "people.db", recognizer) as gallery:
        gallery.enroll_folder(folder / "people", "off")
    return folder / "people.db"


@pytest.fixture
def people(enrolled: Path, tmp_path: Path) -> Path:
    return shutil.copy(enrolled, tmp_path / "people.db")


@pytest.fixture
def start(people: Path, recognizer: Recognizer) -> Iterator[Start]:
    """Starts a service; settings as for `Settings`, keys as for `make_service`."""
    running: list[TestClient] = []
    galleries: list[Gallery] = []

    def begin(keys: Keys | None = None, **settings: object) -> tuple[TestClient, Service]:
        galleries.append(Gallery.open(people, recognizer))
        service = make_service(galleries[-1], Settings(**settings), keys, "srcnn")  # type: ignore[arg-type]
        client = TestClient(make_app(service), base_url="http://localhost:8000", raise_server_exceptions=False)
        client.__enter__()
        running.append(client)
        return client, service

    yield begin
    for client in running:
        client.__exit__(None, None, None)
    for gallery in galleries:
        gallery.close()


@pytest.fixture
def client(start: Start) -> TestClient:
    return start()[0]


@pytest.fixture
def photo(portrait: np.ndarray, tmp_path: Path) -> Callable[[int, int], bytes]:
    """(person, number) -> a photo as PNG."""

    def make(identity: int, number: int = 50) -> bytes:
        path = tmp_path / "photo.png"
        write_png(path, person(portrait, identity, number))
        return path.read_bytes()

    return make
