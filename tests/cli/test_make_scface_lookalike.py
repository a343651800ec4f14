"""What tools/make_scface_lookalike.py refuses, counts and finds itself; its tree is used in test_evaluate_scface."""

from pathlib import Path

import numpy as np
import pytest

from lrfr_tf.data.landmarks import read_landmarks, write_landmarks
from lrfr_tf.files import read_json
from lrfr_tf.images.decode import read_image
from tests.cli.conftest import Refused, Tool
from tests.faces_by_code import write_people
from tests.tools.small_embedders import write_small_embedder

POINTS = np.array([[36.0, 44.0], [60.0, 44.0], [49.0, 58.0], [39.0, 70.0], [58.0, 70.0]])


@pytest.fixture(scope="module")
def people(portrait: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("people")
    write_people(root, portrait, {"5": 6, "10": 6, "11": 6}, size=96)
    return root


def test_eyes_that_are_closer_than_wanted_are_counted(
    tool: Tool, people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_landmarks(tmp_path / "table.csv", {f"{p}/{i:02d}.jpg": POINTS for p in ("5", "10", "11") for i in range(6)})
    module = tool("make_scface_lookalike")
    module.main(
        module.Config(
            data=str(people), landmarks=str(tmp_path / "table.csv"), output=str(tmp_path / "tree"),
            eye_distances=(4.0, 25.0), persons=1, held_out_divisor=0,
        )
    )  # fmt: skip
    assert "1 person, 10 probes, of which 5 have eyes closer than wanted" in capsys.readouterr().out
    assert read_json(tmp_path / "tree/manifest.json")["persons"]["001"]["identity"] == "5"
    folder = tmp_path / "tree/SCface_database/surveillance_cameras_all"
    assert read_image(folder / "001_cam1_1.jpg").shape == (16, 16, 3)
    assert read_image(folder / "001_cam1_2.jpg").shape == (96, 96, 3)
    assert not (tmp_path / "tree/landmarks/scface_distance3.csv").exists()


def test_probes_of_a_camera_lie_where_clean_ones_do(tool: Tool, people: Path, tmp_path: Path) -> None:
    write_landmarks(tmp_path / "table.csv", {f"{p}/{i:02d}.jpg": POINTS for p in ("5", "10", "11") for i in range(6)})
    module = tool("make_scface_lookalike")
    flags = {"data": str(people), "landmarks": str(tmp_path / "table.csv"), "eye_distances": (8.0,), "persons": 1}
    for camera in ("clean", "harsh"):
        module.main(module.Config(**flags, output=str(tmp_path / camera), camera=camera, held_out_divisor=0))
    probe = "SCface_database/surveillance_cameras_all/001_cam1_1.jpg"
    clean, harsh = (read_image(tmp_path / camera / probe) for camera in ("clean", "harsh"))
    assert clean.shape == harsh.shape
    assert np.abs(clean.astype(int) - harsh).mean() > 5
    tables = [read_landmarks(tmp_path / camera / "landmarks/scface_distance1.csv") for camera in ("clean", "harsh")]
    assert [list(table) for table in tables][0] == list(tables[1])
    np.testing.assert_array_equal(*(np.stack(list(table.values())) for table in tables))
    assert read_json(tmp_path / "harsh/manifest.json")["camera"] == "harsh"


def test_without_tables_mtcnn_finds_the_faces(
    tool: Tool, people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both in the photos of the look-alike and, in the evaluation, in its mugshots and probes."""
    module = tool("make_scface_lookalike")
    module.main(module.Config(data=str(people), output=str(tmp_path / "tree"), eye_distances=(20.0,)))
    write_small_embedder(tmp_path / "small/1")
    evaluate = tool("evaluate_scface")
    evaluate.main(
        evaluate.Config(
            model=str(tmp_path / "small"), data=str(tmp_path / "tree"), output=str(tmp_path / "result.json"),
            save_landmarks=str(tmp_path / "found"),
        )
    )  # fmt: skip
    assert "note: there are no images of distance 2, 3" in capsys.readouterr().out
    told = read_landmarks(tmp_path / "tree/landmarks/scface_distance1.csv")
    found = read_landmarks(tmp_path / "found/scface_distance1.csv")
    shared = [name for name in told if any(other.endswith(name) for other in found)]
    assert len(shared) >= 5
    for name in shared:
        (points,) = (points for other, points in found.items() if other.endswith(name))
        assert np.linalg.norm(points - told[name], axis=1).mean() < 4  # of 20 px between the eyes
    result = read_json(tmp_path / "result.json")
    assert result["counts"]["probes_without_landmarks"] == 10 - len(found)


def test_mistakes_leave_nothing(tool: Tool, refused: Refused, people: Path, tmp_path: Path) -> None:
    module = tool("make_scface_lookalike")
    output = f"--output={tmp_path}/tree"
    write_landmarks(tmp_path / "table.csv", {f"5/{photo:02d}.png": POINTS for photo in range(5)})
    table = f"--landmarks={tmp_path}/table.csv"
    assert "Of 2 persons nobody has 6 photos" in refused(module, f"--data={people}", output, table)
    assert "has a number that is divisible by --held_out_divisor=7" in refused(
        module, f"--data={people}", output, table, "--held_out_divisor=7"
    )
    assert "takes one to three numbers" in refused(module, f"--data={people}", output, "--eye_distances=1,2,3,4")
    assert "/nowhere does not exist" in refused(module, "--data=/nowhere", output)
    assert "is there already" in refused(module, f"--data={people}", f"--output={people}")
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]
