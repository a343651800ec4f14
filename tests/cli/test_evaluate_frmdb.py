"""tools/evaluate_frmdb.py on a look-alike, against ranks by hand; and the difference to a baseline."""

import json
from pathlib import Path

import numpy as np
import pytest

from lrfr_tf.benchmarks.frmdb import find_frmdb
from lrfr_tf.files import read_json
from tests.cli.conftest import Refused, Tool
from tests.frmdb_by_code import CAMERAS, write_frmdb
from tests.tools.small_embedders import embed_by_hand, pillow, write_small_embedder


@pytest.fixture(scope="module")
def tree(portrait: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_frmdb(tmp_path_factory.mktemp("faces") / "frmdb", portrait)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_embedder(tmp_path_factory.mktemp("models") / "small")


def measure(tool: Tool, model: Path, tree: Path, output: Path, **flags: object) -> dict:
    module = tool("evaluate_frmdb")
    module.main(module.Config(model=str(model), data=str(tree), output=str(output), **flags))
    return read_json(output)


def test_ranks_as_by_hand(tool: Tool, model: Path, tree: Path, tmp_path: Path) -> None:
    result = measure(tool, model, tree, tmp_path / "result.json", sizes=("native", "12"))
    images = find_frmdb(tree)
    gallery = np.stack([embed_by_hand(face) for face in images.aligned(images.mugshots, "centred", 112)])
    faces = images.aligned(images.probes, "centred", 112)
    shrunk = np.stack([pillow(pillow(face, 12, 12), 112, 112) for face in faces])
    for size, seen in (("native", faces), ("12", shrunk)):
        right = np.array([gallery @ embed_by_hand(face) for face in seen]).argmax(1) == images.labels
        row = result["sizes"][size]
        assert row["rank_1"] == pytest.approx(right.mean())
        assert row["cameras"]["5"] == pytest.approx(right[images.cameras == 5].mean())
        assert row["interval_95"][0] <= row["rank_1"] <= row["interval_95"][1]
    mean = (result["sizes"]["native"]["rank_1"] + result["sizes"]["12"]["rank_1"]) / 2
    assert result["sizes"]["mean"]["rank_1"] == pytest.approx(mean)
    assert result["counts"] == {"persons": len(CAMERAS), "probes": len(images.probes)}
    assert result["difference_to_baseline"] is None


def test_difference_to_a_baseline(
    tool: Tool, model: Path, tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], refused: Refused
) -> None:
    output = tmp_path / "result.json"
    result = measure(tool, model, tree, output)
    same = measure(tool, model, tree, tmp_path / "same.json", baseline=str(output))["difference_to_baseline"]
    assert list(same) == ["native", "24", "16", "12", "mean", "16 and 12"]
    assert all(row == {"mean": 0.0, "interval_95": [0.0, 0.0]} for row in same.values())
    # A baseline that is always wrong: the difference is our own rank-1.
    wrong = {size: row | {"correct": "0000"} for size, row in result["sizes"].items()}
    (tmp_path / "wrong.json").write_text(json.dumps(result | {"sizes": wrong}))
    found = measure(tool, model, tree, tmp_path / "new.json", baseline=str(tmp_path / "wrong.json"))
    for size in ("native", "12", "mean"):
        assert found["difference_to_baseline"][size]["mean"] == pytest.approx(result["sizes"][size]["rank_1"])
    assert "16 and 12" in capsys.readouterr().out
    flags = (f"--model={model}", f"--data={tree}", f"--output={tmp_path / 'x.json'}")
    (tmp_path / "wrong.json").write_text(json.dumps(result | {"probes": ["001/cam1.jpg"]}))
    assert "other photos" in refused(tool("evaluate_frmdb"), *flags, f"--baseline={tmp_path / 'wrong.json'}")
    (tmp_path / "wrong.json").write_text("[]")
    assert "no result of lrfr evaluate frmdb" in refused(
        tool("evaluate_frmdb"), *flags, f"--baseline={tmp_path / 'wrong.json'}"
    )
    assert "each is native, or 1 to 112" in refused(tool("evaluate_frmdb"), *flags, "--sizes=113")
