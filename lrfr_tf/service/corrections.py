"""Routes that correct what is enrolled: who is who, which references are in force, and until when."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from lrfr_tf.gallery.gallery import Gallery
from lrfr_tf.service import forms
from lrfr_tf.service.keys import ADMIN, ENROLL, Caller
from lrfr_tf.service.persons import check_day, check_free, known_name, one_person
from lrfr_tf.service.references import check_reference
from lrfr_tf.service.request_error import RequestError
from lrfr_tf.service.state import allowed, service_of

OWN = "SELECT r.id FROM reference r JOIN persons p ON p.number = r.person WHERE p.id = ?"
STATE = (
    "SELECT p.id, r.state, r.reason, r.expires FROM reference r JOIN persons p ON p.number = r.person WHERE r.id = ?"
)

router = APIRouter(prefix="/v1", tags=["corrections"])
Enroller = Annotated[Caller, Depends(allowed(ENROLL))]
Admin = Annotated[Caller, Depends(allowed(ADMIN))]


@router.post("/persons/{id}/merge", response_model=forms.Person)
def merge(request: Request, caller: Admin, id: str, body: forms.Merge) -> Any:
    """Makes two persons one: the references of this one become those of `into`, whose name and id stay."""
    gallery = service_of(request).acting_for(caller)
    if id == body.into:
        raise RequestError(400, "same_person", "A person cannot be merged into itself.")
    with gallery.store.transaction("IMMEDIATE"):
        gallery.merge(known_name(gallery, id), known_name(gallery, body.into))
    return one_person(gallery, body.into)


@router.post("/persons/{id}/split", status_code=201, response_model=forms.Person)
def split(request: Request, caller: Admin, id: str, body: forms.Split) -> Any:
    """Makes one person two: these references become those of a new person, which is the answer."""
    gallery = service_of(request).acting_for(caller)
    with gallery.store.transaction("IMMEDIATE"):
        name = known_name(gallery, id)
        own = {one for (one,) in gallery.store.read(OWN, id)}
        if not own.issuperset(body.references):
            raise RequestError(404, "no_such_reference", "The person has no reference with one of these ids.")
        if own == set(body.references):
            raise RequestError(400, "none_would_stay", "Some references of the person must stay, or it is no split.")
        check_free(gallery, body.name)
        gallery.split(name, body.references, body.name)
        ((new, *_),) = gallery.store.read(STATE, body.references[0])
    return one_person(gallery, new)


@router.patch("/references/{reference}", response_model=forms.ReferenceState)
def change(request: Request, caller: Enroller, reference: str, body: forms.ReferenceChange) -> Any:
    """Gives a reference a last day in force."""
    gallery = service_of(request).acting_for(caller)
    check_day(body.expires)
    with gallery.store.transaction("IMMEDIATE"):
        check_reference(gallery, reference)
        gallery.set_end(body.expires, reference=reference)
    return _state(request, gallery, reference)


@router.post("/references/{reference}/move", response_model=forms.ReferenceState)
def move(request: Request, caller: Enroller, reference: str, body: forms.Move) -> Any:
    """Gives a reference to another person."""
    gallery = service_of(request).acting_for(caller)
    with gallery.store.transaction("IMMEDIATE"):
        check_reference(gallery, reference)
        gallery.move([reference], known_name(gallery, body.to))
    return _state(request, gallery, reference)


@router.post("/references/{reference}/set-aside", response_model=forms.ReferenceState)
def set_aside(request: Request, caller: Enroller, reference: str, body: forms.Reason) -> Any:
    """Takes a reference out of the comparison; it is kept."""
    gallery = service_of(request).acting_for(caller)
    with gallery.store.transaction("IMMEDIATE"):
        check_reference(gallery, reference)
        gallery.set_aside(reference, body.reason)
    return _state(request, gallery, reference)


@router.post("/references/{reference}/restore", response_model=forms.ReferenceState)
def restore(request: Request, caller: Enroller, reference: str) -> Any:
    """Puts a reference back in force."""
    gallery = service_of(request).acting_for(caller)
    with gallery.store.transaction("IMMEDIATE"):
        check_reference(gallery, reference)
        gallery.restore(reference)
    return _state(request, gallery, reference)


def _state(request: Request, gallery: Gallery, reference: str) -> dict[str, Any]:
    rows = gallery.store.read(STATE, reference)
    person, state, reason, expires = rows[0] if rows else (None,) * 4
    about = {"id": reference, "person": person, "state": state, "reason": reason, "expires": expires}
    return {**about, "request_id": request.state.request_id}
