"""Thresholds belong to one export and to the size of a face."""

from pathlib import Path

import pytest

from lrfr_tf.errors import UserError
from lrfr_tf.files import read_json, write_json
from lrfr_tf.recognition.calibration import (
    carry_calibration,
    fixed_threshold,
    read_calibration,
    write_calibration,
)

RECORD = {"name": "small", "sha256": "ab" * 32}
SIZES = {
    "8": {"threshold_at_far": {"0.01": 0.5, "0.001": 0.7}, "accuracy": 0.8},
    "16": {"threshold_at_far": {"0.01": 0.4, "0.001": 0.6}, "accuracy": 0.9},
    "128": {"threshold_at_far": {"0.01": 0.3, "0.001": 0.45}, "accuracy": 0.95},
}


@pytest.fixture
def version(tmp_path: Path) -> Path:
    folder = tmp_path / "small" / "1"
    folder.mkdir(parents=True)
    write_calibration(tmp_path / "small", RECORD, SIZES)
    return folder


def test_the_file_has_the_form_that_others_read(version: Path) -> None:
    assert read_json(version.parent / "calibration.json") == {
        "schema": 1,
        "model": "small",
        "sha256": "ab" * 32,
        "score": "cosine",
        "thresholds": {
            "far_0.01": {"8": 0.5, "16": 0.4, "128": 0.3},
            "far_0.001": {"8": 0.7, "16": 0.6, "128": 0.45},
        },
    }


@pytest.mark.parametrize(
    ("height", "threshold"),
    [(1, 0.5), (8, 0.5), (15.9, 0.5), (16, 0.4), (100, 0.4), (127.9, 0.4), (128, 0.3), (4000, 0.3)],
)
def test_the_largest_calibrated_size_that_is_not_above(version: Path, height: float, threshold: float) -> None:
    thresholds = read_calibration(version, "ab" * 32)
    assert thresholds is not None
    assert thresholds.at(height) == threshold


def test_the_other_rate_and_no_calibration(version: Path, tmp_path: Path) -> None:
    stricter = read_calibration(version, "ab" * 32, "0.001")
    assert stricter is not None
    assert stricter.at(20) == 0.6
    assert read_calibration(tmp_path / "other" / "1", "ab" * 32) is None
    assert fixed_threshold(0.25).at(0.5) == fixed_threshold(0.25).at(900) == 0.25


def test_thresholds_go_with_the_cosines(version: Path, tmp_path: Path) -> None:
    write_json(version / "model.json", RECORD)
    new = {"name": "rounded", "sha256": "cd" * 32}
    path = carry_calibration(version, tmp_path / "rounded", new)
    assert path == tmp_path / "rounded" / "calibration.json"
    stored = read_json(path)
    assert (stored["model"], stored["sha256"], stored["measured_with"]) == ("rounded", "cd" * 32, "ab" * 32)
    (tmp_path / "rounded" / "1").mkdir()
    carried = read_calibration(tmp_path / "rounded" / "1", "cd" * 32)
    assert carried == read_calibration(version, "ab" * 32)
    # Another version's thresholds stay, and those of another export are nobody's.
    assert carry_calibration(version, tmp_path / "rounded", {"name": "rounded", "sha256": "ef" * 32}) is None
    assert read_json(path) == stored
    write_json(version / "model.json", {"name": "small", "sha256": "00" * 32})
    assert carry_calibration(version, tmp_path / "other", new) is None
    assert carry_calibration(tmp_path / "none" / "1", tmp_path / "other", new) is None
    assert not (tmp_path / "other").exists()


def test_a_version_that_is_named_as_here(version: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(version)
    assert read_calibration(Path(), "ab" * 32) is not None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sha256": "cd" * 32}, "was made for another export"),
        ({"schema": 2}, "does not hold cosine thresholds of schema 1"),
        ({"score": "distance"}, "does not hold cosine thresholds"),
        ({"thresholds": {}}, "holds no thresholds by size for a false accept rate of 0.01"),
        ({"thresholds": {"far_0.01": {"8": "high"}}}, "holds no thresholds"),
        ({"thresholds": {"far_0.01": {"8": float("nan")}}}, "holds no thresholds"),
        ({"thresholds": {"far_0.01": [0.5]}}, "holds no thresholds"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(version: Path, change: dict, message: str) -> None:
    path = version.parent / "calibration.json"
    write_json(path, {**read_json(path), **change})
    with pytest.raises(UserError, match=message) as error:
        read_calibration(version, "ab" * 32)
    assert "calibration.json" in str(error.value)
    path.write_text("not JSON")
    with pytest.raises(UserError, match="cannot be read as JSON"):
        read_calibration(version, "ab" * 32)
