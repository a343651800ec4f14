"""The route that enrolls photos: each has an answer of its own."""

import math
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.concurrency import run_in_threadpool

from lrfr_tf.gallery.enroll import enroll_from
from lrfr_tf.gallery.quality import LEVELS
from lrfr_tf.service import forms
from lrfr_tf.service.bodies import body_with
from lrfr_tf.service.images import Images, Upload
from lrfr_tf.service.keys import ENROLL, Caller
from lrfr_tf.service.persons import known_name
from lrfr_tf.service.request_error import RequestError
from lrfr_tf.service.state import Sent, Service, allowed, service_of

BOX = "box"
NUMBER = r"[0-9]+(\.[0-9]+)?"
BOX_FIELD = {
    BOX: {
        "type": "string",
        "pattern": f"^{NUMBER},{NUMBER},{NUMBER},{NUMBER}$",
        "description": "x1,y1,x2,y2 in pixels of the one image: the face that is meant",
    }
}
Box = tuple[float, float, float, float] | None

router = APIRouter(prefix="/v1", tags=["references"])
Enroller = Annotated[Caller, Depends(allowed(ENROLL))]
Level = Annotated[str, Query(pattern=f"^({'|'.join(LEVELS)})$", description="what to make of poor photos")]


@router.post("/persons/{id}/references", openapi_extra=body_with(BOX_FIELD), response_model=forms.Enrolled)
async def enroll(
    request: Request,
    *,
    caller: Enroller,
    images: Sent,
    id: str,
    level: Level = "standard",
    idempotency_key: Annotated[str | None, Header()] = None,
) -> Any:
    """Enrolls photos of a person; each has an answer of its own, and what is accepted is on the disk."""
    service = service_of(request)
    box = _box_of(images)
    if idempotency_key is None:
        return await _enrolled(request, service, caller, id, uploads=images.uploads, level=level, box=box)
    parts = [id.encode(), level.encode(), repr(box).encode(), *(one.data for one in images.uploads)]
    before = service.answered.begin(caller.id, idempotency_key, parts)
    if before is not None:
        return before
    answer = None
    try:
        answer = await _enrolled(request, service, caller, id, uploads=images.uploads, level=level, box=box)
    finally:
        service.answered.end(caller.id, idempotency_key, answer)
    return answer


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
    request: Request, service: Service, caller: Caller, id: str, *, uploads: Sequence[Upload], level: str, box: Box
) -> dict[str, Any]:
    answers = await run_in_threadpool(_enroll, service, caller, id, uploads, level=level, box=box)
    return {"photos": answers, "person": id, "request_id": request.state.request_id}


def _enroll(
    service: Service, caller: Caller, id: str, uploads: Sequence[Upload], *, level: str, box: Box
) -> list[dict[str, Any]]:
    gallery = service.acting_for(caller)
    answers: list[dict[str, Any]] = []
    source: Any = _Uploads(uploads)
    for number, photo in enumerate(source.names()):  # others' images are computed between them
        with service.networks.lock:
            (answer,) = enroll_from(gallery, known_name(gallery, id), source, [photo], level, box=box)
        service.metrics.photos.labels(answer.verdict).inc()
        found = {"verdict": answer.verdict, "codes": list(answer.codes), "sentence": answer.sentence}
        answers.append({"image": number, "photo": photo, **found, "reference": answer.reference})
    return answers


def _box_of(images: Images) -> Box:
    """The face that is meant; None: the main one of each image."""
    given = images.fields.get(BOX)
    if given is None:
        return None
    if len(images.uploads) != 1:
        raise RequestError(400, "one_image", "A box means a face of one image.", {"images": len(images.uploads)})
    try:
        x1, y1, x2, y2 = (float(value) for value in (given.split(",") if isinstance(given, str) else given))
        if not (all(map(math.isfinite, (x1, y1, x2, y2))) and x1 < x2 and y1 < y2):
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise RequestError(400, "bad_box", "A box is x1,y1,x2,y2 in pixels, with x1 < x2 and y1 < y2.") from None
    return x1, y1, x2, y2
