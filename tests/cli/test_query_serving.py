"""The tool as a user calls it, against the stand-in server: answers, files written, and every refusal in a sentence."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lrfr_tf.images.decode import read_image
from lrfr_tf.main import run
from lrfr_tf.tf_serving import client
from tests.cli.conftest import Refused, Tool
from tests.tf_serving.small_models import PERSONS, save_classifier, save_half_plus_three
from tests.tf_serving.stand_in import StandIn

SRGAN = Path(__file__).parents[2] / "saved_models" / "srgan"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    folder = tmp_path_factory.mktemp("served")
    classifier = save_classifier(folder / "classifier")
    plain = save_half_plus_three(folder / "half_plus_three")
    with StandIn({"classifier": classifier, "srgan": SRGAN, "half_plus_three": plain}) as server:
        yield server


@pytest.fixture
def server(running: StandIn, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    monkeypatch.setattr(client, "FIRST_RETRY_SECONDS", 0.0)
    running.reset()
    return running


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One face of each person, in files of all kinds, one of them below."""
    folder = tmp_path_factory.mktemp("faces")
    (folder / "more").mkdir()
    colors = list(PERSONS.values())
    for name, color in (("a.png", 0), ("b.bmp", 1), ("more/c.jpg", 2), ("more/d.webp", 1)):
        Image.new("RGB", (16, 16), colors[color]).save(folder / name)
    Image.new("L", (16, 16), 40).save(folder / "e.pgm")
    (folder / "notes.txt").write_text("no face")
    (folder / ".hidden.png").write_bytes(b"no")
    return folder


def query(tool: Tool, server: StandIn, *flags: str) -> None:
    module = tool("query_serving")
    grpc = "--protocol=grpc" in flags
    address = ["--host=127.0.0.1", f"--port={server.grpc_port if grpc else server.rest_port}"]
    run(module.main, module.Config, ["script", *address, *flags])


WAYS = [("--protocol=rest",), ("--protocol=rest", "--rest_form=rows", "--as_pixels"), ("--protocol=grpc", "--batch=2")]


@pytest.mark.parametrize("way", WAYS, ids=" ".join)
def test_identities_are_printed(
    tool: Tool, server: StandIn, faces: Path, capsys: pytest.CaptureFixture[str], way: tuple[str, ...]
) -> None:
    query(tool, server, "--model=classifier", f"--faces={faces}", "--json", *way)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    best = {line["face"]: line["identity"][0] for line in lines}
    assert list(best) == ["a.png", "b.bmp", "e.pgm", "more/c.jpg", "more/d.webp"]
    del best["e.pgm"]  # grey
    zoe = list(PERSONS)[2]
    assert best == {"a.png": "red", "b.bmp": "green", "more/c.jpg": zoe, "more/d.webp": "green"}
    decision = {"decision", "name", "threshold", "decided_by"}
    assert all(line.keys() == {"face", "identity", "score"} | decision for line in lines)
    assert all(line["score"] == sorted(line["score"], reverse=True) for line in lines)


def test_a_table_for_people(tool: Tool, server: StandIn, faces: Path, capsys: pytest.CaptureFixture[str]) -> None:
    query(tool, server, "--model=classifier", f"--faces={faces / 'a.png'}")
    out = capsys.readouterr().out.splitlines()
    assert out[0].split() == ["face", "decision", "threshold", "identity", "score,", "best", "first"]
    assert out[1].split()[:5] == ["a.png", "cannot", "say", "-", "red"]
    assert float(out[1].split()[5]) > 0.9
    assert len(out) == 2


@pytest.mark.parametrize("protocol", ["rest", "grpc"])
def test_pictures_are_written(tool: Tool, server: StandIn, faces: Path, tmp_path: Path, protocol: str) -> None:
    output = tmp_path / "large"
    flags = ["--model=srgan", "--signature=super_resolve_bytes", f"--faces={faces}", f"--output={output}"]
    query(tool, server, *flags, f"--protocol={protocol}")
    written = sorted(path.relative_to(output).as_posix() for path in output.rglob("*.png"))
    assert written == ["a.png", "b.png", "e.png", "more/c.png", "more/d.png"]
    function = server.loaded["srgan"][1].signatures["super_resolve"]
    import tensorflow as tf

    expected = function(images=tf.constant(read_image(faces / "a.png")[None]))["images"].numpy()[0]
    np.testing.assert_array_equal(read_image(output / "a.png"), expected)


