"""A threshold keeps a rate for so many persons; a calibration belongs to one export."""

import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pytest

from lrfr_tf.errors import UserError
from lrfr_tf.files import read_json, write_json
from lrfr_tf.recognition.calibration import (
    DecisionRule,
    Threshold,
    carry_calibration,
    read_calibration,
    write_calibration,
)
from tests.strangers_by_code import exponential_tail, strangers

RECORD = {"name": "small", "sha256": "ab" * 32}
TAIL = exponential_tail()
STRANGERS = {"several": TAIL}


@pytest.fixture
def version(tmp_path: Path) -> Path:
    folder = tmp_path / "small" / "1"
    folder.mkdir(parents=True)
    write_calibration(tmp_path / "small", RECORD, STRANGERS, {"half": "calibration"})
    return folder


@pytest.mark.parametrize("persons", [1, 20, 100, 5000])
def test_the_rate_holds_for_a_gallery_of_any_size(persons: int) -> None:
    """Drawn strangers: the best of N scores that follow the tail reaches the threshold in one decision of 100."""
    threshold = DecisionRule().threshold_for(STRANGERS, persons)
    assert threshold.score is not None
    reached = 0.02 * math.exp(-(threshold.score - 0.3) / 0.05)  # by a single comparison
    assert 1 - (1 - reached) ** persons == pytest.approx(0.01, rel=1e-6)
    random = np.random.default_rng(0)
    in_tail = random.binomial(persons, 0.02, 200_000)
    best = np.array([0.3 + random.exponential(0.05, count).max(initial=-1) for count in in_tail])
    assert np.mean(best >= threshold.score) == pytest.approx(0.01, rel=0.15)
    assert (threshold.rule, threshold.rate, threshold.persons) == ("fpir", 0.01, persons)
    assert not threshold.extrapolated


def test_rules() -> None:
    assert DecisionRule(far=0.01).threshold_for(STRANGERS, 7).score == pytest.approx(0.3 + 0.05 * math.log(2))
    assert DecisionRule(far=0.01).threshold_for(STRANGERS, 9000) == DecisionRule(far=0.01).threshold_for(STRANGERS, 7)
    assert DecisionRule(threshold=0.25).threshold_for(None, 3) == Threshold(0.25, "given")
    stricter = [DecisionRule(fpir=fpir).threshold_for(STRANGERS, 50).score for fpir in (0.3, 0.05, 0.01, 0.001)]
    assert stricter == sorted(stricter, key=float)
    for rates in ({"fpir": 0.0}, {"fpir": 0.7}, {"far": -0.1}, {"far": float("nan")}):
        with pytest.raises(UserError, match="must be above 0 and at most 0.5"):
            DecisionRule(**rates)
    with pytest.raises(UserError, match="must be a number"):
        DecisionRule(threshold=float("inf"))
    with pytest.raises(UserError, match="no calibration"):
        DecisionRule().threshold_for(None, 3)


def test_the_kind_of_template_that_asks_for_more_decides() -> None:
    """Templates of several photos are a little more like everybody; the promise holds for them and for those of one."""
    low, high = exponential_tail(start=0.3), exponential_tail(start=0.32)
    for both in ({"one": low, "several": high}, {"several": low, "one": high}):
        assert DecisionRule().threshold_for(both, 50) == DecisionRule().threshold_for({"one": high}, 50)


def test_few_pairs_beyond_take_the_upper_end() -> None:
    enough, few = (strangers(pairs=pairs, spread=0.2) for pairs in (10, 9))
    sure, unsure = (DecisionRule().threshold_for(tail, 100) for tail in (enough, few))
    assert (sure.extrapolated, unsure.extrapolated) == (False, True)
    assert unsure.interval == sure.interval
    assert sure.interval is not None
    assert sure.interval[0] < float(sure.score or 0) < float(unsure.score or 0) == sure.interval[1]
    assert unsure.pairs_beyond == 9
    assert "extrapolated: only 9 pairs of persons" in unsure.in_words()
    assert "extrapolated" not in sure.in_words()
    assert unsure.as_json()["extrapolated"] is True


