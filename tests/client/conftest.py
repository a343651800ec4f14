"""A client of the real service, which listens on a port of this machine."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from lrfr_tf.client import Client
from lrfr_tf.gallery.gallery import Gallery
from lrfr_tf.recognition.recognizer import Recognizer
from lrfr_tf.service.app import make_app, make_service
from lrfr_tf.service.keys import Keys
from lrfr_tf.service.settings import Settings
from lrfr_tf.service.state import Service
from tests.service.conftest import embedder, enrolled, people, photo, recognizer  # noqa: F401  fixtures
from tests.service.serving import serving


@pytest.fixture
def keys(people: Path) -> Keys:  # noqa: F811
    """Of the service; as long as there is none, nobody needs one."""
    return Keys(people.with_name("people.db.keys"))


@pytest.fixture
def service(people: Path, recognizer: Recognizer, keys: Keys) -> Iterator[Service]:  # noqa: F811
    with Gallery.open(people, recognizer) as gallery:
        yield make_service(gallery, Settings(), keys, "srcnn")


@pytest.fixture
def address(service: Service) -> Iterator[str]:
    with serving(make_app(service)) as (port, _):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def client(address: str) -> Iterator[Client]:
    with Client(address) as client:
        yield client


Answer = Callable[[httpx.Request], httpx.Response]
