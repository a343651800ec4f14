"""The forms of requests in JSON, and of answers about persons and their references, as /openapi.json describes them."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

DAY = r"^\d{4}-\d{2}-\d{2}$"
# What is described and refused with a code of its own, not by the form.
A_DAY: JsonDict = {"format": "date"}
NO_CONTROL = r"[^\x00-\x1f\x7f-\x9f]"
A_NAME: JsonDict = {
    "minLength": 1,
    "maxLength": 200,
    "pattern": rf"^{NO_CONTROL}*[^\s\x00-\x1f\x7f-\x9f]{NO_CONTROL}*$",
}
ROW: JsonDict = {"maxLength": 18, "pattern": "^[0-9]+$"}


class Error(BaseModel):
    """What went wrong."""

    code: str = Field(description="for programs; it never changes")
    message: str
    details: dict[str, Any]


class Failure(BaseModel):
    """Every answer that is not what was asked for."""

    error: Error
    request_id: str


class Status(BaseModel):
    """How the service is."""

    status: str


class Person(BaseModel):
    """Somebody who is enrolled."""

    id: str
    name: str
    created: str
    expires: str | None
    references: int
    active: int = Field(description="references in force")
    picture: str | None = Field(description="the reference that shows the person best; null: no pixels are stored")


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
    codes: list[str] = Field(description="the warnings it was accepted with")
    enrolled: str
    expires: str | None
    has_picture: bool = Field(description="whether its pixels are stored")


class References(BaseModel):
    """The references of a person, in the order of enrollment."""

    references: list[Reference]
    request_id: str


class EnrolledPhoto(BaseModel):
    """What became of one photo."""

    image: int = Field(description="which image of the request, from 0")
    photo: str = Field(description="what its file is called")
    verdict: str = Field(description="accepted, accepted_with_warning or rejected")
    codes: list[str] = Field(description="why, most serious first")
    sentence: str = Field(description="the same in words")
    reference: str | None = Field(description="the id of what was stored; null: nothing was")


class Enrolled(BaseModel):
    """What became of each photo of a request."""

    photos: list[EnrolledPhoto]
    person: str
    request_id: str


class ReferenceState(BaseModel):
    """A reference after it was changed."""

    id: str
    person: str | None
    state: str | None
    reason: str | None
    expires: str | None
    request_id: str


class Copy(BaseModel):
    """An export or a backup, which nothing that is forgotten here is taken out of."""

    id: str
    at: str
    kind: str
    persons: int


class Forgotten(BaseModel):
    """What became of a person's data."""

    id: str
    references: int
    cleaned: bool = Field(description="nothing is left in the file or beside it; false: that is done later")
    not_reached: list[Copy]
    request_id: str


class Strict(BaseModel):
    """A request: what is not known is refused."""

    model_config = ConfigDict(extra="forbid")


class Name(Strict):
    """A person's name."""

    name: str = Field(max_length=1000, json_schema_extra=A_NAME)


class PersonChange(Strict):
    """What is to change of a person; what is left out stays."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"minProperties": 1})

    name: str | None = Field(None, max_length=1000, json_schema_extra=A_NAME)
    expires: str | None = Field(
        None, pattern=DAY, json_schema_extra=A_DAY, description="the last day in force; null: no end"
    )


class ReferenceChange(Strict):
    """What is to change of a reference."""

    expires: str | None = Field(pattern=DAY, json_schema_extra=A_DAY, description="the last day in force; null: no end")


class Split(Strict):
    """The references that are another person's, by id, and that person's name."""

    references: list[str] = Field(min_length=1, max_length=10_000)
    name: str = Field(max_length=1000, json_schema_extra=A_NAME)


class Merge(Strict):
    """Into whom a person is merged, by id."""

    into: str


class Confirm(Strict):
    """The person's name once more."""

    confirm: str = Field(max_length=1000, json_schema_extra=A_NAME)


class Move(Strict):
    """To whom a reference is given, by id."""

    to: str


class Reason(Strict):
    """Why a reference is set aside."""

    reason: str = Field("set aside by hand", max_length=1000)
