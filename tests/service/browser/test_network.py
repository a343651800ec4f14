"""The page before the shipped network: photos of five real persons are enrolled, dropped and named."""

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect

from lrfr_tf.gallery.gallery import Gallery
from lrfr_tf.recognition.recognizer import Recognizer
from tests.service.browser.conftest import Open, Serve
from tests.service.browser.steps import go_to, identify

pytestmark = [pytest.mark.slow, pytest.mark.facenet]
PHOTOS = 4  # of each person


def test_real_people_are_named(serve: Serve, open_page: Open, sample_photos: Path, tmp_path: Path) -> None:
    names = sorted(path.name for path in (sample_photos / "train").iterdir())
    for name in names:
        (tmp_path / "people" / name).mkdir(parents=True)
        for photo in sorted((sample_photos / "train" / name).iterdir())[:PHOTOS]:
            shutil.copy(photo, tmp_path / "people" / name)
    recognizer = Recognizer("siamese")
    with Gallery.create(tmp_path / "real.db", recognizer) as gallery:
        gallery.enroll_folder(tmp_path / "people", "off")
    dropped = []
    for name in names:
        dropped.append(tmp_path / f"new photo of {name}.jpg")
        shows_a_face = (one for one in sorted((sample_photos / "val" / name).iterdir()) if recognizer.analyze(one))
        shutil.copy(next(shows_a_face), dropped[-1])
    page, _ = open_page(serve(tmp_path / "real.db", recognizer))
    identify(page, *dropped)
    films = page.get_by_role("region", name="All photos").get_by_role("listitem")
    for name in names:
        expect(films.filter(has=page.get_by_role("button", name=f"new photo of {name}.jpg: {name}?"))).to_have_count(1)
    go_to(page, "Check")
    expect(page.get_by_role("region", name="Summary")).to_contain_text("references are recognized")
    expect(page.get_by_text("5 persons are fewer than 30")).to_be_visible()
