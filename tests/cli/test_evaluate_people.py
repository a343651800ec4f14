"""From a folder of people to a calibration, and from that to open-set figures on other people."""

from pathlib import Path

import numpy as np
import pytest

from lrfr_tf.data.held_out import CALIBRATION, REPORTED, held_out_half
from lrfr_tf.files import read_json
from lrfr_tf.images.decode import read_image, write_png
from lrfr_tf.recognition.calibration import DecisionRule, read_calibration
from tests.cli.conftest import Refused, Tool
from tests.faces_by_code import write_people
from tests.tools.small_embedders import write_small_embedder

# Numbers that end in 5 calibrate, those that end in 0 are reported, the others are for nothing.
CALIBRATED = [str(10 * number + 5) for number in range(34)]
MEASURED = [str(10 * number) for number in range(2, 10)]


@pytest.fixture(scope="module")
def people(portrait: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("people") / "celeba"
    write_people(root, portrait, dict.fromkeys(CALIBRATED, 2) | dict.fromkeys(MEASURED, 4) | {"7": 3})
    write_png(root / "15" / "wall.png", np.full((40, 40, 3), 90, np.uint8))
    return root


@pytest.fixture(scope="module")
def calibrated(people: Path, tool: Tool, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "small"
    write_small_embedder(folder / "1")
    script = tool("calibrate")
    script.main(script.Config(model=str(folder), people=(str(people),), half=CALIBRATION, heights=(24, 32)))
    return folder


def test_a_calibration_of_a_folder_of_people(calibrated: Path) -> None:
    record = read_json(calibrated / "1" / "model.json")
    strangers = read_calibration(calibrated / "1", record["sha256"])
    assert strangers is not None
    assert list(strangers) == ["one"]  # nobody has the three photos of a template of several
    assert strangers["one"].persons == len(CALIBRATED)  # the persons of the other half and of neither are not in it
    # Two photos a person give two templates of one and, as probes, two photos at two heights.
    assert strangers["one"].comparisons == (34 * 4) * (33 * 2)
    made_of = read_json(calibrated / "calibration.json")["made_of"]
    assert (made_of["half"], made_of["conditions"], made_of["photos"]) == ("calibration", ["24 px", "32 px"], 68)
    scores = [DecisionRule().threshold_for(strangers, persons).score for persons in (1, 5, 20)]
    assert scores == sorted(scores, key=lambda score: score or 2)


def test_figures_of_other_people(calibrated: Path, people: Path, tool: Tool, tmp_path: Path, capsys) -> None:
    script = tool("evaluate_people")
    output = tmp_path / "people.json"
    script.main(
        script.Config(
            model=str(calibrated), people=(str(people),), output=str(output), half=REPORTED, heights=(24, 4000),
            camera=("clean", "moderate"), gallery_sizes=(3, 5), gallery_photos=2, draws=20, threshold=0.9,
        )
    )  # fmt: skip
    result = read_json(output)
    assert result["counts"]["persons"] == len(MEASURED)
    assert 30 <= result["counts"]["photos"] <= 32  # the detector misses one of the noisy photos
    # Nobody of the calibration is reported:
    assert {held_out_half(name) for name in result["people"]} == {REPORTED}
    assert not set(result["people"]) & set(CALIBRATED)
    expected = [(0, "clean"), (24, "clean"), (24, "moderate")]
    assert [(row["height"], row["camera"]) for row in result["rows"]] == 2 * expected
    assert [row["persons"] for row in result["rows"]] == 3 * [3] + 3 * [5]
    clean, moderate = result["rows"][1:3]
    assert clean["found"] != moderate["found"] or clean["right"] != moderate["right"]
    for row in result["rows"]:
        assert 0.9 * 20 * row["persons"] * 2 <= row["asked"] <= 20 * row["persons"] * 2
        assert row["strangers"] <= 20 * (8 - row["persons"]) * 4
        assert 0 <= row["wrong_name"]["share"] <= 1.000001 - row["right"]["share"]
        low, high = row["right"]["interval_95"]
        assert low <= row["right"]["share"] <= high
    assert result["rows"][0]["right"]["share"] > 0.5  # tints are told apart by the small embedder
    assert result["thresholds"]["3"] == {"score": 0.9, "rule": "given", "extrapolated": False}
    assert [(pool["persons"], pool["camera"]) for pool in result["pooled"]] == [
        (3, "clean"), (3, "moderate"), (5, "clean"), (5, "moderate"),
    ]  # fmt: skip
    assert read_image(output.with_suffix(".det.png")).shape == (550, 800, 3)
    assert "3 persons, clean, 16 to 40 px: FPIR" in capsys.readouterr().out


def test_the_threshold_follows_from_the_calibration(calibrated: Path, people: Path, tool: Tool, tmp_path: Path) -> None:
    script = tool("evaluate_people")
    script.main(
        script.Config(
            model=str(calibrated), people=(str(people),), output=str(tmp_path / "a.json"), half=REPORTED,
            heights=(24,), gallery_sizes=(5,), gallery_photos=2, draws=5, fpir=0.05,
        )
    )  # fmt: skip
    strangers = read_calibration(calibrated / "1", read_json(calibrated / "1" / "model.json")["sha256"])
    expected = DecisionRule(fpir=0.05).threshold_for(strangers, 5)
    assert read_json(tmp_path / "a.json")["thresholds"]["5"] == expected.as_json()


def test_what_cannot_be_measured(calibrated: Path, people: Path, tool: Tool, refused: Refused, tmp_path: Path) -> None:
    evaluate, calibrate = tool("evaluate_people"), tool("calibrate")
    where = (f"--people={people}", f"--output={tmp_path / 'a.json'}")
    own = (f"--model={calibrated}", *where, "--threshold=0.5", "--heights=24", "--half=reported", "--draws=2")
    assert "A gallery of 20 persons needs so many with more than 3 photos" in refused(evaluate, *own)
    uncalibrated = tmp_path / "bare"
    write_small_embedder(uncalibrated / "1")
    assert "has no calibration; make one with lrfr calibrate" in refused(
        evaluate, f"--model={uncalibrated}", *where, "--gallery_sizes=3"
    )
    few = (f"--people={people}", "--half=reported", "--heights=24")
    assert "A calibration needs 30 persons at least, not 8" in refused(calibrate, f"--model={uncalibrated}", *few)
    assert "holds no export" in refused(calibrate, f"--model={people}/none", *few)
    assert "does not exist" in refused(calibrate, f"--model={uncalibrated}", f"--people={people}/none")
    assert not (uncalibrated / "calibration.json").exists()
    assert not (tmp_path / "a.json").exists()
