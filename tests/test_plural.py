"""One is one: "1 person", not "1 persons"."""

import re
from pathlib import Path

import pytest

from lrfr_tf.plural import any_of, counted

PACKAGE = Path(__file__).parent.parent / "lrfr_tf"
# A number of a text, and a word behind it that is right for several alone. Capitals are constants, `count` a
# helper of the report.
PLURAL = re.compile(
    r"\{(?!counted|any_of|count\(|found\})[^{}A-Z*]+\} "
    r"(?:(?:new|more|further|test|sample|matched|mismatched|unmated) )?"
    r"(?:comparisons|confirmations|distractors|entries|faces|folds|frames|identities|images|lines|mugshots|pairs|people"
    r"|persons|photos|pictures|probes|references|requests|steps|strangers|tracks)\b"
)
FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 persons"), (1, "1 person"), (2, "2 persons"), (2000, "2,000 persons")]
)
def test_counts(count: int, words: str) -> None:
    assert counted(count, "person") == words
    assert counted(count, "person is", "persons are") == words.replace("person", "person is").replace(
        "person iss", "persons are"
    )


def test_all_of_one() -> None:
    assert any_of(1, "photo") == "the one photo"
    assert any_of(2000, "photo") == "any of the 2,000 photos"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(PACKAGE).as_posix())
def test_what_is_counted_goes_through_it(file: Path) -> None:
    assert PLURAL.findall(file.read_text(encoding="utf-8")) == []
