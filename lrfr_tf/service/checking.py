"""The route that tells whether a gallery works."""

import threading
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from lrfr_tf.gallery.check_gallery import check_gallery
from lrfr_tf.service import check_forms as forms
from lrfr_tf.service.keys import ENROLL, Caller
from lrfr_tf.service.request_error import RequestError
from lrfr_tf.service.state import allowed, service_of

router = APIRouter(prefix="/v1", tags=["gallery"])
_checking = threading.Lock()  # a check of 10,000 persons takes seconds and much memory


@router.get("/gallery/check", response_model=forms.Checked)
def check(request: Request, caller: Annotated[Caller, Depends(allowed(ENROLL))]) -> Any:
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
