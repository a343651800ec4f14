"""A photo of two persons: every tool takes the larger face, however sure the detector is, and names the photo."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lrfr_tf.data.landmarks import read_landmarks
from lrfr_tf.faces.detect import Detection, FaceDetector
from lrfr_tf.files import read_json
from lrfr_tf.gallery.gallery import Gallery
from lrfr_tf.images.decode import read_image, write_png
from lrfr_tf.main import run
from lrfr_tf.recognition.calibration import DecisionRule
from lrfr_tf.recognition.face_crops import FaceCutter
from lrfr_tf.recognition.recognizer import Recognizer, embed_faces
from tests.cli.conftest import Tool
from tests.faces_by_code import person
from tests.tools.small_runs import small_embedder

SIDE = 128  # of the person's half of a photo; the other half is the bystander's
NAMES = [f"{who}/{photo}.png" for who in ("1", "2") for photo in range(3)]
NOTE = "2/0.png shows another face about as large as the one that is taken"


@pytest.fixture
def photos(portrait: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two persons; beside the second stands a third, nearly as large in the first photo, half as large in the others.

    The detector is surest of the smaller face.
    """
    for who, name in enumerate(("1", "2")):
        for photo in range(3):
            pixels = person(portrait, who, photo, SIDE)
            if name == "2":
                small = person(portrait, 2, photo, 110 if photo == 0 else 64)
                other = np.full_like(pixels, 128)
                other[: len(small), : len(small)] = small
                pixels = np.concatenate([other, pixels], axis=1)
            write_png(tmp_path / "photos" / name / f"{photo}.png", pixels)
    detect = FaceDetector.detect

    def surest_of_the_smaller(self: FaceDetector, images: Sequence[np.ndarray]) -> list[Detection]:
        found = []
        for one in detect(self, images):
            order = np.argsort(one.boxes[:, 3] - one.boxes[:, 1])
            found.append(Detection(one.boxes[order], np.sort(one.scores)[::-1], one.landmarks[order]))
        return found

    monkeypatch.setattr(FaceDetector, "detect", surest_of_the_smaller)
    return tmp_path / "photos"


def call(module: object, *flags: str) -> None:
    run(module.main, module.Config, ["script", *flags])  # type: ignore[attr-defined]


def notes(error: str) -> list[str]:
    return [line.split("note: ", 1)[1] for line in error.replace("\r", "\n").splitlines() if "note: " in line]


def test_landmarks(tool: Tool, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(tool("make_landmarks"), f"--images={photos}", f"--output={tmp_path}/table.csv")
    (note,) = notes(capsys.readouterr().err)
    assert note.startswith(NOTE)
    found = read_landmarks(tmp_path / "table.csv")
    assert list(found) == NAMES
    assert all(points[:, 0].min() > (SIDE if name.startswith("2") else 0) for name, points in found.items())


@pytest.mark.parametrize("name", ["prepare_folder", "prepare_aligned"])
def test_trees(
    name: str,
    tool: Tool,
    photos: Path,
    portrait: np.ndarray,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    tree = tmp_path / "tree"
    flags = (f"--images={photos}", f"--output={tree}")
    stopping = f"lrfr_tf.data.{'prepare' if name == 'prepare_folder' else name}._finish"
    config = tool(name).Config(images=str(photos), output=str(tree))

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(stopping, interrupt)
        with pytest.raises(KeyboardInterrupt):
            tool(name).main(config)
    capsys.readouterr()
    call(tool(name), *flags)  # every face is there already; what the run before had found is not forgotten
    manifest = read_json(tree / "manifest.json")
    assert manifest["images_with_rival"] == ["2/0.png"]
    (note,) = notes(capsys.readouterr().err)
    assert note.startswith(NOTE)
    assert not list(tree.glob(".rivaled*"))
    faces = [path for path in tree.rglob("*.*") if path.suffix in (".png", ".jpg") and "lr" not in path.parts]
    assert len(faces) == 6
    for path in faces:
        colors = [mean_color(person(portrait, who, 9, SIDE)) for who in range(3)]
        differences = [np.abs(mean_color(read_image(path)) - color).max() for color in colors]
        assert int(np.argmin(differences)) == int(path.parent.name) - 1, path


def mean_color(pixels: np.ndarray) -> np.ndarray:
    """Of the middle of a picture, relative to its sum: what tells the made-up persons apart."""
    quarter = len(pixels) // 4
    color = pixels[quarter:-quarter, quarter:-quarter].mean(axis=(0, 1))
    return color / color.sum()


def test_a_gallery(photos: Path) -> None:
    told: list[str] = []
    cutter = FaceCutter(FaceDetector((0.6, 0.7, 0.8)), "aligned")
    embedder = small_embedder()
    recognizer = Recognizer(embedder, cut="aligned")
    gallery = Gallery.from_folder(photos, recognizer, rule=DecisionRule(threshold=0.0), note=told.append)
    assert gallery.names == ["1", "2"]
    (note,) = told
    assert note.startswith(f"{photos}/{NOTE}")
    alone = cutter.find([np.asarray(Image.open(photos / "2" / f"{photo}.png"))[:, SIDE:] for photo in range(3)])
    expected = embed_faces(embedder, [face.pixels for faces in alone for face in faces]).mean(axis=0)
    assert gallery.embeddings[1] @ expected / np.linalg.norm(expected) > 0.99
