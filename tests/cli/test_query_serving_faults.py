"""What goes wrong with some faces, or halfway, and what the server's answers are worth: against the stand-in server."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lrfr_tf.files import read_json
from lrfr_tf.images.decode import read_image
from lrfr_tf.main import run
from lrfr_tf.recognition.calibration import DecisionRule, write_calibration
from lrfr_tf.recognition.identifier import identifier_of_classifier
from lrfr_tf.tf_serving import client
from tests.cli.conftest import Refused, Tool
from tests.small_classifier import write_small_classifier
from tests.strangers_by_code import strangers
from tests.tf_serving.small_models import save_embedder
from tests.tf_serving.stand_in import StandIn

BUSY = ("UNAVAILABLE", "The batch scheduling queue is full")
BROKEN = ("INTERNAL", "broken")
HEADS = {"templates": {"head": "cosine"}, "closed": {"closed_set": True}, "open": {}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The exports: an embedder, and a classifier of each kind, the one of templates with its calibration."""
    folder = tmp_path_factory.mktemp("exports")
    save_embedder(folder / "color")
    for name, facts in HEADS.items():
        write_small_classifier(folder / name / "1", **facts)  # type: ignore[arg-type]
    write_calibration(folder / "templates", read_json(folder / "templates/1/model.json"), strangers(), {})
    return folder


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[StandIn]:
    with StandIn({name: folder / name for name in ("color", *HEADS)}) as server:
        yield server


