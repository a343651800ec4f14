"""The route that says what a gallery is for and what it holds, and what the caller may do."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from lrfr_tf.gallery import audit
from lrfr_tf.gallery.quality import LEVELS
from lrfr_tf.service import gallery_forms as forms
from lrfr_tf.service.keys import LOCAL, READ, Caller
from lrfr_tf.service.state import allowed, service_of

router = APIRouter(prefix="/v1", tags=["gallery"])


@router.get("/gallery", response_model=forms.About)
def about(request: Request, caller: Annotated[Caller, Depends(allowed(READ))]) -> Any:
    """What the gallery is for, how many it holds, what decides, and what this key may do."""
    service = service_of(request)
    gallery, store, settings = service.gallery, service.gallery.store, service.settings
    rule = gallery.known_threshold()
    with store.transaction():
        ((persons, references),) = store.read("SELECT (SELECT COUNT(*) FROM persons), (SELECT COUNT(*) FROM reference)")
        return {
            "key": caller.id,
            "role": caller.role,
            "needs_key": caller is not LOCAL,
            "purpose": store.fact("purpose") or "",
            "legal_basis": store.fact("legal_basis") or "",
            "created": store.fact("created"),
            "embedder": gallery.embedder,
            "persons": persons,
            "references": references,
            "keeps_pictures": gallery.keeps_pictures,
            "confirmations": int(store.fact(audit.NEEDED) or 1),
            "audit_days": int(store.fact(audit.DAYS) or audit.DEFAULT_DAYS),
            "levels": list(LEVELS),
            "limits": {"body_bytes": settings.body_bytes, "images": settings.images, "pixels": settings.pixels},
            "decided_by": None if rule is None else rule.as_json(),
            "request_id": request.state.request_id,
        }
