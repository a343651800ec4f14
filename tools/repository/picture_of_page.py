"""Draws docs/page.png: the page of the service in a headless Chromium, on a gallery of one person.

    python tools/repository/picture_of_page.py --output=docs/page.png

She is the astronaut Eileen Collins in NASA's public-domain portrait, which scikit-image brings, and is looked for in
pictures that the camera model takes of it.
"""

import contextlib
import dataclasses
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import lrfr_tf.quiet  # noqa: F401

import numpy as np
import uvicorn
from playwright.sync_api import sync_playwright
from skimage.data import astronaut

from lrfr_tf.config import option, required
from lrfr_tf.errors import UserError
from lrfr_tf.gallery.gallery import Gallery
from lrfr_tf.images.camera_numpy import photograph
from lrfr_tf.images.decode import write_png
from lrfr_tf.main import note, run
from lrfr_tf.recognition.recognizer import Recognizer
from lrfr_tf.service.app import make_app, make_service
from lrfr_tf.service.settings import Settings

NAME = "Eileen Collins"
HEAD = (96, 0, 352, 256)  # left, top, right and bottom in the portrait
SIDES = (64, 96, 160)  # pixels of the pictures of the head; her face is about 0.4 times as high
WIDTH, HEIGHT = 1280, 1000  # of the picture
SECONDS = 120


@dataclasses.dataclass(frozen=True)
class Config:
    output: str = required("the picture to write (PNG)")
    browser: str = option("/usr/bin/chromium", "the Chromium to draw with")


def main(config: Config) -> None:
    if not Path(config.browser).is_file():
        raise UserError(f"{config.browser} is missing; --browser names a Chromium.")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photos = write_photos(folder)
        recognizer = Recognizer()
        with Gallery.create(folder / "people.db", recognizer, purpose="a picture for the documents") as gallery:
            gallery.enroll_folder(folder / "people", "off")
            with serving(gallery) as port:
                draw(f"http://127.0.0.1:{port}/", photos, config)
    note(f"{config.output} shows the page.")


def write_photos(folder: Path) -> list[Path]:
    """Writes the portrait to people/, from where it is enrolled, and gives the photos in which she is looked for."""
    portrait = astronaut()
    (folder / "people" / NAME).mkdir(parents=True)
    write_png(folder / "people" / NAME / "portrait.png", portrait)
    left, top, right, bottom = HEAD
    head = np.ascontiguousarray(portrait[top:bottom, left:right])
    photos = []
    for side in SIDES:
        photos.append(folder / f"camera, {side} pixels.png")
        write_png(photos[-1], photograph(head, side, "moderate", side, misplaced=False))
    return photos


@contextlib.contextmanager
def serving(gallery: Gallery) -> Iterator[int]:
    """A service of the gallery on a free port of this machine."""
    server = uvicorn.Server(uvicorn.Config(make_app(make_service(gallery, Settings())), log_config=None))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.1)
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


def draw(address: str, photos: list[Path], config: Config) -> None:
    """Drops the photos, waits for the answers and keeps what the page looks like."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=config.browser)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        page.set_default_timeout(1000 * SECONDS)
        page.goto(address)
        page.get_by_label("Photos to identify", exact=True).set_input_files(photos)
        page.get_by_role("button", name="Clear").wait_for()
        page.locator(".panel-pictures img").nth(1).wait_for()
        page.wait_for_load_state("networkidle")
        page.screenshot(path=config.output)
        browser.close()


if __name__ == "__main__":
    run(main, Config)