@pytest.fixture
def server(running: StandIn, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    monkeypatch.setattr(client, "FIRST_RETRY_SECONDS", 0.0)
    running.reset()
    return running


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    """Five small faces, 0.png to 4.png."""
    folder = tmp_path / "faces"
    folder.mkdir()
    for number in range(5):
        Image.new("RGB", (16, 16), (50 * number, 200, 20)).save(folder / f"{number}.png")
    return folder


def address(server: StandIn) -> list[str]:
    return ["--host=127.0.0.1", f"--port={server.rest_port}"]


def query(tool: Tool, server: StandIn, *flags: str) -> None:
    module = tool("query_serving")
    run(module.main, module.Config, ["script", *address(server), *flags])


def exit_code(tool: Tool, server: StandIn, *flags: str) -> int:
    with pytest.raises(SystemExit) as stopped:
        query(tool, server, *flags)
    return int(str(stopped.value.code))


def embed(output: Path) -> tuple[str, ...]:
    return "--model=color", "--signature=embed", f"--output={output}"


def test_files_that_fail_are_named_and_the_others_embedded(
    tool: Tool, server: StandIn, faces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (faces / "a_empty.jpg").write_bytes(b"")
    (faces / "b_text.png").write_text("no picture")
    Image.new("P", (16, 16)).save(faces / "c.gif")
    (faces / "c.gif").rename(faces / "c_gif.jpg")
    (faces / "d_cut.png").write_bytes((faces / "1.png").read_bytes()[:-20])  # the server finds out
    (faces / "e_link.png").symlink_to(faces / "nowhere.png")
    bad = ["a_empty.jpg", "b_text.png", "c_gif.jpg", "d_cut.png", "e_link.png"]
    output = tmp_path / "embeddings.npz"
    query(tool, server, *embed(output), f"--faces={faces}", "--cropped", "--batch=3")
    printed = capsys.readouterr()
    assert f"{output}: embeddings of 5 of 10 faces by color, version 1" in printed.out
    for name in bad:
        assert f"note: {faces / name} " in printed.err
    assert "Traceback" not in printed.err
    assert "Graph execution" not in printed.err
    with np.load(output) as stored:
        assert stored["faces"].tolist() == [f"{number}.png" for number in range(5)]
        assert stored["failed"].tolist() == bad
        expected = np.array([(50 * number, 200, 20) for number in range(5)], np.float32)
        expected /= np.linalg.norm(expected, axis=1, keepdims=True)
        np.testing.assert_allclose(stored["embeddings"], expected, atol=1e-5)


def test_nothing_is_written_where_every_face_fails(
    tool: Tool, server: StandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(b"GIF89a")
    assert exit_code(tool, server, *embed(tmp_path / "e.npz"), f"--faces={tmp_path}") == 2
    assert capsys.readouterr().err.endswith("error: Of 2 faces none has an answer.\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.png"]
    assert not server.seen


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        ([BUSY] * 9, "is not available: The batch scheduling queue is full"),
        ([BROKEN] * 9, "failed with HTTP status 500: broken"),
    ],
)
def test_what_was_answered_before_the_server_failed_is_kept(
    tool: Tool, server: StandIn, faces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch, faults: list[tuple[str, str]], words: str,
) -> None:  # fmt: skip
    answer = server.predict

    def predict(*request: object) -> dict[str, np.ndarray]:
        if len(server.seen) == 2:
            server.faults = list(faults)
        return answer(*request)  # type: ignore[arg-type]

    monkeypatch.setattr(server, "predict", predict)
    output = tmp_path / "e.npz"
    assert exit_code(tool, server, *embed(output), f"--faces={faces}", "--batch=2", "--retries=1") == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert words in error
    assert error.endswith("; before that 2 of 5 faces had an answer.")
    with np.load(output) as stored:
        assert stored["faces"].tolist() == ["0.png", "1.png"]
        assert stored["failed"].tolist() == ["2.png", "3.png", "4.png"]


def test_a_server_that_fails_once_is_asked_for_each_face_alone(
    tool: Tool, server: StandIn, faces: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.faults = [BROKEN, BROKEN]  # the request for all, and that for 0.png
    query(tool, server, "--model=open", "--as_pixels", f"--faces={faces}", "--json")
    printed = capsys.readouterr()
    lines = [json.loads(line) for line in printed.out.splitlines()]
    assert [line["face"] for line in lines if "identity" in line] == ["1.png", "2.png", "3.png", "4.png"]
    assert f"{faces / '0.png'} has no answer: " in lines[0]["error"]


@pytest.mark.parametrize("as_pixels", [True, False])
def test_what_is_over_the_limit_is_refused_before_it_is_sent(
    tool: Tool, server: StandIn, tmp_path: Path, refused: Refused, monkeypatch: pytest.MonkeyPatch, as_pixels: bool
) -> None:
    """Nor is it decoded: 12 megapixels were written as JSON for minutes, only to be refused."""
    Image.new("RGB", (4000, 3000)).save(tmp_path / "huge.png")
    monkeypatch.setattr("lrfr_tf.tf_serving.faces.decode_image", lambda *_: pytest.fail("it was decoded"))
    flags = [*embed(tmp_path / "e.npz"), f"--faces={tmp_path / 'huge.png'}", *["--as_pixels"] * as_pixels]
    error = refused(tool("query_serving"), *address(server), *flags)
    assert "huge.png has 4000 x 3000 pixels and is not sent: 4,000,000 are allowed" in error
    assert error.endswith("--detect finds its face and sends that.")
    assert not server.seen


def test_whole_photos_are_refused_or_cropped(
    tool: Tool, server: StandIn, folder: Path, portrait: np.ndarray, tmp_path: Path,
    refused: Refused, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    photos = tmp_path / "photos"
    photos.mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.rot90(portrait)).save(photos / "turned.jpg", exif=exif, quality=100)
    Image.fromarray(portrait).save(photos / "upright.png")
    to_pixels = [*embed(tmp_path / "e.npz"), f"--faces={photos / 'upright.png'}"]
    for way in ([], ["--as_pixels"]):
        error = refused(tool("query_serving"), *address(server), *to_pixels, *way)
        assert "upright.png is a whole photo and is not sent" in error
        assert error.endswith("--detect finds its face and sends that.")
    error = refused(tool("query_serving"), *address(server), *to_pixels, "--detect")
    assert "--detect must know how color wants its faces" in error
    assert not server.seen
    Image.fromarray(portrait[200:]).save(photos / "without.png")
    query(tool, server, *embed(tmp_path / "e.npz"), f"--faces={photos}", "--detect", f"--export={folder / 'color'}")
    assert f"note: {photos / 'without.png'} shows no face." in capsys.readouterr().err
    with np.load(tmp_path / "e.npz") as stored:
        assert stored["faces"].tolist() == ["turned.jpg", "upright.png"]
        first, second = stored["embeddings"]
    assert first @ second > 0.999
    # What was sent is a crop, and is taken as one.
    (seen,) = server.seen
    import base64

    crop = tmp_path / "crop.png"
    crop.write_bytes(base64.b64decode(seen[2]["inputs"]["image_bytes"][1]["b64"]))
    assert read_image(crop).shape == (112, 112, 3)
    query(tool, server, *embed(tmp_path / "again.npz"), f"--faces={crop}")
    with np.load(tmp_path / "again.npz") as stored:
        np.testing.assert_allclose(stored["embeddings"], [second], atol=1e-6)
    capsys.readouterr()
    flags = ["--model=color", "--signature=verify", f"--faces={photos / 'upright.png'}"]
    query(
        tool, server, *flags, f"--against={photos / 'turned.jpg'}", "--detect", f"--export={folder / 'color'}", "--json"
    )
    assert json.loads(capsys.readouterr().out)["similarity"] > 0.999
    error = refused(tool("query_serving"), *address(server), *flags, f"--against={photos / 'turned.jpg'}")
    assert "turned.jpg is a whole photo" in error


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("rule", [DecisionRule(), DecisionRule(threshold=0.45)], ids=["fpir", "given"])
def test_decisions_are_those_of_the_local_recognizer(
    tool: Tool, server: StandIn, folder: Path, faces: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch, name: str, rule: DecisionRule,
) -> None:  # fmt: skip
    given = [] if rule.threshold is None else [f"--threshold={rule.threshold}"]
    Image.new("RGB", (16, 16), (100, 95, 96)).save(faces / "5.png")  # a stranger
    flags = [f"--model={name}", "--as_pixels", f"--faces={faces}", *given]
    monkeypatch.setenv("LRFR_TF_MODELS", str(folder))  # the export is found by its name
    query(tool, server, *flags, "--json")
    printed = capsys.readouterr()
    lines = [json.loads(line) for line in printed.out.splitlines()]
    local = identifier_of_classifier(str(folder / name), None, rule)  # type: ignore[arg-type]
    matches = [one.match for one in local.identify_crops([read_image(faces / line["face"]) for line in lines])]
    found = [(line["decision"], line["name"], line["threshold"], line["decided_by"]) for line in lines]
    assert found == [(m.decision, m.name, m.threshold, json.loads(json.dumps(m.rule.as_json()))) for m in matches]
    assert {line["decision"] for line in lines} == ({"unknown"} if name == "open" else {"known", "unknown"})
    assert local.threshold.in_words() in printed.err
    query(tool, server, *flags)
    assert capsys.readouterr().out.splitlines()[1].split()[1] == matches[0].decision


def test_without_the_export_nobody_can_say(
    tool: Tool, server: StandIn, folder: Path, faces: Path, capsys: pytest.CaptureFixture[str], refused: Refused
) -> None:
    flags = ["--model=templates", "--as_pixels", f"--faces={faces / '0.png'}", "--json"]
    query(tool, server, *flags)
    printed = capsys.readouterr()
    line = json.loads(printed.out)
    assert (line["decision"], line["name"], line["threshold"]) == ("cannot_say", None, None)
    assert "nobody can say here: templates holds no export of version 1" in printed.err
    query(tool, server, *flags, "--threshold=0.5")
    line = json.loads(capsys.readouterr().out)
    assert (line["decision"], line["name"], line["decided_by"]["rule"]) == ("known", "Mr Grün", "given")
    query(tool, server, *flags, f"--export={folder / 'templates' / '1'}")
    assert json.loads(capsys.readouterr().out)["decided_by"]["rule"] == "fpir"
    error = refused(tool("query_serving"), *address(server), *flags, f"--export={folder / 'color'}")
    assert "is another model than templates of the server" in error
