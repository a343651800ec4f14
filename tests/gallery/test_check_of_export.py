"""What a check says of a gallery follows from the numbers that an export of it holds, and from the docs alone."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lrfr_tf.cli import command
from lrfr_tf.gallery.references import Reference
from tests.gallery.ready_people import DIMENSIONS, new_people

PERSONS, LEAST = 36, 0.45


@pytest.fixture
def gallery(tmp_path: Path) -> Path:
    """Persons of one to five references, large and small; some are set aside, by hand and as odd ones."""
    random = np.random.default_rng(7)
    people = new_people(tmp_path / "people.db")
    for person in range(PERSONS):
        middle = random.standard_normal(DIMENSIONS)
        rows = 0.55 * middle + 0.45 * random.standard_normal((1 + person % 5, DIMENSIONS))
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        heights = random.uniform(9, 120, len(rows))
        own = [Reference(row.astype(np.float32), float(height)) for row, height in zip(rows, heights, strict=True)]
        ids = people.add(f"person {person}", own)
        if person % 7 == 3:
            people.set_aside(ids[0])
    people.close()
    return tmp_path / "people.db"


def test_it_says_what_the_export_says(gallery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command.main(["gallery", "export", f"--gallery={gallery}", f"--output={tmp_path / 'people.zip'}"])
    capsys.readouterr()
    command.main(["gallery", "check", f"--gallery={gallery}", f"--threshold={LEAST}", "--format=json"])
    said = json.loads(capsys.readouterr().out)
    expected = by_hand(tmp_path / "people.zip", LEAST)
    assert {name: said[name] for name in expected["counts"]} == expected["counts"]
    assert 0 < said["wrong"] < said["recognized"] < said["tested"]
    assert {one["name"]: [one[what] for what in ("tested", "recognized", "wrong")] for one in said["people"]} == (
        expected["people"]
    )
    assert sorted(said["single"]) == expected["single"]
    assert sorted(said["without"]) == expected["without"]
    assert {one["id"] for one in said["set_aside"]} == expected["set_aside"]
    pairs = [({one["first"], one["second"]}, one["reaches"]) for one in said["pairs"]]
    assert pairs == [(names, score >= LEAST) for names, score in expected["pairs"][: len(pairs)]]
    np.testing.assert_allclose(
        [one["score"] for one in said["pairs"]], [score for _, score in expected["pairs"][: len(pairs)]], atol=1e-5
    )
    strangers = said["strangers"]
    assert (strangers["reached"], strangers["comparisons"]) == expected["strangers"]
    assert strangers["share"] == strangers["reached"] / strangers["comparisons"] > 0


def by_hand(path: Path, least: float) -> dict[str, Any]:
    """One comparison after the other; a face under 64 pixels counts less in its person's template."""
    with zipfile.ZipFile(path) as archive:
        people = json.loads(archive.read("people.json"))
        with archive.open("embeddings.npy") as file:
            embeddings = np.load(file).astype(np.float64)
    references = people["references"]
    rows_of: dict[str, list[int]] = {one["name"]: [] for one in people["persons"]}
    for row, one in enumerate(references):
        if one["state"] == "active":
            rows_of[one["person"]].append(row)

    def score(row: int, rows: list[int]) -> float:
        template = sum(min(references[one]["height"], 64.0) / 64.0 * embeddings[one] for one in rows)
        return float(embeddings[row] @ template / np.linalg.norm(template))

    figures = {name: [0, 0, 0] for name in rows_of}
    best_of_pairs: dict[tuple[str, ...], float] = {}
    reached = comparisons = 0
    for name, rows in rows_of.items():
        for row in rows:
            others = {other: score(row, theirs) for other, theirs in rows_of.items() if theirs and other != name}
            comparisons += len(others)
            reached += sum(value >= least for value in others.values())
            for other, value in others.items():
                pair = tuple(sorted((name, other)))
                best_of_pairs[pair] = max(value, best_of_pairs.get(pair, -1.0))
            if len(rows) > 1:
                own = score(row, [one for one in rows if one != row])
                recognized = own >= least and own > max(others.values())
                wrong = max(others.values()) >= least and not recognized
                figures[name] = [sum(pair) for pair in zip(figures[name], (1, recognized, wrong), strict=True)]
    tested, recognized, wrong = (sum(column) for column in zip(*figures.values(), strict=True))
    active = sum(map(len, rows_of.values()))
    counts = {"persons": len(rows_of), "references": len(references), "active": active}
    return {
        "counts": counts | {"tested": tested, "recognized": recognized, "wrong": wrong},
        "people": figures,
        "single": sorted(name for name, rows in rows_of.items() if len(rows) == 1),
        "without": sorted(name for name, rows in rows_of.items() if not rows),
        "set_aside": {one["id"] for one in references if one["state"] != "active"},
        "pairs": [(set(pair), value) for pair, value in sorted(best_of_pairs.items(), key=lambda item: -item[1])],
        "strangers": (reached, comparisons),
    }
