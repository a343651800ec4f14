"""The page of a check shows faces, holds everything it needs, and runs nothing that a name brings along."""

import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lrfr_tf.errors import UserError
from lrfr_tf.gallery.check import check
from lrfr_tf.gallery.check_page import PERSONS, SIDE, page, write_page
from lrfr_tf.recognition.calibration import Threshold

EVIL = '<script>alert("x")</script>&\'" onerror=alert(1)'


def report_of(names: list[str], active: np.ndarray | None = None, reasons: dict[str, str] | None = None):
    random = np.random.default_rng(0)
    embeddings = random.standard_normal((len(names), 32)).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    return check(
        names,
        embeddings,
        np.ones(len(names), bool) if active is None else active,
        np.full(len(names), 20.0),
        ids=[f"id{number}" for number in range(len(names))],
        threshold=Threshold(0.3, "fpir", 0.01, len(set(names))),
        reasons=reasons,
    )


def face(id_: str) -> np.ndarray:
    return np.full((20, 16, 3), int(id_[2:]) % 256, np.uint8)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_names_are_text_whatever_they_hold() -> None:
    names = [EVIL, EVIL, "b", "b", EVIL + "2"]
    active = np.array([1, 1, 1, 0, 1], bool)
    parsed = _Tags()
    parsed.feed(page(report_of(names, active, {"id3": EVIL}), face))
    assert EVIL in parsed.text
    assert {tag for tag, _ in parsed.tags}.isdisjoint({"script", "link", "iframe", "object", "form"})
    assert not any(name.startswith("on") for _, attributes in parsed.tags for name in attributes)
    images = [attributes for tag, attributes in parsed.tags if tag == "img"]
    assert EVIL in {attributes["alt"] for attributes in images}


def test_it_loads_nothing_from_anywhere() -> None:
    text = page(report_of(["a", "a", "b", "b"]), face)
    assert "default-src 'none'" in text
    assert "http:" not in text
    assert "https:" not in text
    sources = re.findall(r'src="([^"]*)"', text)
    assert sources
    assert all(source.startswith("data:image/png;base64,") for source in sources)


def test_small_faces_keep_their_pixels_and_large_ones_are_shrunk() -> None:
    text = page(report_of(["a", "a"]), lambda id_: np.zeros((300, 200, 3), np.uint8) if id_ == "id1" else face(id_))
    sizes = {Image.open(io.BytesIO(base64.b64decode(data))).size for data in re.findall(r"base64,([^\"]*)\"", text)}
    assert sizes == {(16, 20), (64, SIDE)}


def test_a_reference_without_pixels_is_said_to_have_none() -> None:
    assert "no picture" in page(report_of(["a", "a"]), lambda id_: None)


def test_of_very_many_persons_the_worst_are_shown_and_the_rest_counted() -> None:
    names = [f"person {number:04d}" for number in range(PERSONS + 5) for _ in range(2)]
    text = page(report_of(names), lambda id_: None)
    assert text.count("<section>") == PERSONS
    assert "5 more persons are not shown" in text


def test_the_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    def broken(id_: str) -> np.ndarray:
        raise OSError("no pixels today")

    report = report_of(["a", "a"])
    with pytest.raises(OSError, match="no pixels"):
        write_page(report, broken, tmp_path / "check.html")
    assert not list(tmp_path.iterdir())
    write_page(report, face, tmp_path / "check.html")
    assert (tmp_path / "check.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    with pytest.raises(UserError, match="exists already"):
        write_page(report, face, tmp_path / "check.html")
    write_page(report, face, tmp_path / "check.html", overwrite=True)


def test_light_and_dark_and_a_phone_are_thought_of() -> None:
    text = page(report_of(["a", "a"]), face)
    assert "prefers-color-scheme: dark" in text
    assert 'name="viewport"' in text
