"""One is one: "1 person", not "1 persons"."""

import re
from pathlib import Path

import pytest

from lrfr_tf.plural import counted

PACKAGE = Path(__file__).parent.parent / "lrfr_tf"
# A number of a text, and a word behind it that is right for several alone.
PLURAL = re.compile(r"\{[^{}]+\} (?:new )?(?:persons|references|photos|pictures)\b")
COMMANDS = sorted([*PACKAGE.rglob("gallery/*.py"), *PACKAGE.rglob("service/*.py")])


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 persons"), (1, "1 person"), (2, "2 persons"), (2000, "2,000 persons")]
)
def test_counts(count: int, words: str) -> None:
    assert counted(count, "person") == words
    assert counted(count, "person is", "persons are") == words.replace("person", "person is").replace(
        "person iss", "persons are"
    )


@pytest.mark.parametrize("file", COMMANDS, ids=lambda file: file.relative_to(PACKAGE).as_posix())
def test_what_is_counted_goes_through_it(file: Path) -> None:
    assert PLURAL.findall(file.read_text(encoding="utf-8")) == []
