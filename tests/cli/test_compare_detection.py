import csv
import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from lrfr_tf.data.embeddings import SCHEMA, EmbeddingSet, shard_path, write_shard
from lrfr_tf.errors import UserError
from lrfr_tf.files import read_json, write_json
from tests.cli.conftest import Tool

PATHS = ["1/a.png", "1/b.png", "2/a.png", "3/a.png"]
POINTS = np.array([[20, 30], [40, 30], [30, 42], [22, 50], [38, 50]], np.float32)


@pytest.fixture
def script(tool: Tool) -> ModuleType:
    return tool("compare_detection")


def store(
    folder: Path, paths: list[str], x_shifts: list[float], thresholds: tuple[float, ...] = (0.6, 0.7, 0.9)
) -> None:
    """One shard of faces in the box (10, 10, 30, 30) shifted to the right; NaN for a face that was not found."""
    shifts = np.array(x_shifts, np.float32)
    found = np.isfinite(shifts)
    count = len(paths)
    rows = EmbeddingSet(
        paths=paths,
        labels=np.zeros(count, np.int64),
        embeddings=np.zeros((count, 4), np.float32),
        detected=found,
        usable=found,
        boxes=np.where(found[:, None], np.array([10, 10, 30, 30]) + shifts[:, None] * [1, 0, 1, 0], np.nan),
        landmarks=np.where(found[:, None, None], POINTS + shifts[:, None, None] * [1, 0], np.nan),
        scores=found.astype(np.float32),
        crops=["detected" if item else "miss" for item in found],
    )
    write_shard(shard_path(folder, "test", 0), rows)
    detector = {"name": "mtcnn", "thresholds": list(thresholds), "min_face_size": 20}
    splits = {"test": {"images": count, "shards": 1}}
    write_json(folder / "manifest.json", {"schema": SCHEMA, "detector": detector, "splits": splits})


def test_compares_paired_images(script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store(tmp_path / "hr", PATHS, [0, 0, 0, np.nan])
    store(tmp_path / "bicubic", PATHS[::-1], [0, np.nan, 10, 0])  # another order: 3/a, 2/a, 1/b, 1/a
    store(tmp_path / "srgan", PATHS, [np.nan] * 4)
    script.main(script.Config(str(tmp_path), str(tmp_path / "out"), ("bicubic", "srgan")))
    summary = read_json(tmp_path / "out" / "summary.json")
    bicubic = summary["methods"]["bicubic"]
    assert bicubic["found"] == {"both": 2, "hr_only": 1, "method_only": 1, "neither": 0}
    assert bicubic["iou"]["mean"] == pytest.approx((1 + 1 / 3) / 2)
    assert bicubic["landmark_error"]["mean"] == pytest.approx((0 + 10 / 20) / 2)
    assert summary["methods"]["srgan"]["iou"]["mean"] is None
    assert summary["split"] == "test"
    with open(tmp_path / "out" / "boxes_bicubic.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["path"] for row in rows] == PATHS
    assert [row["method_found"] for row in rows] == ["1", "1", "0", "1"]
    assert [row["iou"][:5] for row in rows] == ["1.0", "0.333", "", ""]
    with Image.open(tmp_path / "out" / "boxes.png") as plot:
        assert plot.width > 500
    table = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in table] == ["method", "bicubic", "srgan"]
    json.dumps(summary, allow_nan=False)


def test_unpaired_images_are_named(script: ModuleType, tmp_path: Path) -> None:
    store(tmp_path / "hr", PATHS, [0] * 4)
    store(tmp_path / "srcnn", PATHS[:3], [0] * 3)
    with pytest.raises(UserError, match=r"srcnn and HR differ in 1 image, such as 3/a\.png"):
        script.main(script.Config(str(tmp_path), str(tmp_path / "out"), ("srcnn",)))
    assert not (tmp_path / "out").exists()


def test_other_detector_settings_are_refused(script: ModuleType, tmp_path: Path) -> None:
    store(tmp_path / "hr", PATHS, [0] * 4)
    store(tmp_path / "srcnn", PATHS, [0] * 4, thresholds=(0.6, 0.7, 0.8))
    with pytest.raises(UserError, match="different detector settings"):
        script.main(script.Config(str(tmp_path), str(tmp_path / "out"), ("srcnn",)))


def test_missing_embeddings_are_a_user_error(script: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="hr holds no embeddings"):
        script.main(script.Config(str(tmp_path), str(tmp_path / "out")))
