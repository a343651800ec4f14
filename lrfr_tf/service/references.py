"""Routes about enrolled faces: photos in, each with its answer; moved, set aside, restored."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.concurrency import run_in_threadpool

from lrfr_tf.gallery.enroll import enroll_from
from lrfr_tf.gallery.gallery import Gallery
from lrfr_tf.gallery.quality import LEVELS
from lrfr_tf.gallery.references import Reference, read_references
from lrfr_tf.service import forms
from lrfr_tf.service.images import BODY, Upload
from lrfr_tf.service.keys import ENROLL, READ, Caller
from lrfr_tf.service.persons import known_name
from lrfr_tf.service.request_error import RequestError
from lrfr_tf.service.state import Sent, Service, allowed, service_of

router = APIRouter(prefix="/v1", tags=["references"])
Reader = Annotated[Caller, Depends(allowed(READ))]
Enroller = Annotated[Caller, Depends(allowed(ENROLL))]
Level = Annotated[str, Query(pattern=f"^({'|'.join(LEVELS)})$", description="what to make of poor photos")]


@router.get("/persons/{id}/references")
def list_references(request: Request, caller: Reader, id: str) -> dict[str, Any]:
    """The enrolled faces of a person, those that are set aside, too."""
    gallery = service_of(request).gallery
    with gallery.store.transaction():
        references = read_references(gallery.store, known_name(gallery, id))
    return {"references": [_as_json(one, id) for one in references], "request_id": request.state.request_id}


@router.post("/persons/{id}/references", openapi_extra=BODY)
async def enroll(
    request: Request,
    *,
    caller: Enroller,
    images: Sent,
    id: str,
    level: Level = "standard",
    idempotency_key: Annotated[str | None, Header()] = None,
) -> dict[str, Any]:
    """Enrolls photos of a person; each has an answer of its own, and what is accepted is on the disk."""
    service = service_of(request)
    if idempotency_key is None:
        return await _enrolled(request, service, caller, id, uploads=images.uploads, level=level)
    parts = [id.encode(), level.encode(), *(one.data for one in images.uploads)]
    before = service.answered.begin(caller.id, idempotency_key, parts)
    if before is not None:
        return before
    answer = None
    try:
        answer = await _enrolled(request, service, caller, id, uploads=images.uploads, level=level)
    finally:
        service.answered.end(caller.id, idempotency_key, answer)
    return answer


@router.post("/references/{reference}/move")
def move(request: Request, caller: Enroller, reference: str, body: forms.Move) -> dict[str, Any]:
    """Gives a reference to another person."""
    gallery = service_of(request).acting_for(caller)
    with gallery.store.transaction("IMMEDIATE"):
        _check_is_there(gallery, reference)
        gallery.move([reference], known_name(gallery, body.to))
    return _state(request, gallery, reference)


@router.post("/references/{reference}/set-aside")
def set_aside(request: Request, caller: Enroller, reference: str, body: forms.Reason) -> dict[str, Any]:
    """Takes a reference out of the comparison; it is kept."""
    gallery = service_of(request).acting_for(caller)
    with gallery.store.transaction("IMMEDIATE"):
        _check_is_there(gallery, reference)
        gallery.set_aside(reference, body.reason)
    return _state(request, gallery, reference)


@router.post("/references/{reference}/restore")
def restore(request: Request, caller: Enroller, reference: str) -> dict[str, Any]:
    """Puts a reference back in force."""
    gallery = service_of(request).acting_for(caller)
    with gallery.store.transaction("IMMEDIATE"):
        _check_is_there(gallery, reference)
        gallery.restore(reference)
    return _state(request, gallery, reference)


class _Uploads:
    """The photos of a request as a source: they are read from memory, whatever they are called."""

    def __init__(self, uploads: Sequence[Upload]) -> None:
        self._uploads: dict[str, Upload] = {}
        for number, one in enumerate(uploads):
            name = one.name or f"image {number}"
            self._uploads[f"{number}: {name}" if name in self._uploads else name] = one

    def names(self) -> list[str]:
        return list(self._uploads)

    def read(self, name: str) -> bytes:
        return self._uploads[name].data

    def label(self, name: str) -> str:
        return "The image"


async def _enrolled(
    request: Request, service: Service, caller: Caller, id: str, *, uploads: Sequence[Upload], level: str
) -> dict[str, Any]:
    answers = await run_in_threadpool(_enroll, service, caller, id, uploads, level=level)
    return {"photos": answers, "person": id, "request_id": request.state.request_id}


def _enroll(
    service: Service, caller: Caller, id: str, uploads: Sequence[Upload], *, level: str
) -> list[dict[str, Any]]:
    gallery = service.acting_for(caller)
    answers: list[dict[str, Any]] = []
    source: Any = _Uploads(uploads)
    for number, photo in enumerate(source.names()):  # others' images are computed between them
        with service.networks.lock:
            (answer,) = enroll_from(gallery, known_name(gallery, id), source, [photo], level=level)
        service.metrics.photos.labels(answer.verdict).inc()
        found = {"verdict": answer.verdict, "codes": list(answer.codes), "sentence": answer.sentence}
        answers.append({"image": number, "photo": photo, **found, "reference": answer.reference})
    return answers


def _check_is_there(gallery: Gallery, reference: str) -> None:
    if not gallery.store.read("SELECT 1 FROM reference WHERE id = ?", reference):
        raise RequestError(404, "no_such_reference", "There is no reference with this id.")


def _state(request: Request, gallery: Gallery, reference: str) -> dict[str, Any]:
    rows = gallery.store.read(
        "SELECT p.id, r.state, r.reason FROM reference r JOIN persons p ON p.number = r.person WHERE r.id = ?",
        reference,
    )
    person, state, reason = rows[0] if rows else (None, None, None)
    about = {"id": reference, "person": person, "state": state, "reason": reason}
    return {**about, "request_id": request.state.request_id}


def _as_json(one: Reference, person: str) -> dict[str, Any]:
    about = {name: getattr(one, name) for name in forms.Reference.model_fields if name not in ("person", "codes")}
    return {**about, "person": person, "codes": list(one.codes)}
