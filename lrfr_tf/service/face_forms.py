"""The forms of answers about faces in images, as /openapi.json describes them."""

from typing import Any

from pydantic import BaseModel, Field


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
    score: float = Field(description="a cosine")


class CandidatePerson(Candidate):
    """A person whose face it may be."""

    person: str | None = Field(description="the id; null: forgotten, or merged, meanwhile")


class IdentifiedFace(Face):
    """A face and the decision about it."""

    decision: str = Field(description="known or unknown")
    name: str | None
    person: str | None = Field(description="the id of the person whose name is given")
    score: float = Field(description="the cosine with the best person")
    threshold: float | None
    next_best: list[Candidate]
    candidates: list[CandidatePerson] = Field(description="the persons most alike, best first, given or not")
    picture: str | None = Field(None, description="base64 of a PNG: what the network saw, before it was enlarged")
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
