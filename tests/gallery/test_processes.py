"""Several processes with one gallery: what one of them changes is in force for the others."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lrfr_tf.gallery.decide import EVERYBODY, WHO_CHANGED, query_of
from lrfr_tf.gallery.people import People
from tests.gallery.ready_people import embedding_of, new_people, references

ROOT = Path(__file__).parents[2]
# Answers who is most alike, for each number on stdin; loads no TensorFlow.
OTHER = """
import json, sys
from pathlib import Path
from lrfr_tf.gallery.decide import EVERYBODY, WHO_CHANGED, query_of
from lrfr_tf.gallery.people import People
from lrfr_tf.gallery.store import Store
from tests.gallery.ready_people import embedding_of, references
people = People(Store(Path(sys.argv[1])))
for line in sys.stdin:
    verb, *words = json.loads(line)
    if verb == "ask":
        print(json.dumps(people._in_force.find(embedding_of(words[0])[None], 1).names[0]), flush=True)
    elif verb == "add":
        people.add(words[0], references(words[1], 2))
        print("null", flush=True)
    elif verb == "many":
        for number in range(words[1]):
            people.add(f"{words[0]} {number}", references(50 + number, 1))
        print("null", flush=True)
assert "tensorflow" not in sys.modules
"""


class Other:
    """Another process with the same gallery."""

    def __init__(self, path: Path) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        words = [sys.executable, "-c", OTHER, str(path)]
        self.process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def begin(self, *words: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()

    def answer(self) -> list[str] | None:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def ask(self, *words: object) -> list[str] | None:
        self.begin(*words)
        return self.answer()


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[People, Other]]:
    people = new_people(tmp_path / "people.db")
    people.add("Grace", references(2, 2))
    other = Other(tmp_path / "people.db")
    yield people, other
    other.process.communicate(timeout=60)
    assert other.process.returncode == 0


def test_the_next_decision_knows_every_change(two: tuple[People, Other]) -> None:
    people, other = two
    assert other.ask("ask", 1) == ["Grace"]
    people.add("Ada", references(1, 2))
    assert other.ask("ask", 1) == ["Ada"]
    people.rename("Ada", "Augusta")
    assert other.ask("ask", 1) == ["Augusta"]
    begun = time.monotonic()
    people.forget("Augusta")
    forgotten = time.monotonic()
    assert other.ask("ask", 1) == ["Grace"]
    assert time.monotonic() - forgotten < 1
    assert time.monotonic() - begun < 30
    other.ask("add", "Mary", 3)
    assert people._in_force.find(embedding_of(3)[None], 1).names == [["Mary"]]
    people.set_aside(people.references("Mary")[0].id)
    people.set_aside(people.references("Mary")[1].id)
    assert other.ask("ask", 3) == ["Grace"]


def test_two_writers_take_turns(two: tuple[People, Other]) -> None:
    people, other = two
    other.begin("many", "theirs", 25)
    for number in range(25):
        people.add(f"ours {number}", references(500 + number, 1))
    assert other.answer() is None
    assert len(people.names) == 51
    assert len(people.persons()) == 51


def test_a_decision_looks_only_at_who_changed(two: tuple[People, Other]) -> None:
    people, _ = two
    query = query_of(WHO_CHANGED, "2026-11-30")
    plan = [row[3] for row in people.store.read(f"EXPLAIN QUERY PLAN {query}", 1)]
    assert not any(step.startswith("SCAN") for step in plan), plan
    query = query_of(EVERYBODY, "2026-11-30")
    plan = [row[3] for row in people.store.read(f"EXPLAIN QUERY PLAN {query}", -1)]
    assert not any("TEMP B-TREE" in step for step in plan), plan  # a million embeddings are not sorted
