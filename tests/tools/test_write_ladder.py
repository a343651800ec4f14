"""The ladder's table: gains over the baseline by level, with intervals over persons."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lrfr_tf.data.pairs import Pair, write_pairs
from lrfr_tf.errors import UserError
from lrfr_tf.files import read_json, sha256, write_json
from tests.cli.conftest import Refused, Tool

PERSONS, PHOTOS, PAIRS = 6, 5, 48
SIZES = ("8", "12", "112", "moderate 8", "moderate 12", "moderate 112", "harsh 8", "harsh 12", "harsh 112")


def bits(right: np.ndarray) -> str:
    return np.packbits(right).tobytes().hex()


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Two networks: the second is right wherever the first is, and on a third of what the first gets wrong."""
    random = np.random.default_rng(0)
    probes = [f"{person:03d}/cam{photo}.jpg" for person in range(PERSONS) for photo in range(PHOTOS)]
    ends = [((f"{n % 4}", f"{n}.jpg"), (f"{n % 4 + n % 2}", f"{n + 1}.jpg")) for n in range(PAIRS)]
    folds = [[Pair(*pair) for pair in ends[0::2]], [Pair(*pair) for pair in ends[1::2]]]
    # LFW's form: matched pairs first in each fold.
    matched, mismatched = folds
    write_pairs(tmp_path / "pairs.txt", [matched[:12] + mismatched[:12], matched[12:] + mismatched[12:]])
    digest = sha256(tmp_path / "pairs.txt")
    first = {size: random.random(PAIRS) < 0.6 for size in SIZES}
    photos = {size: random.random(len(probes)) < 0.5 for size in ("native", "24", "16", "12")}
    for name, more in (("start", 0.0), ("taught", 1 / 3)):
        pairs = {size: {"correct": bits(own | (random.random(PAIRS) < more))} for size, own in first.items()}
        write_json(tmp_path / f"{name}_pairs.json", {"sizes": pairs, "pairs_sha256": digest})
        rows: dict[str, Any] = {
            size: {"correct": bits(own | (random.random(len(probes)) < more))} for size, own in photos.items()
        }
        write_json(tmp_path / f"{name}.json", {"sizes": rows | {"mean": {}}, "probes": probes})
    (tmp_path / "ladder.md").write_text("# Ladder\n<!-- ladder -->\nold\n<!-- end of ladder -->\nafter\n")
    return tmp_path


def flags(results: Path, *rows: str, **more: str) -> dict[str, Any]:
    return {"rows": rows, "baseline": "start", "document": str(results / "ladder.md"), **more}


def cells(results: Path) -> dict[str, list[str]]:
    lines = [line for line in (results / "ladder.md").read_text().splitlines() if line.startswith("|")]
    return {line.split("|")[1].strip(): [cell.strip() for cell in line.split("|")[2:-1]] for line in lines}


def shares(file: Path, sizes: tuple[str, ...], count: int) -> float:
    rows = read_json(file)["sizes"]
    right = [np.unpackbits(np.frombuffer(bytes.fromhex(rows[size]["correct"]), np.uint8))[:count] for size in sizes]
    return 100 * float(np.mean(right))


def test_gains_by_level(tool: Tool, results: Path) -> None:
    module = tool("write_ladder")
    rows = [f"{name}={results}/{name}.json:{results}/{name}_pairs.json" for name in ("start", "taught")]
    rows.append(f"start again={results}/start.json")
    module.main(module.Config(**flags(results, *rows, pairs=str(results / "pairs.txt"))))
    table = cells(results)
    columns = {
        "sharp, 112 px": ("_pairs.json", ("112",), PAIRS),
        "clean, 8 to 12 px": ("_pairs.json", ("8", "12"), PAIRS),
        "moderate, 12 px": ("_pairs.json", ("moderate 12",), PAIRS),
        "harsh, 12 px": ("_pairs.json", ("harsh 12",), PAIRS),
        "real cameras, native, 24, 16 and 12 px": (".json", ("native", "24", "16", "12"), PERSONS * PHOTOS),
        "real cameras, 16 and 12 px": (".json", ("16", "12"), PERSONS * PHOTOS),
    }
    assert table[""] == list(columns)
    for place, (ending, sizes, count) in enumerate(columns.values()):
        start, taught = (shares(results / f"{name}{ending}", sizes, count) for name in ("start", "taught"))
        assert table["start"][place] == f"{start:.1f}"
        value, difference, low, high = table["taught"][place].translate(str.maketrans("([,])", "     ")).split()
        assert (value, difference) == (f"{taught:.1f}", f"{taught - start:+.1f}")
        assert 0 <= float(low) <= float(difference) <= float(high)  # it is nowhere worse
        assert float(high) > float(low)
    assert table["start again"][:4] == [""] * 4
    assert table["start again"][5].endswith("(+0.0 [+0.0, +0.0])")
    assert "\nold\n" not in (text := (results / "ladder.md").read_text())
    assert text.startswith("# Ladder\n")
    assert text.endswith("after\n")


def test_without_pairs_there_are_no_columns_of_them(tool: Tool, results: Path) -> None:
    module = tool("write_ladder")
    module.main(module.Config(**flags(results, *(f"{name}={results}/{name}.json" for name in ("start", "taught")))))
    assert cells(results)[""] == ["real cameras, native, 24, 16 and 12 px", "real cameras, 16 and 12 px"]


def test_rows_that_do_not_fit_leave_the_document(tool: Tool, refused: Refused, results: Path) -> None:
    module, before = tool("write_ladder"), (results / "ladder.md").read_text()

    def call(*rows: str, **more: str) -> str:
        given = {
            key: ",".join(value) if key == "rows" else value for key, value in flags(results, *rows, **more).items()
        }
        return refused(module, *(f"--{key}={value}" for key, value in given.items()))

    start = f"start={results}/start.json"
    with_pairs = f"{start}:{results}/start_pairs.json"
    assert "'start' should be name=file or name=file:file" in call("start")
    assert "--baseline=first is none of the rows start" in call(start, baseline="first")
    assert "Rows with pairs need --pairs" in call(with_pairs)
    other = read_json(results / "taught.json")
    write_json(results / "taught.json", other | {"probes": other["probes"][::-1]})
    assert "are of different photos" in call(start, f"taught={results}/taught.json")
    del other["sizes"]["16"]
    write_json(results / "taught.json", other)
    assert "The result of taught lacks some of native, 24, 16, 12" in call(start, f"taught={results}/taught.json")
    write_json(results / "start_pairs.json", read_json(results / "start_pairs.json") | {"pairs_sha256": "q"})
    assert "A result is not of the pairs of" in call(with_pairs, pairs=str(results / "pairs.txt"))
    assert (results / "ladder.md").read_text() == before
    (results / "ladder.md").write_text("nothing\n")
    with pytest.raises(UserError, match="ladder"):
        module.main(module.Config(**flags(results, start)))
