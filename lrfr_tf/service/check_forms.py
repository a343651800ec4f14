"""The form of a gallery's check, as /openapi.json describes it; see `lrfr_tf.gallery.check_report`."""

from typing import Any

from pydantic import BaseModel, Field


class PersonFigures(BaseModel):
    """How one person's references are recognized when the person is the mean of the others."""

    name: str
    person: str | None = Field(description="the id")
    references: int
    active: int
    tested: int = Field(description="references that were compared; 0 where only one is in force")
    recognized: int
    wrong: int = Field(description="references that get another's name")
    similarity: float | None = Field(description="the median of their scores with the person")
    taken_for: str | None = Field(description="who is named instead, most often")
    taken_for_person: str | None = Field(description="that person's id")
    ids: list[str] = Field(description="references in force, the one least like the person first")


class Pair(BaseModel):
    """Two persons, and the references of theirs that are most alike."""

    first: str
    second: str
    first_person: str | None = Field(description="the id")
    second_person: str | None = Field(description="the id")
    score: float
    reaches: bool = Field(description="the threshold")
    id: str = Field(description="a reference of the first")
    second_id: str = Field(description="a reference of the second")


class SetAside(BaseModel):
    """A reference that is not in force."""

    id: str
    name: str
    person: str | None = Field(description="the id")
    reason: str


class HeightBand(BaseModel):
    """References of `least` to below `most` pixels; null: no end."""

    least: float
    most: float | None
    references: int
    tested: int
    recognized: int
    similarity: float | None


class SmallCost(BaseModel):
    """What small references do to templates, seen by large ones of the same persons."""

    compared: int
    with_small: int
    without_small: int
    similarity_with: float
    similarity_without: float


class Strangers(BaseModel):
    """The gallery's own comparisons of different persons."""

    comparisons: int
    reached: int
    persons: int
    stated: float | None = Field(description="the share that the calibration states")
    would_be_named: float
    share: float
    warns: bool


class Rate(BaseModel):
    """What another false positive identification rate would give."""

    fpir: float
    threshold: float | None = Field(description="the least score for a name; null: nobody would ever be named")
    tested: int
    recognized: int
    wrong: int
    strangers_share: float = Field(
        description="of the references, those that would get another's name if their person were not enrolled"
    )


class Check(BaseModel):
    """Whether a gallery works: every reference is held against all persons as if it were a new photo."""

    persons: int
    references: int
    active: int
    tested: int
    recognized: int
    wrong: int
    threshold: dict[str, Any] | None = Field(description="the one in force, and what it promises, `in_words`, too")
    people: list[PersonFigures] = Field(description="those who are recognized worst first")
    pairs: list[Pair] = Field(description="the most alike persons, most alike first")
    set_aside: list[SetAside]
    single: list[str] = Field(description="names of persons with one reference in force")
    without: list[str] = Field(description="names of persons with none")
    bands: list[HeightBand]
    small_cost: SmallCost | None
    strangers: Strangers | None
    strangers_in_words: str
    rates: list[Rate] = Field(description="strictest first; none where the network has no calibration")


class Checked(BaseModel):
    """The check of a gallery."""

    check: Check
    request_id: str
