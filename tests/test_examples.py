"""The examples run as they are printed, on people made by code."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import lrfr_tf as lrfr
from lrfr_tf.images.decode import read_image, write_png
from lrfr_tf.images.resize import resize
from lrfr_tf.sources.video import VideoWriter
from tests.faces_by_code import person, write_people
from tests.tf_serving.stand_in import StandIn

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"

pytestmark = pytest.mark.slow


def run(*words: str | Path, folder: Path) -> str:
    """What an example prints; it runs in a folder of its own, with `lrfr` on its path."""
    commands = folder / "bin"
    commands.mkdir(exist_ok=True)
    (commands / "lrfr").write_text(f'#!/bin/sh\nexec {sys.executable} -m lrfr_tf "$@"\n')
    (commands / "lrfr").chmod(0o755)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{commands}:{os.environ['PATH']}"}
    done = subprocess.run(
        [str(word) for word in words], cwd=folder, env=environment, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_example_is_short_and_tested() -> None:
    words = Path(__file__).read_text(encoding="utf-8")
    for file in EXAMPLES.iterdir():
        if file.suffix == ".ipynb":
            continue  # tests/test_notebook.py
        assert f'"{file.name}"' in words, file
        assert len(file.read_text().splitlines()) <= 25


def test_photo(portrait: np.ndarray, tmp_path: Path) -> None:
    write_png(tmp_path / "photo.png", portrait)
    out = run(sys.executable, EXAMPLES / "photo.py", "photo.png", "enlarged.png", folder=tmp_path)
    assert out.count("px high, score 0.99") + out.count("px high, score 1.0") == 1
    assert read_image(tmp_path / "enlarged.png").shape == (64, 64, 3)


def test_gallery_and_video(portrait: np.ndarray, tmp_path: Path) -> None:
    write_people(tmp_path / "people", portrait, {"Ada": 2, "Grace": 2})
    write_png(tmp_path / "photo.png", person(portrait, 1, 50))
    out = run(sys.executable, EXAMPLES / "gallery.py", "people", "photo.png", folder=tmp_path)
    assert "an FPIR of 1.0% for 2 persons" in out
    assert "Grace: cosine" in out
    with lrfr.Gallery.create(tmp_path / "people.db") as gallery:
        gallery.enroll_folder(tmp_path / "people", "off")
    kept = run(sys.executable, EXAMPLES / "gallery.py", "people.db", "photo.png", folder=tmp_path)
    assert "an FPIR of 1.0% for 2 persons" in kept
    assert "Grace: cosine" in kept
    with VideoWriter(tmp_path / "film.mp4", 10.0) as film:
        for photo in range(20):
            film.write(person(portrait, photo // 10, 60 + photo % 10, 128))
    out = run(sys.executable, EXAMPLES / "video.py", "people", "film.mp4", folder=tmp_path)
    assert [line.split(": ")[1] for line in out.splitlines()] == ["Ada", "Grace"]


def test_classifier(portrait: np.ndarray, tmp_path: Path) -> None:
    write_people(tmp_path / "people", portrait, {"Ada": 4, "Grace": 4, "Mary": 4})
    write_png(tmp_path / "photo.png", person(portrait, 2, 50))
    out = run("sh", EXAMPLES / "classifier.sh", "people", "photo.png", folder=tmp_path)
    assert "Mary" in out.splitlines()[-1]


def test_tf_serving_client(portrait: np.ndarray, tmp_path: Path) -> None:
    for name, photo in (("face", 0), ("other", 1)):
        write_png(tmp_path / f"{name}.png", resize(person(portrait, 0, photo), 64, 64))
    with StandIn({"siamese": ROOT / "saved_models" / "siamese"}) as server:
        words = ("localhost", str(server.rest_port), "face.png", "other.png")
        out = run(sys.executable, EXAMPLES / "tf_serving_client.py", *words, folder=tmp_path)
    assert 0.5 < float(out.split()[1].rstrip(",")) <= 1
