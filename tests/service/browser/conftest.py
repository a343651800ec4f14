"""The page of a service in a real browser: the service of `tests/service` on a real port, and Chromium before it."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from lrfr_tf.gallery.gallery import Gallery
from lrfr_tf.images.decode import write_png
from lrfr_tf.recognition.calibration import DecisionRule
from lrfr_tf.recognition.recognizer import Recognizer
from lrfr_tf.service.app import make_app, make_service
from lrfr_tf.service.keys import Keys
from lrfr_tf.service.settings import Settings
from tests.faces_by_code import person
from tests.service.browser.chromium import DESKTOP, Complaints, launched
from tests.service.serving import serving

SECONDS = 30  # for which the page is waited for: the machine may be busy
expect.set_options(timeout=1000 * SECONDS)
Serve = Callable[..., str]
Open = Callable[..., tuple[Page, Complaints]]


# One for each file, not for all: as long as it is there, this thread has a running event loop, and tests of other files
# start their own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as started:
        yield started


@pytest.fixture
def serve(people: Path, recognizer: Recognizer) -> Iterator[Serve]:
    """Starts a service and answers its address; of the gallery of four persons, or of another one."""
    with contextlib.ExitStack() as running:

        def begin(
            path: Path = people,
            by: Recognizer = recognizer,
            *,
            keys: Keys | None = None,
            rule: DecisionRule | None = None,
            **settings: object,
        ) -> str:
            gallery = running.enter_context(Gallery.open(path, by, rule=rule))
            service = make_service(gallery, Settings(**settings), keys, "srcnn")  # type: ignore[arg-type]
            port, _ = running.enter_context(serving(make_app(service)))
            return f"http://127.0.0.1:{port}"

        yield begin


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Opens the page at an address, and what it complains of; when the test is over there must be nothing."""
    opened: list[Complaints] = []
    contexts = []

    def begin(address: str, **context: object) -> tuple[Page, Complaints]:
        contexts.append(browser.new_context(**{"viewport": DESKTOP, "reduced_motion": "reduce", **context}))
        contexts[-1].set_default_timeout(1000 * SECONDS)
        page = contexts[-1].new_page()
        opened.append(Complaints(page, address))
        page.goto(f"{address}/")
        return page, opened[-1]

    yield begin
    for context in contexts:
        context.close()
    for complaints in opened:
        assert complaints.all() == []


@pytest.fixture
def page(serve: Serve, open_page: Open) -> Page:
    """The page of the gallery of four persons, without a key."""
    return open_page(serve())[0]


@pytest.fixture
def photo_file(portrait: np.ndarray, tmp_path: Path) -> Callable[..., Path]:
    """(person, number) -> the file of a photo."""

    def make(identity: int, number: int = 50, size: int = 96) -> Path:
        path = tmp_path / f"photo-{identity}-{number}.png"
        write_png(path, person(portrait, identity, number, size))
        return path

    return make
