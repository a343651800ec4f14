"""The forms of requests in JSON, and of answers about persons and their references, as /openapi.json describes them."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

DAY = r"^\d{4}-\d{2}-\d{2}$"


class Error(BaseModel):
    """What went wrong."""

    code: str = Field(description="for programs; it never changes")
    message: str
    details: dict[str, Any]


class Failure(BaseModel):
    """Every answer that is not what was asked for."""

    error: Error
    request_id: str


class Person(BaseModel):
    """Somebody who is enrolled."""

    id: str
    name: str
    created: str
    expires: str | None
    references: int
    active: int


class Persons(BaseModel):
    """Some of the persons, in the order of enrollment."""

    persons: list[Person]
    next_cursor: str | None = Field(description="asks for those after them; null: there are no more")
    request_id: str


class Reference(BaseModel):
    """An enrolled face."""

    id: str
    person: str = Field(description="the person's id")
    height: float
    detection_score: float | None
    pose: float | None
    blur: float | None
    state: str
    reason: str | None
    codes: list[str]
    enrolled: str
    expires: str | None


class Strict(BaseModel):
    """A request: what is not known is refused."""

    model_config = ConfigDict(extra="forbid")


class Name(Strict):
    """A person's name."""

    name: str = Field(max_length=1000)


class Merge(Strict):
    """Into whom a person is merged, by id."""

    into: str


class Confirm(Strict):
    """The person's name once more."""

    confirm: str = Field(max_length=1000)


class Move(Strict):
    """To whom a reference is given, by id."""

    to: str


class Reason(Strict):
    """Why a reference is set aside."""

    reason: str = Field("set aside by hand", max_length=1000)
