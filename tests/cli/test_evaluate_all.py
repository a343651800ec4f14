"""tools/evaluate_all.py on a look-alike of the whole folder: what is there runs, what fails or is absent is said."""

import shutil
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from lrfr_tf.benchmarks import benchmark_result
from lrfr_tf.benchmarks.survface.benchmark import SurvFaceBenchmark
from lrfr_tf.data.landmarks import write_landmarks
from lrfr_tf.files import read_json
from lrfr_tf.networks.embedding import Embedder
from tests.cli.conftest import Refused, Tool
from tests.faces_by_code import person
from tests.survface_by_code import made_up, write_survface_identification, write_survface_verification, write_tinyface
from tests.tools.small_runs import small_embedder

# Where the landmarks of `person` are in an image of 96 pixels, roughly: eyes, nose, corners of the mouth.
LANDMARKS = np.array([[30.0, 45.0], [62.0, 45.0], [46.0, 62.0], [34.0, 76.0], [60.0, 76.0]])
PERSONS = ("Ann_Example", "Bob_Example", "Cat_Example", "Dan_Example")


def save(path: Path, face: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(face).save(path, format="JPEG", quality=95)


def write_lfw(folder: Path, portrait: np.ndarray) -> None:
    rows = {}
    for identity, name in enumerate(PERSONS):
        for photo in (1, 2):
            relative = f"{name}/{name}_{photo:04d}.jpg"
            save(folder / "lfw" / relative, person(portrait, identity, photo))
            rows[relative] = LANDMARKS
    write_landmarks(folder / "LFW.csv", rows)
    lines = ["2\t2"]
    for one, other in ((0, 1), (2, 3)):
        lines += [f"{PERSONS[one]}\t1\t2", f"{PERSONS[other]}\t1\t2"]
        lines += [f"{PERSONS[one]}\t1\t{PERSONS[other]}\t2", f"{PERSONS[other]}\t1\t{PERSONS[one]}\t2"]
    (folder / "pairs.txt").write_text("\n".join(lines) + "\n")


def write_scface(folder: Path, landmarks: Path, portrait: np.ndarray) -> None:
    tables: dict[str, dict[str, np.ndarray]] = {f"distance{distance}": {} for distance in (1, 2, 3)} | {"mugshot": {}}
    for identity in (1, 2, 3):
        name = f"mugshot_frontal_original_all/{identity:03d}_frontal.JPG"
        save(folder / "SCface_database" / name, person(portrait, identity, 0))
        tables["mugshot"][name] = LANDMARKS
        for camera in range(1, 6):
            for distance in (1, 2, 3):
                name = f"surveillance_cameras_all/{identity:03d}_cam{camera}_{distance}.jpg"
                size = 24 * distance
                save(folder / "SCface_database" / name, person(portrait, identity, 10 * camera + distance, size))
                tables[f"distance{distance}"][name] = LANDMARKS * size / 96
    for table, rows in tables.items():
        write_landmarks(landmarks / f"scface_{table}.csv", rows)


@pytest.fixture(scope="module")
def datasets(portrait: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree of the README; SurvFace is nested once more, and the letter case is not the README's everywhere."""
    root = tmp_path_factory.mktemp("all") / "Datasets"
    write_lfw(root / "lfw", portrait)
    write_scface(root / "SCface", root / "SCface", portrait)
    write_survface_verification(root / "QMUL-SurvFace" / "QMUL-SurvFace", made_up(portrait))
    write_survface_identification(root / "QMUL-SurvFace" / "QMUL-SurvFace", made_up(portrait))
    write_tinyface(root / "tinyface", made_up(portrait))
    (root / "VGGFace2").mkdir()
    return root


@pytest.fixture
def evaluate_all(tool: Tool, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The tool, with the stand-in for the model in all four tools that it starts."""

    def stand_in(model: str = "", weights: Path | None = None, backbone: str = "") -> Embedder:
        return small_embedder()

    module = tool("evaluate_all")
    monkeypatch.setattr(benchmark_result, "load_embedder", stand_in)
    return module


def test_all_benchmarks_run_and_one_table_holds_their_figures(
    evaluate_all: ModuleType, datasets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "results"
    evaluate_all.main(evaluate_all.Config(model="facenet", data_root=str(datasets), output=str(output)))
    summary = read_json(output / "summary.json")
    assert {name: row["status"] for name, row in summary["benchmarks"].items()} == dict.fromkeys(
        ("lfw", "scface", "survface", "tinyface"), "measured"
    )
    results = {name: read_json(output / f"{name}.json") for name in summary["benchmarks"]}
    figures = {name: row["figures"] for name, row in summary["benchmarks"].items()}
    assert figures["lfw"]["8 px"] == pytest.approx(100 * results["lfw"]["sizes"]["8"]["accuracy"])
    assert figures["scface"]["distance 2, rank-1"] == pytest.approx(100 * results["scface"]["distances"]["2"]["rank_1"])
    survface = results["survface"]
    assert figures["survface"]["TAR at FAR 0.1 %"] == pytest.approx(
        100 * survface["verification"]["tar_at_far"]["0.001"]
    )
    assert figures["survface"]["TPIR20 at FPIR 30 %"] == pytest.approx(
        100 * survface["identification"]["tpir20_at_fpir"]["0.3"]
    )
    assert figures["tinyface"]["rank-20"] == pytest.approx(100 * results["tinyface"]["identification"]["rank_20"])
    text = (output / "summary.md").read_text()
    assert f"| tinyface | rank-20 | {figures['tinyface']['rank-20']:.2f} |" in text
    assert results["lfw"]["config"]["landmarks"].endswith("LFW.csv")  # so MTCNN was not asked
    assert results["scface"]["config"]["landmarks"].endswith("SCface")
    assert text.split("\n\n")[1] in capsys.readouterr().out


def test_what_is_absent_is_said_and_no_failure(evaluate_all: ModuleType, datasets: Path, tmp_path: Path) -> None:
    root = tmp_path / "Datasets"
    shutil.copytree(datasets / "tinyface", root / "TinyFace" / "tinyface")
    probe = next((root / "TinyFace/tinyface/Testing_Set/Probe").iterdir())
    write_landmarks(root / "TinyFace" / "TinyFace.csv", {f"Probe/{probe.name}": LANDMARKS / 5})
    part = root / "qmul-survface"
    name = "Face_Verification_Test_Set"
    shutil.copytree(datasets / "QMUL-SurvFace" / "QMUL-SurvFace" / name, part / name)
    output = tmp_path / "results"
    evaluate_all.main(evaluate_all.Config(model="facenet", data_root=str(root), output=str(output), flip=True))
    rows = read_json(output / "summary.json")["benchmarks"]
    assert rows["lfw"] == {"status": "absent", "reason": f"{root}/LFW is missing.", "figures": {}}
    assert rows["scface"]["status"] == "absent"
    assert (rows["survface"]["status"], rows["tinyface"]["status"]) == ("measured", "measured")
    assert "TPIR20 at FPIR 30 %" not in rows["survface"]["figures"]
    tinyface = read_json(output / "tinyface.json")
    assert tinyface["config"]["flip"] is True
    assert tinyface["config"]["landmarks"] == str(root / "TinyFace" / "TinyFace.csv")
    assert tinyface["counts"]["images_without_landmarks"] == 63
    text = (output / "summary.md").read_text()
    assert f"- lfw: absent ({root}/LFW is missing.)" in text
    # Published rows stand beside what was measured, and only beside that.
    assert "## tinyface: published" in text
    assert "| rank-1: 72.29, rank-5: 74.8 | other protocol: " in text
    assert "## lfw" not in text


def test_one_failure_does_not_stop_the_others(
    evaluate_all: ModuleType, refused: Refused, datasets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Path(shutil.copytree(datasets, tmp_path / "Datasets"))
    shutil.rmtree(root / "SCface")
    (root / "lfw" / "pairs.txt").unlink()
    (root / "tinyface" / "Testing_Set" / "probe_img_ID_pairs.mat").unlink()
    output = tmp_path / "results"
    monkeypatch.setattr(SurvFaceBenchmark, "table", lambda *_: 1 / 0)  # a defect of ours
    flags = ("--model=facenet", f"--data_root={root}", f"--output={output}")
    with monkeypatch.context() as patch:
        patch.setattr(evaluate_all.traceback, "print_exc", lambda: None)
        text = refused(evaluate_all, *flags)
    assert "lfw, survface, tinyface failed" in text
    rows = read_json(output / "summary.json")["benchmarks"]
    assert [row["status"] for row in rows.values()] == ["failed", "absent", "failed", "failed"]
    assert rows["lfw"]["reason"] == f"{root}/lfw/pairs.txt is missing; it is LFW's list of pairs."
    assert rows["survface"]["reason"] == "ZeroDivisionError: division by zero"
    assert rows["tinyface"]["reason"].endswith("probe_img_ID_pairs.mat is missing.")
    monkeypatch.undo()


def test_a_folder_without_benchmarks(evaluate_all: ModuleType, refused: Refused, tmp_path: Path) -> None:
    flags = ("--model=facenet", f"--output={tmp_path}/results")
    text = refused(evaluate_all, *flags, f"--data_root={tmp_path}")
    assert "holds none of the folders LFW, SCface, QMUL-SurvFace, TinyFace" in text
    assert "/nowhere is missing" in refused(evaluate_all, *flags, "--data_root=/nowhere")
    assert not (tmp_path / "results").exists()
