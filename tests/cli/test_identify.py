"""Who is in photos, folders and videos, as the command line says it."""

import json
import os
import re
import shutil
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
from PIL import Image

from lrfr_tf.faces.detect import FaceDetector
from lrfr_tf.files import read_json
from lrfr_tf.images.decode import read_image, write_png
from lrfr_tf.main import run
from lrfr_tf.recognition.calibration import DecisionRule, write_calibration
from lrfr_tf.sources.pictures import CHUNK_SIZE, Picture, in_chunks
from lrfr_tf.sources.video import VideoReader, VideoWriter
from tests.cli.conftest import Refused, Tool
from tests.faces_by_code import person
from tests.small_classifier import write_small_classifier
from tests.strangers_by_code import strangers
from tests.tools.small_embedders import write_small_embedder
from tests.tools.small_runs import finish_script, lines_beside_progress

FRAMES, RATE = 12, 10

Identify = Callable[..., tuple[int, list[dict], list[str]]]


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("embedders") / "small"
    version = write_small_embedder(folder / "1")
    write_calibration(folder, read_json(version / "model.json"), strangers(start=-0.6), {})
    return folder


@pytest.fixture(scope="module")
def script(tool: Tool) -> ModuleType:
    return tool("identify")


@pytest.fixture
def identify(script: ModuleType, embedder: Path, photos: Path, capfd: pytest.CaptureFixture[str]) -> Identify:
    """Runs the tool on the gallery of four persons: (exit code, JSON lines, what stderr says, FFmpeg included)."""

    def call(*flags: str) -> tuple[int, list[dict], list[str]]:
        capfd.readouterr()
        code = 0
        try:
            of_gallery = [f"--embedder={embedder}", f"--gallery={photos}", "--format=json"]
            run(script.main, script.Config, ["identify", *of_gallery, *flags])
        except SystemExit as stopped:
            code = int(str(stopped.code))
        out, error = capfd.readouterr()
        # TensorFlow's own log is muted where lrfr_tf imports it; here somebody may have been first.
        said = [
            line
            for line in lines_beside_progress(error)
            if not re.match(r"[EWI]\d{4} |note: A name needs|note: The photos of ", line)
        ]
        return code, [json.loads(line) for line in out.splitlines()], said

    return call


