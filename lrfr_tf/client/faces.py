"""Answers about faces in images; the names are those of the API."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Size:
    """Of an image in pixels, upright."""

    width: int
    height: int


@dataclass(frozen=True)
class Face:
    """A face of an image: places in pixels (x, y), and as shares of the image's width and height.

    Attributes:
        image: which image of the request, from 0.
        box: x1, y1, x2, y2.
        landmarks: left eye, right eye, nose, corners of the mouth.
        height: of the box in pixels.
    """

    image: int
    box: tuple[float, ...]
    box_normalized: tuple[float, ...]
    landmarks: tuple[tuple[float, ...], ...]
    landmarks_normalized: tuple[tuple[float, ...], ...]
    detection_score: float | None
    height: float


@dataclass(frozen=True)
class Candidate:
    """A name that a face may have, and its cosine."""

    name: str
    score: float


@dataclass(frozen=True)
class CandidatePerson(Candidate):
    """The same with the person's id; None: forgotten, or merged, meanwhile."""

    person: str | None


@dataclass(frozen=True)
class IdentifiedFace(Face):
    """A face and the decision about it. A name is a candidate until a person has looked.

    Attributes:
        decision: "known" or "unknown".
        name, person: who, if known, and the id.
        score: the cosine with the best person.
        threshold: from which on a name is given.
        next_best: the candidates behind the best.
        candidates: all, best first.
        record: the number of the decision in the audit, for `Client.confirm`.
        picture: a PNG of the face as the network saw it, if it was asked for.
    """

    decision: str
    name: str | None
    score: float
    threshold: float | None
    next_best: tuple[Candidate, ...]
    record: int | None
    person: str | None = None
    candidates: tuple[CandidatePerson, ...] = ()
    picture: bytes | None = None


@dataclass(frozen=True)
class EmbeddedFace(Face):
    """A face and its embedding, of unit length."""

    embedding: tuple[float, ...]


@dataclass(frozen=True)
class MainFace(Face):
    """The face that is meant; `ambiguous`: another one is about as large."""

    ambiguous: bool


@dataclass(frozen=True)
class Detected:
    """The faces of all images of a request."""

    faces: tuple[Face, ...]
    images: tuple[Size, ...]
    request_id: str


@dataclass(frozen=True)
class Identified:
    """The decisions about all faces of a request, and the rule of their threshold."""

    faces: tuple[IdentifiedFace, ...]
    images: tuple[Size, ...]
    decided_by: dict[str, Any] | None
    request_id: str


@dataclass(frozen=True)
class Embedded:
    """The embeddings of all faces of a request, and of which network they are."""

    faces: tuple[EmbeddedFace, ...]
    images: tuple[Size, ...]
    embedder: str
    request_id: str


@dataclass(frozen=True)
class Verified:
    """How alike two faces are: a cosine, and whether it is one person; None: the network has no calibration."""

    similarity: float
    same: bool | None
    faces: tuple[MainFace, ...]
    images: tuple[Size, ...]
    decided_by: dict[str, Any] | None
    request_id: str
