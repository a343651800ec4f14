"""Answers about persons, their references, and what is on record; the names are those of the API."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Person:
    """Somebody who is enrolled.

    Attributes:
        expires: the last day in force; None: no end.
        references, active: how many there are, and how many are in force.
        picture: the id of the reference that shows the person best; None: no pixels are stored.
    """

    id: str
    name: str
    created: str
    expires: str | None
    references: int
    active: int
    picture: str | None = None


@dataclass(frozen=True)
class Reference:
    """An enrolled face; `person` is an id, `state` "active" or "set_aside"."""

    id: str
    person: str
    height: float
    detection_score: float | None
    pose: float | None
    blur: float | None
    state: str
    reason: str | None
    codes: tuple[str, ...]
    enrolled: str
    expires: str | None
    has_picture: bool = False


@dataclass(frozen=True)
class ReferenceState:
    """A reference after it was changed."""

    id: str
    person: str | None
    state: str | None
    reason: str | None
    expires: str | None
    request_id: str


@dataclass(frozen=True)
class EnrolledPhoto:
    """What became of one photo.

    Attributes:
        image: which of those that were given, from 0.
        photo: what its file is called.
        verdict: "accepted", "accepted_with_warning" or "rejected".
        codes: why, most serious first.
        sentence: the same in words.
        reference: the id of what was stored; None: nothing was.
    """

    image: int
    photo: str
    verdict: str
    codes: tuple[str, ...]
    sentence: str
    reference: str | None


@dataclass(frozen=True)
class Enrolled:
    """What became of each photo, and the person's id."""

    photos: tuple[EnrolledPhoto, ...]
    person: str
    request_id: str


@dataclass(frozen=True)
class Copy:
    """An export or a backup, which nothing that is forgotten is taken out of."""

    id: str
    at: str
    kind: str
    persons: int


@dataclass(frozen=True)
class Forgotten:
    """What became of a person's data; `cleaned`: nothing of it is left in the file or beside it."""

    id: str
    references: int
    cleaned: bool
    not_reached: tuple[Copy, ...]
    request_id: str


@dataclass(frozen=True)
class Said:
    """How far a decision that gave a name is confirmed."""

    confirmed: int
    refuted: int
    needed: int
    is_confirmed: bool


@dataclass(frozen=True)
class Confirmation(Said):
    """How far a decision is confirmed, now that somebody looked."""

    request_id: str


@dataclass(frozen=True)
class AuditRow:
    """A change, a decision, or what somebody said of one; see docs/people.md.

    Attributes:
        person, reference: ids.
        name: of the person, if still enrolled.
        decided: the number of the decision that was confirmed or refuted.
        confirmation: of a decision that gave a name.
    """

    number: int
    at: str
    what: str
    changes: int
    person: str | None = None
    reference: str | None = None
    decision: str | None = None
    score: float | None = None
    threshold: float | None = None
    who: str | None = None
    decided: int | None = None
    confirmation: Said | None = None
    name: str | None = None


@dataclass(frozen=True)
class Limits:
    """What a request may hold; `pixels` are those of an image."""

    body_bytes: int
    images: int
    pixels: int


@dataclass(frozen=True)
class About:
    """What a gallery is, and what the caller's key may do with it; see `GET /v1/gallery`."""

    key: str
    role: str
    needs_key: bool
    purpose: str
    legal_basis: str
    created: str | None
    embedder: str
    persons: int
    references: int
    keeps_pictures: bool
    confirmations: int
    audit_days: int
    levels: tuple[str, ...]
    limits: Limits
    decided_by: dict[str, Any] | None
    request_id: str


@dataclass(frozen=True)
class Health:
    """Whether the process answers, and can be used; `code` says why not."""

    live: bool
    ready: bool
    code: str | None = None
    message: str | None = None
