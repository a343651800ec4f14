"""README and the card get the figures of the reported half, at the calibrated threshold, and no others."""

from pathlib import Path

import pytest

from lrfr_tf.files import write_json
from tests.cli.conftest import Refused, Tool


def share(value: float) -> dict:
    return {"share": value, "interval_95": [value - 0.01, value + 0.01]}


@pytest.fixture
def result() -> dict:
    rows = [
        {
            "height": height,
            "camera": "clean",
            "persons": size,
            "found": share(0.98),
            "right": share(0.5 + size / 1000),
            "fpir": share(0.012),
            "tpir_at_fpir": {"0.01": {"tpir": 0.6 + height / 100}},
        }
        for size in (20, 50)
        for height in (0, 16)
    ]
    return {
        "people": ["10", "20"], "counts": {"persons": 2, "photos": 1234}, "rows": rows,
        "thresholds": {str(size): {"rule": "fpir", "score": size / 100} for size in (20, 50)},
        "pooled": [
            {"heights": [16, 40], "camera": "clean", "persons": size, "fpir": 0.011, "interval_95": [0.005, 0.02]}
            for size in (20, 50)
        ],
        "config": {"draws": 200, "gallery_photos": 3, "fpir": 0.01, "min_face_size": 10, "seed": 0},
    }  # fmt: skip


def test_the_table(result: dict, tool: Tool, tmp_path: Path) -> None:
    write_json(tmp_path / "people.json", result)
    document = tmp_path / "page.md"
    document.write_text("before\n<!-- people -->\nold\n<!-- end of people -->\nafter\n")
    script = tool("write_people")
    script.main(script.Config(result=str(tmp_path / "people.json"), documents=(str(document),)))
    text = document.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "| 16 px | 98.0 | 52.0 [51.0, 53.0] | 1.20 [0.20, 2.20] | 55.0 [54.0, 56.0] | 1.20 [0.20, 2.20] |" in text
    assert text.index("| 16 px") < text.index("| as it is")
    text = " ".join(text.split())
    assert "realized over 16 to 40 px: 1.10 % [0.50, 2.00] with 20 persons (clean)" in text
    assert "0.200 for 20, 0.500 for 50 persons" in text


def test_two_networks_are_compared_by_what_they_miss(
    result: dict, tool: Tool, refused: Refused, tmp_path: Path
) -> None:
    write_json(tmp_path / "people.json", result)
    rows = [{**row, "tpir_at_fpir": {"0.01": {"tpir": 0.2 + row["height"] / 100}}} for row in result["rows"]]
    write_json(tmp_path / "before.json", {**result, "rows": rows})
    document = tmp_path / "page.md"
    document.write_text("<!-- people -->\n<!-- end of people -->\n")
    flags = [f"--result={tmp_path / 'people.json'}", f"--before={tmp_path / 'before.json'}", f"--documents={document}"]
    script = tool("write_people")
    script.main(script.Config(result=flags[0][9:], before=flags[1][9:], documents=(str(document),)))
    text = document.read_text()
    assert "| 16 px | 64.0 | 24.0 | 0.38 |" in text
    assert "| as it is | 80.0 | 40.0 | 0.50 |" in text
    assert "Of 50 persons" in text
    write_json(tmp_path / "before.json", {**result, "people": ["10"]})
    assert "was measured on other people" in refused(script, *flags)


def test_who_calibrated_is_not_reported(result: dict, tool: Tool, refused: Refused, tmp_path: Path) -> None:
    script = tool("write_people")
    document = tmp_path / "page.md"
    document.write_text("<!-- people -->\n<!-- end of people -->\n")
    flags = (f"--result={tmp_path / 'people.json'}", f"--documents={document}")
    write_json(tmp_path / "people.json", {**result, "people": ["10", "15"]})
    assert "measures 15, who is not in the half that is reported" in refused(script, *flags)
    given = {"20": {"rule": "given", "score": 0.5}}
    write_json(tmp_path / "people.json", {**result, "thresholds": given})
    assert "at a threshold that no calibration gave" in refused(script, *flags)
    assert document.read_text() == "<!-- people -->\n<!-- end of people -->\n"
