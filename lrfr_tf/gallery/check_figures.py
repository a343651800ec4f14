"""The figures of a check of a gallery: about persons, pairs, heights, strangers and other rates."""

import dataclasses

FACTOR = 2.0  # of the stated rate; from there on the gallery's own people are warned of


@dataclasses.dataclass(frozen=True)
class PersonFigures:
    """How one person's references are recognized when the person is the mean of the others.

    Attributes:
        references, active: all of them, and those in force.
        tested: how many were compared; 0 where there is only one in force.
        recognized, wrong: of them, those that get the right name and another one; the others are unknown.
        similarity: the median of their scores with the person; None where none was compared.
        taken_for: who is named instead, most often; None: nobody.
        ids: of references in force, the one least like the person first.
    """

    name: str
    references: int
    active: int
    tested: int
    recognized: int
    wrong: int
    similarity: float | None
    taken_for: str | None
    ids: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Pair:
    """Two persons and the best score of a reference of `first` with the template of `second`; `id` is that one's."""

    first: str
    second: str
    score: float
    reaches: bool
    id: str
    second_id: str


@dataclasses.dataclass(frozen=True)
class HeightBand:
    """References of `least` to below `most` pixels (None: no end): how many, tested and recognized; median score."""

    least: float
    most: float | None
    references: int
    tested: int
    recognized: int
    similarity: float | None


@dataclasses.dataclass(frozen=True)
class SmallCost:
    """What small references do to templates, seen by the large references of persons who have both.

    Attributes:
        compared: large references of persons with another large one and a small one.
        with_small, without_small: how many of them are recognized by a template with and without the small ones.
        similarity_with, similarity_without: the mean of their scores with the two templates.
    """

    compared: int
    with_small: int
    without_small: int
    similarity_with: float
    similarity_without: float


@dataclasses.dataclass(frozen=True)
class Strangers:
    """The gallery's own comparisons of different persons, each reference with each other person's template.

    Attributes:
        comparisons, reached: how many, and how many of them reach the threshold.
        persons: of whom a reference or the template is in one that does.
        stated: the share that the calibration states for single comparisons; None: nobody stated any.
        would_be_named: share of references that would get another's name if their own person were not enrolled.
    """

    comparisons: int
    reached: int
    persons: int
    stated: float | None
    would_be_named: float

    @property
    def share(self) -> float:
        return self.reached / self.comparisons if self.comparisons else 0.0

    @property
    def warns(self) -> bool:
        """Whether the share is at least twice the stated one."""
        return self.stated is not None and self.reached > 0 and self.share >= FACTOR * self.stated


@dataclasses.dataclass(frozen=True)
class RateFigures:
    """What another false positive identification rate would give.

    Attributes:
        fpir: the rate.
        threshold: the least score for a name; None: no name would ever be given.
        tested, recognized, wrong: as of all persons together.
        strangers_share: share of references that would get another's name if their own person were not enrolled.
    """

    fpir: float
    threshold: float | None
    tested: int
    recognized: int
    wrong: int
    strangers_share: float
