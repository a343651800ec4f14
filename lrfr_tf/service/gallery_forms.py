"""The forms of answers about a gallery as a whole, as /openapi.json describes them."""

from typing import Any

from pydantic import BaseModel, Field

from lrfr_tf.service.forms import Strict


class Limits(BaseModel):
    """What a request may hold."""

    body_bytes: int
    images: int
    pixels: int = Field(description="of an image")


class About(BaseModel):
    """What a gallery is, and what the caller may do with it."""

    key: str = Field(description="the id of the caller's key; local without one")
    role: str = Field(description="read, enroll or admin; each may do what those before it may")
    needs_key: bool
    purpose: str
    legal_basis: str
    created: str | None
    embedder: str = Field(description="the network whose embeddings it holds")
    persons: int
    references: int
    keeps_pictures: bool
    confirmations: int = Field(description="of how many persons a decision needs the confirmation")
    audit_days: int = Field(description="so long changes and decisions are on record")
    levels: list[str] = Field(description="what can be made of poor photos that are enrolled")
    limits: Limits
    decided_by: dict[str, Any] | None = Field(description="the threshold of this moment and what it promises")
    request_id: str


class Said(BaseModel):
    """How far a decision is confirmed."""

    confirmed: int = Field(description="by how many persons")
    refuted: int = Field(description="by how many")
    needed: int = Field(description="of how many persons it needs the confirmation")
    is_confirmed: bool = Field(description="by so many, and refuted by nobody")


class AuditRow(BaseModel):
    """A change, a decision, or what somebody said of one; null: not known."""

    number: int
    at: str = Field(description="when, in UTC")
    what: str = Field(description="enroll, forget, ..., decision; confirmed or refuted, of a decision")
    changes: int = Field(description="the gallery's change counter")
    person: str | None = Field(None, description="an id")
    reference: str | None = Field(None, description="an id")
    decision: str | None = Field(None, description="known or unknown")
    score: float | None = None
    threshold: float | None = None
    who: str | None = Field(None, description="the key that asked, or who confirmed")
    decided: int | None = Field(None, description="the number of the decision that is confirmed or refuted")
    confirmation: Said | None = Field(None, description="of a decision that gave a name")


class Audit(BaseModel):
    """Some of the rows of the audit."""

    rows: list[AuditRow]
    names: dict[str, str] = Field(description="of the persons in these rows who are still enrolled, by id")
    next_cursor: str | None = Field(description="asks for those after them; null: there are no more")
    request_id: str


class Agrees(Strict):
    """What a person says who has looked at a decision."""

    agrees: bool
    who: str | None = Field(None, min_length=1, max_length=200, pattern=r"\S", description="left out: the key's id")


class Confirmation(Said):
    """How far a decision is confirmed, after somebody looked at it."""

    request_id: str
