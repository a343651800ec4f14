"""The document and the table of speed hold the figures of the result files."""

import csv
from pathlib import Path

import pytest

from lrfr_tf.speed.record import read_result
from tests.cli.conftest import Refused, Tool
from tests.speed.rows_by_hand import write_detect_result


@pytest.fixture
def detect(tmp_path: Path) -> Path:
    return write_detect_result(tmp_path / "results" / "detect.json")


def test_the_document_and_the_table_quote_the_rows(tool: Tool, detect: Path, tmp_path: Path) -> None:
    write_performance = tool("write_performance")
    write_performance.main(write_performance.Config(str(detect.parent), str(tmp_path / "docs" / "performance.md")))
    text = (tmp_path / "docs" / "performance.md").read_text()
    assert "| photos | lrfr-tf | 1 | 1 | 12 | 10.00 (9.75) | 5.00 (4.75) |" in text
    assert "| detect | the mtcnn package against ours, CPU time: at least 3, batch 1 | 2.90 times | **no** |" in text
    assert "- photos (images: 8), mtcnn: 10 faces found by both, IoU 0.987 on average; ours finds 12, mtcnn 11." in text
    assert "Cold start" not in text
    assert max(len(line) for line in text.splitlines() if not line.startswith(("|", "-"))) <= 120
    with open(tmp_path / "docs" / "performance.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6
    assert (rows[1]["peer"], rows[1]["cpu_ms_median"], rows[1]["faces"]) == ("facenet-pytorch", "25", "12")
    assert rows[1]["day"] == read_result(detect)["day"]


def test_no_results_no_document(tool: Tool, refused: Refused, tmp_path: Path) -> None:
    message = refused(tool("write_performance"), f"--results={tmp_path}", f"--output={tmp_path / 'p.md'}")
    assert str(tmp_path) in message
    assert not (tmp_path / "p.md").exists()