def test_what_the_server_cannot_read_is_made_readable(
    tool: Tool, server: StandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A rotated JPEG and a WebP go as PNG, everything else as it is."""
    turned = Image.new("RGB", (24, 16), (220, 40, 40))
    turned.paste((40, 220, 40), (0, 0, 8, 16))
    exif = Image.Exif()
    exif[0x0112] = 6  # must be turned clockwise to stand upright
    turned.save(tmp_path / "a.jpg", exif=exif, quality=95)
    turned.save(tmp_path / "b.jpg", quality=95)
    turned.save(tmp_path / "c.webp", lossless=True)
    query(tool, server, "--model=classifier", f"--faces={tmp_path}")
    (seen,) = server.seen
    from base64 import b64decode

    sent = [b64decode(file["b64"]) for file in seen[2]["inputs"]["image_bytes"]]
    assert sent[1] == (tmp_path / "b.jpg").read_bytes()
    assert all(data.startswith(b"\x89PNG") for data in (sent[0], sent[2]))
    upright = np.asarray(Image.open(io.BytesIO(sent[0])))
    assert upright.shape == (24, 16, 3)
    assert upright[2].mean(axis=0).argmax() == 1  # the green end is up
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(sent[2]))), np.asarray(turned))


def test_a_busy_server_is_asked_again(
    tool: Tool, server: StandIn, faces: Path, capsys: pytest.CaptureFixture[str], refused: Refused
) -> None:
    busy = ("UNAVAILABLE", "The batch scheduling queue to which this task was submitted is full")
    for protocol in ("rest", "grpc"):
        server.faults = [busy, busy]
        query(tool, server, "--model=classifier", f"--faces={faces / 'a.png'}", f"--protocol={protocol}")
        assert " red " in capsys.readouterr().out
        assert not server.faults
    server.faults = [busy] * 3
    flags = ["--host=127.0.0.1", f"--port={server.rest_port}", "--model=classifier", f"--faces={faces}", "--retries=2"]
    assert "is not available: The batch scheduling queue" in refused(tool("query_serving"), *flags)


def test_one_bad_face_is_found_among_good_ones(
    tool: Tool, server: StandIn, tmp_path: Path, refused: Refused, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.png", "b.png", "c.png"):
        Image.new("RGB", (16, 16), (220, 40, 40)).save(tmp_path / name)
    whole = (tmp_path / "b.png").read_bytes()
    (tmp_path / "b.png").write_bytes(whole[:-30])
    told = f"{tmp_path / 'b.png'} is refused by classifier: Invalid PNG data, size {len(whole) - 30}."
    for protocol, port in (("rest", server.rest_port), ("grpc", server.grpc_port)):
        flags = ["--cropped", "--model=classifier", f"--protocol={protocol}", "--host=127.0.0.1", f"--port={port}"]
        query(tool, server, *flags, f"--faces={tmp_path}", "--json")
        printed = capsys.readouterr()
        lines = {line["face"]: line for line in map(json.loads, printed.out.splitlines())}
        assert [lines[name]["identity"][0] for name in ("a.png", "c.png")] == ["red", "red"]
        assert lines["b.png"] == {"face": "b.png", "error": told}
        assert f"note: {told}" in printed.err
        # The only face of all is the command's error.
        assert refused(tool("query_serving"), *flags, f"--faces={tmp_path / 'b.png'}") == f"error: {told}"
    # A neighbor's bad face failed the request: each face alone is answered.
    (tmp_path / "b.png").write_bytes(whole)
    server.faults = [("INVALID_ARGUMENT", "An image is refused")]
    query(tool, server, "--model=classifier", f"--faces={tmp_path}", "--json")
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_a_request_larger_than_the_server_takes(tool: Tool, server: StandIn, faces: Path, refused: Refused) -> None:
    server.faults = [("INVALID_ARGUMENT", "Task size 5 is larger than maximum input batch size 4")]
    error = refused(
        tool("query_serving"), "--host=127.0.0.1", f"--port={server.rest_port}", "--model=classifier",
        f"--faces={faces}",
    )  # fmt: skip
    assert "takes smaller requests" in error
    assert "lower --batch" in error


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--faces=FACES/none"], "none is missing"),
        (["--faces=FACES/empty"], "holds no image"),
        (["--faces=FACES/notes.txt"], "notes.txt is not an image that is known here"),
        (["--signature=embed"], "--output is needed for embed"),
        (["--output=x.npz"], "no other writes files"),
        (["--signature=embed", "--output=FACES"], "should be an .npz file"),
        (["--signature=super_resolve", "--output=FACES"], "is there already"),
        (["--signature=verify"], "needs --against"),
        (["--against=FACES/a.png"], "needs --against"),
        (["--signature=verify", "--against=FACES"], "is not a file"),
        (["--signature=detect"], "--signature=detect is not known"),
        (["--signature=identify_bytes", "--as_pixels"], "takes files"),
        (["--detect", "--cropped"], "--detect is for whole photos and --cropped for crops"),
        (["--detect"], "--detect must know how classifier wants its faces"),
        (["--fpir=0.1", "--threshold=0.5"], "Give one of --fpir, --far and --threshold"),
        (["--signature=embed", "--output=x.npz", "--far=0.1"], "only with --signature=identify"),
        (["--fpir=2"], "The FPIR is 2.0"),
        (["--export=FACES/none"], "none holds no export of version 1"),
        (["--min_face_size=1"], "--min_face_size=1 is out of range"),
        (["--port=70000"], "--port=70000 is no port"),
        (["--port=-1"], "--port=-1 is no port"),
        (["--timeout=nan"], "--timeout=nan is out of range"),
        (["--model=nobody"], "does not serve nobody"),
        (["--version=2"], "Specific(classifier, 2)"),
        (["--signature=embed", "--output=FACES/e.npz"], "has no signature embed_bytes; it has identify, identify_byt"),
        (["--host=http://127.0.0.1"], "cannot be reached"),
        (["--model=srgan", "--signature=super_resolve", "--as_pixels", "--faces=FACES/large.png", "--output=FACES/x"],
         "large.png has 20 x 18 pixels, but super_resolve takes 16 x 16"),
        (["--model=srgan", "--signature=super_resolve", "--faces=FACES/same", "--output=FACES/x"],
         "Two of the faces would be written to a.png"),
    ],
)  # fmt: skip
def test_user_mistakes(
    tool: Tool, server: StandIn, faces: Path, tmp_path: Path, refused: Refused, flags: list[str], words: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "same").mkdir()
    (tmp_path / "notes.txt").write_text("no face")
    Image.new("RGB", (20, 18)).save(tmp_path / "large.png")
    for name in ("a.png", "same/a.png", "same/a.bmp"):
        Image.new("RGB", (16, 16)).save(tmp_path / name)
    before = sorted(tmp_path.rglob("*"))
    usual = ["--host=127.0.0.1", f"--port={server.rest_port}", "--model=classifier", f"--faces={tmp_path / 'a.png'}"]
    given = [flag.replace("FACES", str(tmp_path)) for flag in flags]
    assert words in refused(tool("query_serving"), *usual, *given)
    assert sorted(tmp_path.rglob("*")) == before


def test_nothing_is_written_after_an_error(tool: Tool, server: StandIn, faces: Path, tmp_path: Path) -> None:
    for verb, model, output in (("super_resolve", "srgan", "large"), ("super_resolve_bytes", "srgan", "again")):
        server.faults = [("INTERNAL", "broken")] * 10
        with pytest.raises(SystemExit) as stopped:
            query(tool, server, f"--model={model}", f"--signature={verb}", f"--faces={faces}", "--batch=2",
                  f"--output={tmp_path / output}")  # fmt: skip
        assert stopped.value.code == 2
    assert not list(tmp_path.iterdir())