@pytest.fixture(scope="module")
def film(portrait: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Person "2" walks from left to right; twelve frames of 160 x 120 at ten a second."""
    path = tmp_path_factory.mktemp("films") / "walk.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), RATE, (160, 120))
    for number in range(FRAMES):
        frame = np.full((120, 160, 3), 120, np.uint8)
        left = 5 * number
        frame[12:108, left : left + 96] = person(portrait, 1, 50)
        writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    writer.release()
    return path


def test_one_photo(identify: Identify, portrait: np.ndarray, tmp_path: Path) -> None:
    group = np.concatenate([person(portrait, 3, 50), person(portrait, 0, 50)], axis=1)
    write_png(tmp_path / "group.png", group)
    code, (answer,), said = identify(f"--image={tmp_path / 'group.png'}", f"--output={tmp_path / 'drawn'}")
    assert (code, said) == (0, [])
    assert answer["image"] == "group.png"
    left, right = sorted(answer["faces"], key=lambda face: face["box"][0])
    assert (left["name"], right["name"]) == ("10", "1")
    assert left.keys() == {
        "box", "landmarks", "detection_score", "decision", "name", "score", "threshold", "names",
    }  # fmt: skip
    assert left["decision"] == "known"
    expected = DecisionRule().threshold_for(strangers(start=-0.6), 4)
    assert left["threshold"] == pytest.approx(expected.score)  # of the calibration of the embedder, for four persons
    interval = answer["decided_by"].pop("interval")
    assert interval == pytest.approx(expected.interval)
    assert answer["decided_by"] == {
        "score": pytest.approx(expected.score), "rule": "fpir", "rate": 0.01, "persons": 4, "pairs_beyond": 100,
        "extrapolated": False,
    }  # fmt: skip
    assert [match["name"] for match in left["names"]][0] == "10"
    assert len(left["names"]) == 4
    drawn = read_image(tmp_path / "drawn" / "group.png")
    assert drawn.shape == group.shape
    x1, y1, x2, y2 = (round(value) for value in left["box"])
    middle = (slice(y1 + 20, y2 - 20), slice(x1 + 8, x2 - 8))
    np.testing.assert_array_equal(drawn[middle], group[middle])  # nothing is drawn over the face
    assert (drawn[(y1 + y2) // 2, x1] == (0, 118, 92)).all()  # its box


def test_the_table(
    script: ModuleType, embedder: Path, photos: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path,
    portrait: np.ndarray,
) -> None:  # fmt: skip
    folder = tmp_path / "mixed"
    write_png(folder / "a.png", person(portrait, 1, 50))
    write_png(folder / "b.png", np.full((60, 60, 3), 90, np.uint8))
    (folder / "c.jpg").write_text("no image")
    capsys.readouterr()
    of_gallery = {"embedder": str(embedder), "gallery": str(photos)}
    script.main(script.Config(**of_gallery, folder=str(folder)))
    out, error = capsys.readouterr()
    header, first, second, third = out.splitlines()
    assert re.sub(r" +", " ", header).startswith("picture box (x1, y1, x2, y2) detected candidate score threshold")
    assert re.match(r"a\.png +\(\d+, \d+, \d+, \d+\) ", first)
    assert first.split()[6] == "2"
    assert second.split(maxsplit=1) == ["b.png", "no face"]
    assert third.split(maxsplit=1) == ["c.jpg", "cannot be read"]
    assert any("c.jpg is not an image that is known here" in line for line in lines_beside_progress(error))
    assert re.search(r"embed the gallery: 100%.* 4/4 \[", error)
    script.main(script.Config(**of_gallery, folder=str(folder), threshold=1.01))
    assert capsys.readouterr().out.splitlines()[1].split()[6] == "unknown"


def test_cropped_faces_need_no_detector(
    identify: Identify, portrait: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faces = tmp_path / "small"
    for identity, name in enumerate(("1", "2", "3", "10")):
        photo = person(portrait, identity, 50)
        x1, y1, x2, y2 = (int(value) for value in FaceDetector((0.6, 0.7, 0.8)).detect([photo])[0].boxes[0])
        small = Image.fromarray(photo[y1:y2, x1:x2]).resize((16, 16), Image.Resampling.BICUBIC)
        (faces / name).mkdir(parents=True)
        small.save(faces / name / "face.png")
    write_png(faces / "dot.png", np.zeros((1, 1, 3), np.uint8))
    code, answers, _ = identify(f"--folder={faces}", "--cropped", f"--output={tmp_path / 'drawn'}")
    assert code == 0
    named = {answer["image"]: answer["faces"][0] for answer in answers}
    assert {image: face["name"] for image, face in named.items() if "/" in image} == {
        f"{name}/face.png": name for name in ("1", "2", "3", "10")
    }
    assert all(len(answer["faces"]) == 1 for answer in answers)
    assert named["1/face.png"]["landmarks"] is None
    drawn = read_image(tmp_path / "drawn" / "1" / "face.png")
    np.testing.assert_array_equal(drawn[:192:12, :192:12], read_image(faces / "1" / "face.png"))
    assert len(drawn) > 200  # a caption below
    assert (tmp_path / "drawn" / "dot.png").is_file()


def test_broken_images_are_named_and_the_rest_goes_on(identify: Identify, portrait: np.ndarray, tmp_path: Path) -> None:
    folder = tmp_path / "some"
    write_png(folder / "b.png", person(portrait, 0, 50))
    (folder / "a.jpg").write_text("this is text")
    (folder / "c.png").write_bytes((folder / "b.png").read_bytes()[:500])
    code, answers, said = identify(f"--folder={folder}", f"--output={tmp_path / 'drawn'}")
    assert code == 0
    assert [answer["image"] for answer in answers] == ["a.jpg", "b.png", "c.png"]
    assert ["error" in answer for answer in answers] == [True, False, True]
    assert answers[1]["faces"][0]["name"] == "1"
    assert ["a.jpg" in said[0], "c.png" in said[1], len(said)] == [True, True, 2]
    assert sorted(path.name for path in (tmp_path / "drawn").iterdir()) == ["b.png"]
    (folder / "b.png").unlink()
    code, _, said = identify(f"--folder={folder}")
    assert code == 2
    assert "Of 2 images of" in said[-1]
    code, _, said = identify(f"--image={folder / 'a.jpg'}")
    assert (code, len(said)) == (2, 1)
    assert "a.jpg is not an image" in said[0]


def test_photos_that_lie_on_their_side(identify: Identify, portrait: np.ndarray, tmp_path: Path) -> None:
    photo = person(portrait, 0, 50)
    exif = Image.Exif()
    exif[0x0112] = 6  # the top is at the right
    Image.fromarray(np.rot90(photo).copy()).save(tmp_path / "turned.png", exif=exif)
    write_png(tmp_path / "upright.png", photo)
    _, (turned, upright), _ = identify(f"--folder={tmp_path}")
    (one,), (other,) = turned["faces"], upright["faces"]  # of one batch, whose sums differ by their place in it
    assert one["box"] == pytest.approx(other["box"], abs=0.01)
    assert one["name"] == other["name"] == "1"
    assert one["score"] == pytest.approx(other["score"], abs=1e-4)


def test_a_classifier_names_the_faces(script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_small_classifier(tmp_path / "colors" / "1", closed_set=True)
    write_png(tmp_path / "green.png", np.full((16, 16, 3), (10, 200, 20), np.uint8))
    capsys.readouterr()
    script.main(
        script.Config(model=str(tmp_path / "colors"), image=str(tmp_path / "green.png"), cropped=True, format="json")
    )
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["faces"][0]["name"] == "Mr Grün"
    assert json.loads(line)["decided_by"] == {"score": 0.5, "rule": "closed_set", "extrapolated": False}


def test_an_unknown_face_has_no_name(identify: Identify, portrait: np.ndarray, tmp_path: Path) -> None:
    write_png(tmp_path / "photo.png", person(portrait, 0, 50))
    photo = f"--image={tmp_path / 'photo.png'}"
    for flags in (("--threshold=1.01",), ("--far=1e-9",)):
        _, (answer,), _ = identify(photo, *flags)
        (face,) = answer["faces"]
        if face["score"] < answer["decided_by"].get("score", 2):
            assert (face["decision"], face["name"]) == ("unknown", None)
            assert face["names"][0]["name"] == "1"
    assert answer["decided_by"]["rule"] == "far"
    _, (answer,), _ = identify(photo, "--threshold=1.01")
    assert (answer["faces"][0]["decision"], answer["faces"][0]["name"]) == ("unknown", None)
    assert answer["decided_by"] == {"score": 1.01, "rule": "given", "extrapolated": False}


def test_a_video(identify: Identify, film: Path, tmp_path: Path) -> None:
    code, answers, said = identify(f"--video={film}", "--every=3", f"--output={tmp_path}")
    assert code == 0
    assert ["the rate for strangers does not hold" in line for line in said] == [True]
    assert all(answer["per_frame"] for answer in answers)
    assert [answer["frame"] for answer in answers] == [0, 3, 6, 9]
    np.testing.assert_allclose([answer["seconds"] for answer in answers], [0, 0.3, 0.6, 0.9], atol=1e-6)
    lefts = [answer["faces"][0]["box"][0] for answer in answers]
    assert [answer["faces"][0]["name"] for answer in answers] == ["2"] * 4
    np.testing.assert_allclose(np.diff(lefts), 15, atol=3)  # colors and places are those of the film
    drawn = VideoReader(tmp_path / "walk.mp4")
    frames = [picture.pixels for picture in drawn.frames()]
    assert len(frames) == 4
    np.testing.assert_allclose(drawn.rate, RATE / 3, rtol=0.01)
    original = [picture.pixels for picture in VideoReader(film).frames(3)]
    for frame, before in zip(frames, original, strict=True):
        assert frame is not None
        assert before is not None
        assert frame.shape == before.shape
        assert 0.2 < np.abs(frame.astype(float) - before).mean() < 12


def test_a_video_that_breaks_off(identify: Identify, film: Path, tmp_path: Path) -> None:
    data = film.read_bytes()
    (tmp_path / "cut.avi").write_bytes(data[: len(data) // 2])
    code, answers, said = identify(f"--video={tmp_path / 'cut.avi'}")
    assert code == 0
    assert 3 <= len(answers) <= 8
    assert len(said) == 2
    assert f"cut.avi breaks off: {len(answers)} of 12 frames" in said[1]
    (tmp_path / "text.avi").write_text("this is text")
    (tmp_path / "head.avi").write_bytes(data[:2000])
    with VideoWriter(tmp_path / "good.mp4", 10) as writer:
        for _ in range(9):
            writer.write(np.zeros((48, 64, 3), np.uint8))
    (tmp_path / "cut.mp4").write_bytes((tmp_path / "good.mp4").read_bytes()[:-200])
    for name in ("text.avi", "head.avi", "none.avi", "cut.mp4"):
        code, answers, said = identify(f"--video={tmp_path / name}", f"--output={tmp_path / 'drawn'}")
        assert (code, answers) == (2, [])
        assert name in said[-1]
    assert list((tmp_path / "drawn").iterdir()) == []


def test_what_is_no_film_is_refused_before_the_gallery_is_embedded(identify: Identify, tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("this is text")
    code, answers, said = identify(f"--video={tmp_path / 'text.jpg'}", f"--gallery={tmp_path}")
    assert (code, answers) == (2, [])
    assert said == [f"error: {tmp_path / 'text.jpg'} holds no frame that can be read."]


def test_the_film_itself_is_not_replaced(identify: Identify, tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "film.mp4", 10) as writer:
        writer.write(np.zeros((48, 64, 3), np.uint8))
    before = (tmp_path / "film.mp4").read_bytes()
    for _ in range(2):  # the second time its own drawn file is replaced
        code, _, _ = identify(f"--video={tmp_path / 'film.mp4'}", f"--output={tmp_path}")
        assert code == 0
        assert sorted(path.name for path in tmp_path.iterdir()) == ["film.mp4", "film.mp4.mp4"]
    assert (tmp_path / "film.mp4").read_bytes() == before


def test_photos_of_one_stem_do_not_replace_each_other(identify: Identify, portrait: np.ndarray, tmp_path: Path) -> None:
    for place, name in enumerate(("photo.bmp", "photo.jpg", "photo.png")):
        (tmp_path / "photos").mkdir(exist_ok=True)
        Image.fromarray(person(portrait, place, 50)).save(tmp_path / "photos" / name)
    write_png(tmp_path / "drawn" / "photo.png", np.zeros((5, 5, 3), np.uint8))
    mine = (tmp_path / "drawn" / "photo.png").read_bytes()
    names = ["photo.bmp.png", "photo.jpg.png", "photo.png", "photo.png.png"]
    drawn = []
    for _ in range(2):
        assert identify(f"--folder={tmp_path / 'photos'}", f"--output={tmp_path / 'drawn'}")[0] == 0
        assert sorted(path.name for path in (tmp_path / "drawn").iterdir()) == names
        drawn.append([(tmp_path / "drawn" / name).read_bytes() for name in names])
    assert drawn[0] == drawn[1]
    assert len(set(drawn[0])) == 4
    assert (tmp_path / "drawn" / "photo.png").read_bytes() == mine


def test_any_file_name_is_printed_and_drawn(
    identify: Identify, portrait: np.ndarray, photos: Path, embedder: Path, tmp_path: Path
) -> None:
    name = os.fsdecode(b"caf\xe9 \x1b[31m\xe6\x9e\x97.png")
    write_png(tmp_path / "odd" / name, person(portrait, 1, 50))
    code, (answer,), _ = identify(f"--folder={tmp_path / 'odd'}", f"--output={tmp_path / 'drawn'}")
    assert (code, answer["image"]) == (0, name)
    assert [path.name for path in (tmp_path / "drawn").iterdir()] == [name]
    flags = (f"--embedder={embedder}", f"--gallery={photos}", f"--folder={tmp_path / 'odd'}")
    code, out, error = finish_script("-m lrfr_tf", "identify", *flags, PYTHONIOENCODING="ascii")
    assert code == 0, error
    assert out.splitlines()[1].startswith("caf\\xe9 \\x1b[31m\\u6797.png")


def test_frames_are_not_kept(film: Path) -> None:
    before: weakref.ref | None = None
    for picture in VideoReader(film).frames():
        assert before is None or before() is None
        before = weakref.ref(picture)
        del picture


def test_however_many_pictures_few_are_in_memory() -> None:
    alive: set[int] = set()
    most = 0

    def pictures() -> Iterator[Picture]:
        nonlocal most
        for number in range(10 * CHUNK_SIZE):
            picture = Picture(str(number), np.zeros((4, 4, 3), np.uint8))
            alive.add(number)
            weakref.finalize(picture, alive.discard, number)
            most = max(most, len(alive))
            yield picture

    seen = [picture.name for chunk in in_chunks(pictures()) for picture in chunk]
    assert seen == [str(number) for number in range(10 * CHUNK_SIZE)]
    assert most <= 2 * CHUNK_SIZE + 1
    large = [Picture("large", np.zeros((6000, 4000, 3), np.uint8))] * 5
    assert [len(chunk) for chunk in in_chunks(large)] == [2, 2, 1]


def test_a_written_video_is_whole_or_absent(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "none.mp4", 10):
        pass

    def stopped() -> None:
        with VideoWriter(tmp_path / "stopped.mp4", 10) as writer:
            writer.write(np.zeros((48, 64, 3), np.uint8))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        stopped()
    with VideoWriter(tmp_path / "good.mp4", 10) as writer:
        for _ in range(3):
            writer.write(np.zeros((48, 64, 3), np.uint8))
    assert [path.name for path in tmp_path.iterdir()] == ["good.mp4"]


def test_flags_that_do_not_fit(
    script: ModuleType, refused: Refused, embedder: Path, photos: Path, tmp_path: Path
) -> None:
    gallery = (f"--embedder={embedder}", f"--gallery={photos}")
    (tmp_path / "empty").mkdir()
    write_png(tmp_path / "photo.png", np.zeros((9, 9, 3), np.uint8))
    photo = f"--image={tmp_path / 'photo.png'}"
    assert "one of --image, --folder, --video" in refused(script, *gallery)
    assert "one of --image, --folder, --video" in refused(script, *gallery, photo, f"--folder={tmp_path}")
    assert "one of --model, --gallery" in refused(script, photo)
    assert "--embedder and --gallery go together" in refused(script, photo, gallery[0])
    assert "one of --model, --gallery" in refused(script, photo, "--model=x", gallery[1])
    assert "an exported classifier holds its own" in refused(script, photo, "--model=x", "--super_resolver=y")
    assert "empty holds no images" in refused(script, *gallery, f"--folder={tmp_path / 'empty'}")
    assert "does not exist" in refused(script, *gallery, f"--folder={tmp_path / 'nothing'}")
    assert "no <identity>/<image>" in refused(script, photo, gallery[0], f"--gallery={tmp_path / 'empty'}")
    assert "--cropped is for photos" in refused(script, *gallery, "--video=x.avi", "--cropped")
    assert "must be at least 5" in refused(script, *gallery, photo, "--min_face_size=2")
    assert "is missing" in refused(script, *gallery, "--video=x.avi")
    assert "photo.png cannot be made" in refused(script, *gallery, photo, f"--output={tmp_path / 'photo.png'}")
    copy = shutil.copytree(embedder, tmp_path / "uncalibrated")
    (copy / "calibration.json").unlink()
    assert "lrfr calibrate" in refused(script, photo, f"--embedder={copy}", gallery[1])
    for two in (("--fpir=0.1", "--far=0.1"), ("--fpir=0.1", "--threshold=0.1"), ("--far=0.1", "--threshold=0.1")):
        assert "one of --fpir, --far and --threshold" in refused(script, *gallery, photo, *two)
    assert "The FPIR is 1.0" in refused(script, *gallery, photo, "--fpir=1")
