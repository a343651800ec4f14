"""tools/evaluate_tinyface.py on a look-alike, against sorting the whole gallery for each probe."""

import functools
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from lrfr_tf.benchmarks import benchmark_result, embed_crops
from lrfr_tf.data.landmarks import read_landmarks, write_landmarks
from lrfr_tf.faces.align import align_face
from lrfr_tf.files import read_json
from lrfr_tf.networks.embedders import KerasEmbedder
from lrfr_tf.networks.embedding import Embedder
from tests.cli.conftest import Refused, Tool
from tests.survface_by_code import made_up, write_tinyface
from tests.tools.small_runs import small_embedder

Table = dict[str, np.ndarray]


def stand_in(model: str = "", weights: Path | None = None, backbone: str = "") -> Embedder:
    return small_embedder()


@pytest.fixture(scope="module")
def tree(portrait: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tinyface(tmp_path_factory.mktemp("tiny") / "TinyFace" / "tinyface", made_up(portrait)).parent


@functools.cache
def judge() -> Embedder:
    return small_embedder()


def embedded(path: Path, alignment: str, table: Table | None = None) -> np.ndarray:
    with Image.open(path) as file:
        image = file.convert("RGB")
    points = None if table is None else table.get(f"{path.parent.name}/{path.name}")
    if points is not None:
        return judge().embed([align_face(np.asarray(image), points)])[0]
    if alignment == "pad":
        side = max(image.size)
        left, top = (side - image.width) // 2, (side - image.height) // 2
        image = ImageOps.expand(image, (left, top, side - image.width - left, side - image.height - top), fill=0)
        assert image.width == image.height
    wide = image.resize((128, image.height), Image.Resampling.BICUBIC)
    return judge().embed([np.asarray(wide.resize((128, 128), Image.Resampling.BICUBIC))])[0]


def ranks_by_sorting(tree: Path, alignment: str, distractors: bool, table: Table | None = None) -> np.ndarray:
    """Distractors are called -100, as in the data set's own script; who somebody is, the name says."""
    tests = tree / "tinyface" / "Testing_Set"
    gallery, names = [], []
    for path in (tests / "Gallery_Match").iterdir():
        gallery.append(embedded(path, alignment, table))
        names.append(int(path.name.split("_")[0]))
    for path in (tests / "Gallery_Distractor").iterdir() if distractors else ():
        gallery.append(embedded(path, alignment, table))
        names.append(-100)
    ranks = []
    for path in (tests / "Probe").iterdir():
        distances = np.linalg.norm(np.stack(gallery) - embedded(path, alignment, table), axis=1)
        ordered = np.array(names)[np.argsort(distances)]
        ranks.append(1 + np.flatnonzero(ordered == int(path.name.split("_")[0]))[0])
    return np.array(ranks)


@pytest.mark.parametrize("alignment", ["none", "pad"])
def test_figures_are_those_of_sorting(
    tool: Tool, tree: Path, tmp_path: Path, alignment: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    module = tool("evaluate_tinyface")
    monkeypatch.setattr(benchmark_result, "load_embedder", stand_in)
    monkeypatch.setattr(embed_crops, "EMBED_AT_ONCE", 7)
    output = tmp_path / "result.json"
    module.main(module.Config(model="facenet", data=str(tree), output=str(output), alignment=alignment))
    result = read_json(output)
    ranks, without = ranks_by_sorting(tree, alignment, True), ranks_by_sorting(tree, alignment, False)
    metrics = result["identification"]
    for k in (1, 5, 10, 20):
        assert metrics[f"rank_{k}"] == pytest.approx(np.mean(ranks <= k))
    assert metrics["rank_1_without_distractors"] == pytest.approx(np.mean(without == 1))
    assert 0 < metrics["rank_1"] < metrics["rank_20"]
    assert metrics["rank_1"] < metrics["rank_1_without_distractors"]
    assert result["counts"] == {
        "probes": 12, "gallery": 12, "distractors": 40, "identities": 8, "names_that_disagree": 0,
    }  # fmt: skip
    assert f"Alignment '{alignment}'" in result["protocol"]
    assert (tmp_path / "result.cmc.png").read_bytes().startswith(b"\x89PNG")
    printed = capsys.readouterr().out
    assert f"{100 * metrics['rank_5']:.2f}" in printed
    assert "64.62" in printed  # a published row
    assert "not TinyFace's protocol" not in printed


def test_faces_with_landmarks_are_aligned(
    tool: Tool, refused: Refused, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tool("evaluate_tinyface")
    monkeypatch.setattr(benchmark_result, "load_embedder", stand_in)
    random = np.random.default_rng(0)
    rows = {}
    for path in sorted((tree / "tinyface" / "Testing_Set").rglob("*.jpg")):
        if random.random() < 0.8:
            with Image.open(path) as file:
                side = np.array(file.size)
            points = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]]) * side
            rows[f"{path.parent.name}/{path.name}"] = points + random.normal(0, 0.5, (5, 2))
    write_landmarks(tmp_path / "tinyface.csv", rows)
    flags = {"model": "facenet", "data": str(tree), "alignment": "pad", "landmarks": str(tmp_path / "tinyface.csv")}
    module.main(module.Config(output=str(tmp_path / "result.json"), **flags))
    result = read_json(tmp_path / "result.json")
    ranks = ranks_by_sorting(tree, "pad", True, read_landmarks(tmp_path / "tinyface.csv"))
    assert 0 < len(rows) < 64
    assert result["counts"]["images_without_landmarks"] == 64 - len(rows)
    for k in (1, 5, 10, 20):
        assert result["identification"][f"rank_{k}"] == pytest.approx(np.mean(ranks <= k))
    assert (ranks != ranks_by_sorting(tree, "pad", True)).any()
    assert "Aligned by five landmarks on the template 'lai'" in result["protocol"]
    assert "in the middle of a black square" in result["protocol"]
    write_landmarks(tmp_path / "others.csv", {"Probe/nobody.jpg": points})
    flags["landmarks"] = str(tmp_path / "others.csv")
    message = refused(module, *(f"--{name}={value}" for name, value in flags.items()), f"--output={tmp_path}/no.json")
    assert "holds no landmarks of any of the 64 photos" in message
    write_landmarks(tmp_path / "others.csv", {next(iter(rows)): np.ones((5, 2))})
    message = refused(module, *(f"--{name}={value}" for name, value in flags.items()), f"--output={tmp_path}/no.json")
    assert "are no face: [[1.0, 1.0]" in message
    assert not (tmp_path / "no.json").exists()


