"""Draws docs/page.png: the page of the service in a headless Chromium, on a gallery of made-up persons.

    python tools/repository/picture_of_page.py --output=docs/page.png

The only real person is the astronaut Eileen Collins in NASA's public-domain portrait, which scikit-image brings; she is
looked for in pictures that the camera model takes of it. The others are her face, warped by code.
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
from PIL import Image
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
SIDES = (72, 48, 32)  # pixels of the pictures of the head; her face is about half as high
# Those who are made: factors of width and height, and which colors stand for red, green and blue.
MADE = {
    "Made by code, wide": (1.45, 0.9, (0, 1, 2)),
    "Made by code, long": (0.7, 1.3, (0, 2, 1)),
    "Made by code, blue": (1.15, 0.85, (2, 1, 0)),
    "Made by code, green": (0.85, 1.1, (1, 0, 2)),
}
WIDTH, HEIGHT = 1280, 860  # of the picture
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
    """Writes those to enroll into people/, and gives the photos in which she is looked for."""
    portrait = astronaut()
    for name, faces in {NAME: [portrait, portrait[:, ::-1]], **{name: [made(portrait, name)] for name in MADE}}.items():
        (folder / "people" / name).mkdir(parents=True)
        for number, face in enumerate(faces):
            write_png(folder / "people" / name / f"{number}.png", np.ascontiguousarray(face))
    left, top, right, bottom = HEAD
    head = np.ascontiguousarray(portrait[top:bottom, left:right])
    photos = []
    for side in SIDES:
        photos.append(folder / f"camera, {side} pixels.png")
        write_png(photos[-1], photograph(head, side, "moderate", side, misplaced=False))
    return photos


def made(portrait: np.ndarray, name: str) -> np.ndarray:
    """A person who is not there: another shape and other colors."""
    wide, high, colors = MADE[name]
    left, top, right, bottom = HEAD
    head = Image.fromarray(portrait[top:bottom, left:right][..., list(colors)])
    return np.asarray(head.resize((round(wide * head.width), round(high * head.height)), Image.Resampling.BICUBIC))


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
        page.get_by_label("Photos to identify").set_input_files(photos)
        page.get_by_role("button", name="Clear").wait_for()
        page.locator(".panel-pictures img").nth(1).wait_for()
        page.wait_for_load_state("networkidle")
        page.screenshot(path=config.output)
        browser.close()


if __name__ == "__main__":
    run(main, Config)