def test_where_no_threshold_keeps_the_promise_nobody_is_named() -> None:
    none = DecisionRule().threshold_for(strangers(start=0.5), 1_000_000)
    assert none.score is None
    assert not none.reached_by(1.0)
    assert "No threshold keeps an FPIR of 1.0% for 1,000,000 persons" in none.in_words()
    assert "score" not in none.as_json()
    assert not Threshold(0.5, "given").reached_by(float("nan"))
    assert Threshold(0.5, "given").reached_by(0.5)


def test_the_file_is_read_as_it_was_written(version: Path) -> None:
    stored = read_json(version.parent / "calibration.json")
    assert {name: stored[name] for name in ("schema", "model", "sha256", "score")} == {
        "schema": 2, "model": "small", "sha256": "ab" * 32, "score": "cosine",
    }  # fmt: skip
    assert stored["made_of"] == {"half": "calibration"}
    assert read_calibration(version, "ab" * 32) == STRANGERS
    assert read_calibration(version.parent.parent / "other" / "1", "ab" * 32) is None
    odd = dataclasses.replace(TAIL, start=1 / 3)
    write_calibration(version.parent, RECORD, {"one": odd, "several": TAIL}, {})
    read = read_calibration(version, "ab" * 32)
    assert read is not None
    assert list(read) == ["one", "several"]
    assert read["one"].start == pytest.approx(1 / 3, abs=1e-6)


def test_a_calibration_goes_with_the_cosines(version: Path, tmp_path: Path) -> None:
    write_json(version / "model.json", RECORD)
    new = {"name": "rounded", "sha256": "cd" * 32}
    path = carry_calibration(version, tmp_path / "rounded", new)
    assert path == tmp_path / "rounded" / "calibration.json"
    stored = read_json(path)
    assert (stored["model"], stored["sha256"], stored["measured_with"]) == ("rounded", "cd" * 32, "ab" * 32)
    (tmp_path / "rounded" / "1").mkdir()
    assert read_calibration(tmp_path / "rounded" / "1", "cd" * 32) == read_calibration(version, "ab" * 32)
    # Another version's calibration stays, and that of another export is nobody's.
    assert carry_calibration(version, tmp_path / "rounded", {"name": "rounded", "sha256": "ef" * 32}) is None
    assert read_json(path) == stored
    write_json(version / "model.json", {"name": "small", "sha256": "00" * 32})
    assert carry_calibration(version, tmp_path / "other", new) is None
    assert carry_calibration(tmp_path / "none" / "1", tmp_path / "other", new) is None
    assert not (tmp_path / "other").exists()


def test_a_version_that_is_named_as_here(version: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(version)
    assert read_calibration(Path(), "ab" * 32) is not None


def changed(**change: object) -> dict:
    return {"strangers": {"one": {**json.loads(json.dumps(dataclasses.asdict(TAIL))), **change}}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sha256": "cd" * 32}, "was made for another export"),
        ({"schema": 1}, "holds no cosine calibration of schema 2; lrfr calibrate makes one"),
        ({"score": "distance"}, "holds no cosine calibration"),
        ({"strangers": {}}, "is damaged"),
        ({"strangers": [0.5]}, "is damaged"),
        (changed(start=float("nan")), "is damaged"),
        (changed(start="high"), "is damaged"),
        (changed(share=0.0), "is damaged"),
        (changed(scale=-0.1), "is damaged"),
        (changed(resamples=[]), "is damaged"),
        (changed(resamples=[[0.1, 0.2]]), "is damaged"),
        (changed(body=[[0.03, 0.1]]), "is damaged"),
        (changed(pairs=[float("inf")]), "is damaged"),
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
