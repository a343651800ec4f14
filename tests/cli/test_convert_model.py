"""The conversion on the command line: files, record, table, refusals."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lrfr_tf.files import read_json
from lrfr_tf.main import run
from tests.cli.conftest import Refused, Tool
from tests.conftest import ROOT
from tests.faces_by_code import write_people
from tests.small_convertible import write_small_backbone, write_small_generator


@pytest.fixture(scope="module")
def people(portrait: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("people")
    write_people(root, portrait, {"5": 2, "10": 2, "1": 2, "2": 2}, size=64)
    return root


def test_files_record_and_table(people: Path, tool: Tool, tmp_path: Path, capsys: Any) -> None:
    for package in ("tf2onnx", "onnxruntime", "ai_edge_litert"):
        pytest.importorskip(package)
    model = write_small_generator(tmp_path / "run" / "model")
    document = tmp_path / "table.md"
    document.write_text("before\n<!-- forms of small -->\n<!-- end of forms of small -->\nafter\n")
    flags = [f"--model={model}", "--to=onnx,tflite_float16,tflite_int8", f"--output={tmp_path}/out/small"]
    flags += [f"--faces={people}", f"--calibration_faces={people}", "--rounds=1", f"--document={document}"]
    convert = tool("convert_model")
    run(convert.main, convert.Config, ["script", *flags, f"--contact_sheet={tmp_path}/sheet.png"])
    output = capsys.readouterr()
    assert output.err == ""
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "small.float16.tflite", "small.int8.tflite", "small.json", "small.onnx"
    ]  # fmt: skip
    record = read_json(tmp_path / "out" / "small.json")
    assert list(record["forms"]) == ["onnx", "tflite_float16", "tflite_int8"]
    for form in record["forms"].values():
        (file,) = form["files"]
        assert file["bytes"] == (tmp_path / "out" / file["file"]).stat().st_size
        assert form["faces"] == 4
    assert record["forms"]["onnx"]["largest_levels"] <= 1
    assert "| tflite_int8 | " in output.out
    assert "in float32 in " in output.out
    assert "| onnx | " in document.read_text()
    assert (tmp_path / "sheet.png").is_file()


def test_mistakes_are_refused_and_leave_nothing(people: Path, tool: Tool, refused: Refused, tmp_path: Path) -> None:
    convert = tool("convert_model")
    model = write_small_backbone(tmp_path / "run" / "model")
    given = [f"--model={model}", f"--output={tmp_path}/out/small"]
    assert "--to=coreml is not known" in refused(convert, *given, "--to=coreml")
    pytest.importorskip("ai_edge_litert")
    assert "--to=tflite_int8 needs --calibration_faces" in refused(convert, *given, "--to=tflite_int8")
    half = [*given, "--to=tflite_float16"]
    assert "--pairs needs --faces" in refused(convert, *half, "--pairs=pairs.txt")
    assert "--landmarks aligns the photos of --pairs" in refused(convert, *half, "--landmarks=x.csv")
    assert "nothing.md is missing" in refused(convert, *half, f"--document={tmp_path}/nothing.md")
    assert "does not exist" in refused(convert, *half, f"--faces={tmp_path}/nobody")
    generator = write_small_generator(tmp_path / "other" / "model")
    flags = [f"--model={generator}", "--to=tflite_float16", f"--output={tmp_path}/out/small", f"--faces={people}"]
    assert "--pairs is for embedders" in refused(convert, *flags, "--pairs=pairs.txt")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("form", "package", "extra"),
    [("onnx", "tf2onnx", "onnx"), ("onnx", "onnxruntime", "onnx"), ("tflite_float16", "ai_edge_litert", "tflite")],
)
def test_a_missing_extra_is_named(
    form: str, package: str, extra: str, tool: Tool, refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    if package == "ai_edge_litert":
        monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    message = refused(tool("convert_model"), "--model=x", f"--to={form}", f"--output={tmp_path}/out")
    assert f"pip install 'lrfr-tf[{extra}]'" in message


@pytest.mark.slow
def test_the_shipped_generator_in_all_forms(tool: Tool, tmp_path: Path, capsys: Any) -> None:
    for package in ("tf2onnx", "onnxruntime", "ai_edge_litert"):
        pytest.importorskip(package)
    convert = tool("convert_model")
    flags = [f"--model={ROOT / 'saved_models' / 'srgan'}", f"--output={tmp_path}/srgan", "--rounds=1"]
    run(convert.main, convert.Config, ["script", *flags, "--to=onnx,tflite_float16"])
    assert "note: without --faces, 16 synthetic faces" in capsys.readouterr().out
    forms = read_json(tmp_path / "srgan.json")["forms"]
    for form, psnr in (("onnx", 80), ("tflite_float16", 55)):
        near = forms[form]["psnr_to_reference"]
        assert near is None or near > psnr
        assert forms[form]["largest_levels"] <= 1
