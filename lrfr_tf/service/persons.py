"""Routes about persons: list, create, change, forget, and what is handed out to them. They go by id."""

import tempfile
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from lrfr_tf.errors import UserError
from lrfr_tf.gallery.gallery import Gallery
from lrfr_tf.gallery.last_day import checked_day
from lrfr_tf.gallery.person_name import checked_name
from lrfr_tf.gallery.person_pages import Listed, read_person, read_persons_after
from lrfr_tf.gallery.references import name_of
from lrfr_tf.service import forms
from lrfr_tf.service.bodies import file_of
from lrfr_tf.service.keys import ADMIN, ENROLL, READ, Caller
from lrfr_tf.service.request_error import RequestError
from lrfr_tf.service.state import allowed, service_of

MOST_LISTED = 1000

router = APIRouter(prefix="/v1/persons", tags=["persons"])
Reader = Annotated[Caller, Depends(allowed(READ))]
Enroller = Annotated[Caller, Depends(allowed(ENROLL))]
Admin = Annotated[Caller, Depends(allowed(ADMIN))]
Cursor = Annotated[
    str,
    Query(max_length=20, json_schema_extra=forms.ROW, description="`next_cursor` of the page before"),
]
Limit = Annotated[int, Query(ge=1, le=MOST_LISTED)]
Contains = Annotated[str, Query(max_length=200, description="a part of the name; case does not count")]


@router.get("", response_model=forms.Persons)
def list_persons(
    request: Request, *, caller: Reader, cursor: Cursor = "0", limit: Limit = 100, contains: Contains = ""
) -> Any:
    """Everybody who is enrolled, some at a time."""
    rows = read_persons_after(service_of(request).gallery.store, row_of(cursor), limit + 1, contains)
    more = str(rows[limit - 1].number) if len(rows) > limit else None
    persons = [_as_json(one) for one in rows[:limit]]
    return {"persons": persons, "next_cursor": more, "request_id": request.state.request_id}


@router.post("", status_code=201, response_model=forms.Person)
def create(request: Request, caller: Enroller, body: forms.Name) -> Any:
    """Takes in somebody new; photos come later, to /v1/persons/{id}/references."""
    gallery = service_of(request).acting_for(caller)
    with gallery.store.transaction("IMMEDIATE"):
        check_free(gallery, body.name)
        id = gallery.create_person(body.name)
    return one_person(gallery, id)


@router.get("/{id}", response_model=forms.Person)
def show(request: Request, caller: Reader, id: str) -> Any:
    """One person."""
    return one_person(service_of(request).gallery, id)


@router.patch("/{id}", response_model=forms.Person)
def change(request: Request, caller: Enroller, id: str, body: forms.PersonChange) -> Any:
    """Gives a person another name, or a last day in force."""
    gallery = service_of(request).acting_for(caller)
    if body.name is None and "expires" not in body.model_fields_set:
        raise RequestError(400, "nothing_to_change", "The request changes nothing: it has neither name nor expires.")
    check_day(body.expires)
    with gallery.store.transaction("IMMEDIATE"):
        name = known_name(gallery, id)
        if "expires" in body.model_fields_set:
            gallery.set_end(body.expires, person=name)
        if body.name is not None:
            check_free(gallery, body.name, but=name)
            gallery.rename(name, body.name)
    return one_person(gallery, id)


@router.post("/{id}/forget", response_model=forms.Forgotten)
def forget(request: Request, caller: Admin, id: str, body: forms.Confirm) -> Any:
    """Removes a person with all data and overwrites it; `confirm` is the person's name. The id stays, nothing else."""
    gallery = service_of(request).acting_for(caller)
    name = known_name(gallery, id)
    if body.confirm != name:
        raise RequestError(400, "not_confirmed", "confirm is not the name of this person; nothing was removed.")
    done = gallery.forget(name, id)
    cleaned = done.cleaned and service_of(request).answers.forget([id])
    copies = [{"id": one.id, "at": one.at, "kind": one.kind, "persons": one.persons} for one in done.not_reached]
    return {
        "id": done.id,
        "references": done.references,
        "cleaned": cleaned,
        "not_reached": copies,
        "request_id": request.state.request_id,
    }


@router.post(
    "/{id}/subject-export", response_class=Response, responses=file_of("Everything stored.", "application/zip")
)
def subject_export(request: Request, caller: Admin, id: str) -> Response:
    """Everything that is stored about one person, as a zip."""
    gallery = service_of(request).acting_for(caller)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "subject.zip"
        gallery.subject_export(known_name(gallery, id), path)
        data = path.read_bytes()
    named = {"content-disposition": f'attachment; filename="{id}.zip"'}
    return Response(data, media_type="application/zip", headers=named)


def known_name(gallery: Gallery, id: str) -> str:
    """The name of a person.

    Raises:
        RequestError: there is none with this id.
    """
    name = name_of(gallery.store, id)
    if name is None:
        raise RequestError(404, "no_such_person", "There is no person with this id.")
    return name


def one_person(gallery: Gallery, id: str) -> dict[str, Any]:
    """A person as JSON.

    Raises:
        RequestError: there is none with this id.
    """
    found = read_person(gallery.store, id)
    if found is None:
        raise RequestError(404, "no_such_person", "There is no person with this id.")
    return _as_json(found)


def row_of(cursor: str) -> int:
    """Where a listing goes on.

    Raises:
        RequestError: it is no cursor.
    """
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) <= 18):
        raise RequestError(400, "bad_cursor", "cursor is not what a listing gave.")
    return int(cursor)


def check_day(day: str | None) -> None:
    """Raises RequestError unless it is a day, such as "2027-01-31", or None."""
    try:
        checked_day(day)
    except UserError:
        raise RequestError(400, "bad_day", "A day is written as 2027-01-31, and must be in the calendar.") from None


def check_free(gallery: Gallery, name: str, but: str | None = None) -> None:
    """Raises RequestError if a name is none, or that of somebody else than `but`."""
    try:
        name = checked_name(name)
    except UserError:
        raise RequestError(
            400, "bad_name", "A name has 1 to 200 characters, none of them a control character."
        ) from None
    if name != but and gallery.has_person(name):
        raise RequestError(409, "name_taken", "Somebody has this name already; merge makes one of two persons.")


def _as_json(one: Listed) -> dict[str, Any]:
    person = one.person
    return {
        "picture": one.picture,
        "id": person.id,
        "name": person.name,
        "created": person.created,
        "expires": person.expires,
        "references": person.references,
        "active": person.active,
    }
