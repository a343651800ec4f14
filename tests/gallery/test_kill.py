"""Whatever a gallery has acknowledged survives a kill -9 at any point."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def kill(path: Path, *numbers: int) -> dict:
    words = [sys.executable, str(Path(__file__).parent / "kill_driver.py"), str(path), *map(str, numbers)]
    done = subprocess.run(words, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_few_kills(tmp_path: Path) -> None:
    answer = kill(tmp_path / "people.db", 16, 6, 1)
    assert answer["kills"] == {"moment": 8, "statement": 8, "between": 6}
    assert answer["acknowledged"] > 0
    assert answer["more"] >= 6  # written, and killed before it was said


@pytest.mark.slow
def test_many_kills(tmp_path: Path) -> None:
    answer = kill(tmp_path / "people.db", 200, 60, 2)
    assert sum(answer["kills"].values()) == 260
    assert answer["more"] >= 50
