"""The forms of answers about a gallery as a whole, as /openapi.json describes them."""

from typing import Any

from pydantic import BaseModel, Field


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
