"""The route that enrolls photos: each has an answer of its own."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Header, Query, Request

from lrfr_tf.gallery.enroll import enroll_from
from lrfr_tf.gallery.gallery import Gallery
from lrfr_tf.gallery.quality import LEVELS
from lrfr_tf.service import forms
from lrfr_tf.service.bodies import body_with
from lrfr_tf.service.idempotency import LONGEST_KEY, Noted
from lrfr_tf.service.images import Images, Upload
from lrfr_tf.service.keys import ENROLL, Caller
from lrfr_tf.service.persons import known_name
from lrfr_tf.service.photo_answers import as_answered, kept_form, kept_form_of_stored, still_holds
from lrfr_tf.service.request_error import RequestError
from lrfr_tf.service.state import SentToEnroll, Service, allowed, service_of

BOX = "box"
FARTHEST = 1e9  # pixels: an area of such sides is still a number
NUMBER = r"-?[0-9]+(\.[0-9]+)?"
MEANS = "the face that is meant, x1, y1, x2, y2 in pixels of the one image"
BOX_TEXT = {"type": "string", "pattern": f"^{NUMBER},{NUMBER},{NUMBER},{NUMBER}$", "description": MEANS}
BOX_LIST = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4, "description": MEANS}
BODY = body_with({BOX: BOX_TEXT}, in_json={BOX: {"anyOf": [BOX_TEXT, BOX_LIST, {"type": "null"}]}})
Box = tuple[float, float, float, float] | None

router = APIRouter(prefix="/v1", tags=["references"])
Enroller = Annotated[Caller, Depends(allowed(ENROLL))]
Level = Annotated[str, Query(pattern=f"^({'|'.join(LEVELS)})$", description="what to make of poor photos")]
Key = Annotated[
    str | None, Header(min_length=1, max_length=LONGEST_KEY, description="a request repeated with it enrolls once")
]


@router.post("/persons/{id}/references", openapi_extra=BODY, response_model=forms.Enrolled)
async def enroll(
    request: Request,
    *,
    caller: Enroller,
    images: SentToEnroll,
    id: str,
    level: Level = "standard",
    idempotency_key: Key = None,
) -> Any:
    """Enrolls photos of a person; each has an answer of its own, and what is accepted is on the disk."""
    gallery = service_of(request).acting_for(caller)
    wanted = _Wanted(id, images.uploads, level, _box_of(images), idempotency_key)
    service = service_of(request)
    # Of threads of its own: requests that wait for each other must not hold those that answer everybody else.
    photos = await to_thread.run_sync(_enroll, service, gallery, wanted, limiter=service.enrolling)
    return {"photos": photos, "person": id, "request_id": request.state.request_id}


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


@dataclasses.dataclass(frozen=True)
class _Wanted:
    """A request: photos of the person with an id."""

    person: str
    uploads: Sequence[Upload]
    level: str
    box: Box
    key: str | None


def _enroll(service: Service, gallery: Gallery, wanted: _Wanted) -> list[dict[str, Any]]:
    """The answers to a request's photos; to those of a repeated request, those that it got."""
    if wanted.key is None:
        return list(_answers(service, gallery, wanted, None))
    how = f"{wanted.level} {wanted.box}"
    files = [one.data for one in wanted.uploads]
    asked = service.answers.request(gallery.who or "", wanted.key, wanted.person, images=files, how=how)
    with asked as noted:
        return list(_answers(service, gallery, wanted, noted))


def _answers(service: Service, gallery: Gallery, wanted: _Wanted, noted: Noted | None) -> Iterator[dict[str, Any]]:
    source: Any = _Uploads(wanted.uploads)
    for number, photo in enumerate(source.names()):
        id, kept = ("", None) if noted is None else noted.photo(number)
        if kept is None or not still_holds(gallery, kept):
            kept = kept_form_of_stored(gallery, id) if id else None
            if kept is None:
                with service.networks.lock:  # for one photo: others' images are computed between them
                    name = known_name(gallery, wanted.person)
                    (answer,) = enroll_from(gallery, name, source, [photo], level=wanted.level, box=wanted.box, id=id)
                service.metrics.photos.labels(answer.verdict).inc()
                kept = kept_form(gallery, answer)
            if noted is not None:
                noted.note(number, kept)
        yield as_answered(gallery, kept, number, photo)


def _box_of(images: Images) -> Box:
    """The face that is meant; None: the main one of each image."""
    given = images.fields.get(BOX)
    if given is None:
        return None
    if len(images.uploads) != 1:
        raise RequestError(400, "one_image", "A box means a face of one image.", {"images": len(images.uploads)})
    try:
        x1, y1, x2, y2 = (float(value) for value in (given.split(",") if isinstance(given, str) else given))
        if not (max(map(abs, (x1, y1, x2, y2))) <= FARTHEST and x1 < x2 and y1 < y2):  # NaN is no number here
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise RequestError(400, "bad_box", "A box is x1,y1,x2,y2 in pixels, with x1 < x2 and y1 < y2.") from None
    return x1, y1, x2, y2
