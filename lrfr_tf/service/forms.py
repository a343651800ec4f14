"""The forms of answers and of requests in JSON, as /openapi.json describes them."""

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


class Size(BaseModel):
    """Of an image in pixels, upright."""

    width: int
    height: int


class Face(BaseModel):
    """A face of an image: places in pixels (x, y), and as shares of the image's width and height."""

    image: int = Field(description="which image of the request, from 0")
    box: list[float] = Field(description="x1, y1, x2, y2")
    box_normalized: list[float]
    landmarks: list[list[float]] = Field(description="left eye, right eye, nose, corners of the mouth")
    landmarks_normalized: list[list[float]]
    detection_score: float | None
    height: float = Field(description="of the box in pixels")


class Candidate(BaseModel):
    """A name that a face may have."""

    name: str
    score: float


class IdentifiedFace(Face):
    """A face and the decision about it."""

    decision: str = Field(description="known or unknown")
    name: str | None
    score: float = Field(description="the cosine with the best person")
    threshold: float | None
    next_best: list[Candidate]
    record: int | None = Field(description="the number of the decision in the audit")


class Detected(BaseModel):
    """The faces of all images of a request."""

    faces: list[Face]
    images: list[Size]
    request_id: str


class Identified(BaseModel):
    """The decisions about all faces of a request."""

    faces: list[IdentifiedFace]
    images: list[Size]
    decided_by: dict[str, Any] | None = Field(description="the rule of the threshold and what it promises")
    request_id: str


class MainFace(Face):
    """The face that is meant."""

    ambiguous: bool = Field(description="another face is about as large")


class Verified(BaseModel):
    """How alike two faces are."""

    similarity: float = Field(description="a cosine")
    same: bool | None = Field(description="null: the network has no calibration")
    faces: list[MainFace]
    images: list[Size]
    decided_by: dict[str, Any] | None
    request_id: str


class EmbeddedFace(Face):
    """A face and its embedding."""

    embedding: list[float]


class Embedded(BaseModel):
    """The embeddings of all faces of a request."""

    faces: list[EmbeddedFace]
    images: list[Size]
    embedder: str
    request_id: str


class FirstSystem(BaseModel):
    """The first system's form."""

    faces: list[dict[str, Any]]


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