def test_without_distractors_it_is_not_the_protocol(
    tool: Tool, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = tool("evaluate_tinyface")
    monkeypatch.setattr(benchmark_result, "load_embedder", stand_in)
    output = tmp_path / "result.json"
    module.main(module.Config(model="facenet", data=str(tree), output=str(output), no_distractors=True))
    result = read_json(output)
    assert result["identification"]["rank_1"] == pytest.approx(np.mean(ranks_by_sorting(tree, "none", False) == 1))
    assert "not TinyFace's protocol" in capsys.readouterr().out
    assert "not TinyFace's protocol" in result["protocol"]


def test_a_network_without_numbers_is_no_network(
    tool: Tool, refused: Refused, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(KerasEmbedder):
        def embed(self, faces: object) -> np.ndarray:
            return super().embed(faces) * np.nan  # type: ignore[arg-type]

    module = tool("evaluate_tinyface")
    monkeypatch.setattr(benchmark_result, "load_embedder", lambda *_: Broken(small_embedder().network, "broken"))
    flags = ("--model=facenet", f"--data={tree}", f"--output={tmp_path}/out/result.json")
    assert "1_2.jpg an embedding that is not a number" in refused(module, *flags)
    assert not (tmp_path / "out").exists()


def test_mistakes_leave_nothing(tool: Tool, refused: Refused, tree: Path, tmp_path: Path) -> None:
    module = tool("evaluate_tinyface")
    output = f"--output={tmp_path}/out/result.json"
    assert "/nowhere is missing" in refused(module, "--model=facenet", "--data=/nowhere", output)
    assert "holds no Testing_Set" in refused(module, "--model=facenet", f"--data={tmp_path}", output)
    assert "takes none, pad" in refused(module, "--model=facenet", f"--data={tree}", output, "--alignment=crop")
    assert "is a folder" in refused(module, "--model=facenet", f"--data={tree}", f"--output={tmp_path}")
    assert not (tmp_path / "out").exists()
