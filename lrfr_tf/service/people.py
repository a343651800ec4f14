"""Routes about all of a gallery: does it work, and what was changed and decided."""

import threading
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from lrfr_tf.gallery.audit import read_audit_after
from lrfr_tf.gallery.check_gallery import check_gallery
from lrfr_tf.service.keys import ADMIN, ENROLL, Caller
from lrfr_tf.service.persons import Cursor, Limit, row_of
from lrfr_tf.service.request_error import RequestError
from lrfr_tf.service.state import allowed, service_of

router = APIRouter(prefix="/v1", tags=["gallery"])
_checking = threading.Lock()  # a check of 10,000 persons takes seconds and much memory


@router.get("/gallery/check")
def check(request: Request, caller: Annotated[Caller, Depends(allowed(ENROLL))]) -> dict[str, Any]:
    """Whether everybody is recognized, and who is taken for whom; one check at a time."""
    gallery = service_of(request).gallery
    if not gallery.store.read("SELECT 1 FROM reference LIMIT 1"):
        raise RequestError(409, "empty_gallery", "Nobody is enrolled yet.")
    if not _checking.acquire(blocking=False):
        raise RequestError(503, "busy", "Another check is under way.", retry_after=5)
    try:
        return {"check": check_gallery(gallery).as_json(), "request_id": request.state.request_id}
    finally:
        _checking.release()


@router.get("/audit")
def audit(
    request: Request,
    *,
    caller: Annotated[Caller, Depends(allowed(ADMIN))],
    cursor: Cursor = "0",
    limit: Limit = 100,
    person: Annotated[str | None, Query(max_length=32, description="only what is about this id")] = None,
) -> dict[str, Any]:
    """Changes and decisions, oldest first, with the key that asked; random ids, no names."""
    rows = read_audit_after(service_of(request).gallery.store, row_of(cursor), limit + 1, person)
    more = str(rows[limit - 1].number) if len(rows) > limit else None
    page = [row.as_json() for row in rows[:limit]]
    return {"rows": page, "next_cursor": more, "request_id": request.state.request_id}
