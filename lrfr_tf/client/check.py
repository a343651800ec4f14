"""The answer of a gallery's check; the names are those of the API, which says more about each."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class PersonFigures:
    """How one person's references are recognized when the person is the mean of the others."""

    name: str
    references: int
    active: int
    tested: int
    recognized: int
    wrong: int
    similarity: float | None
    taken_for: str | None
    ids: tuple[str, ...]
    person: str | None = None
    taken_for_person: str | None = None


@dataclass(frozen=True)
class Pair:
    """Two persons, and the references of theirs that are most alike."""

    first: str
    second: str
    score: float
    reaches: bool
    id: str
    second_id: str
    first_person: str | None = None
    second_person: str | None = None


@dataclass(frozen=True)
class SetAside:
    """A reference that is not in force."""

    id: str
    name: str
    reason: str
    person: str | None = None


@dataclass(frozen=True)
class HeightBand:
    """References of `least` to below `most` pixels; None: no end."""

    least: float
    most: float | None
    references: int
    tested: int
    recognized: int
    similarity: float | None


@dataclass(frozen=True)
class SmallCost:
    """What small references do to templates, seen by large ones of the same persons."""

    compared: int
    with_small: int
    without_small: int
    similarity_with: float
    similarity_without: float


@dataclass(frozen=True)
class Strangers:
    """The gallery's own comparisons of different persons."""

    comparisons: int
    reached: int
    persons: int
    stated: float | None
    would_be_named: float
    share: float
    warns: bool


@dataclass(frozen=True)
class Rate:
    """What another false positive identification rate would give."""

    fpir: float
    threshold: float | None
    tested: int
    recognized: int
    wrong: int
    strangers_share: float | None = None


@dataclass(frozen=True)
class Check:
    """Whether a gallery works: every reference is held against all persons as if it were a new photo."""

    persons: int
    references: int
    active: int
    tested: int
    recognized: int
    wrong: int
    threshold: dict[str, Any] | None
    people: tuple[PersonFigures, ...]
    pairs: tuple[Pair, ...]
    set_aside: tuple[SetAside, ...]
    single: tuple[str, ...]
    without: tuple[str, ...]
    bands: tuple[HeightBand, ...]
    small_cost: SmallCost | None
    strangers: Strangers | None
    strangers_in_words: str
    rates: tuple[Rate, ...] = ()
