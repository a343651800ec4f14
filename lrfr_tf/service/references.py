"""Routes that show the enrolled faces of persons."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from lrfr_tf.gallery.gallery import Gallery
from lrfr_tf.gallery.references import Reference, read_picture, read_references
from lrfr_tf.service import forms
from lrfr_tf.service.bodies import file_of
from lrfr_tf.service.keys import READ, Caller
from lrfr_tf.service.persons import known_name
from lrfr_tf.service.request_error import RequestError
from lrfr_tf.service.state import allowed, service_of

PNG = b"\x89PNG"
WITH_PICTURE = (
    "SELECT r.id FROM reference r JOIN persons p ON p.number = r.person WHERE p.id = ? "
    "AND EXISTS (SELECT 1 FROM picture WHERE reference = r.number)"
)
BESIDE = ("person", "codes", "has_picture")  # what `_as_json` does not take over as it is

router = APIRouter(prefix="/v1", tags=["references"])
Reader = Annotated[Caller, Depends(allowed(READ))]


@router.get("/persons/{id}/references", response_model=forms.References)
def list_references(request: Request, caller: Reader, id: str) -> Any:
    """The enrolled faces of a person, those that are set aside, too."""
    gallery = service_of(request).gallery
    with gallery.store.transaction():
        references = read_references(gallery.store, known_name(gallery, id))
        pictures = {one for (one,) in gallery.store.read(WITH_PICTURE, id)}
    found = [{**_as_json(one, id), "has_picture": one.id in pictures} for one in references]
    return {"references": found, "request_id": request.state.request_id}


@router.get(
    "/references/{reference}/picture",
    response_class=Response,
    responses=file_of("The pixels, as they are stored.", "image/png", "image/jpeg"),
)
def picture(request: Request, caller: Reader, reference: str) -> Response:
    """The stored pixels of a reference: the face and what is around it."""
    gallery = service_of(request).gallery
    data = read_picture(gallery.store, reference)
    if data is None:
        check_reference(gallery, reference)
        raise RequestError(404, "no_picture", "No pixels of this reference are stored.")
    return Response(data, media_type="image/png" if data.startswith(PNG) else "image/jpeg")


def check_reference(gallery: Gallery, reference: str) -> None:
    """Raises RequestError if there is no reference with this id."""
    if not gallery.store.read("SELECT 1 FROM reference WHERE id = ?", reference):
        raise RequestError(404, "no_such_reference", "There is no reference with this id.")


def _as_json(one: Reference, person: str) -> dict[str, Any]:
    about = {name: getattr(one, name) for name in forms.Reference.model_fields if name not in BESIDE}
    return {**about, "person": person, "codes": list(one.codes)}
