"""Routes for those who run the service: is it alive, is it ready, and its figures."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool

from lrfr_tf.service import forms
from lrfr_tf.service.keys import READ, Caller
from lrfr_tf.service.request_error import RequestError
from lrfr_tf.service.state import allowed, service_of

router = APIRouter(tags=["health"])
TEXT = "text/plain; version=0.0.4; charset=utf-8"
FIGURES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Figures in Prometheus' text format.",
        "content": {"text/plain": {"schema": {"type": "string"}}},
    }
}


@router.get("/v1/health/live", response_model=forms.Status)
async def live() -> Any:
    """The process answers."""
    return {"status": "live"}


@router.get("/v1/health/ready", response_model=forms.Status)
async def ready(request: Request) -> Any:
    """The networks are warmed up and answer; the gallery can be read and written, and is of the network in use."""
    service = service_of(request)
    if not service.ready:
        raise RequestError(503, "not_ready", "The service is starting or ending.", retry_after=5)
    await run_in_threadpool(service.needs_keys)
    embedder = await run_in_threadpool(lambda: service.gallery.embedder)
    if embedder != service.networks.recognizer.embedder.name:
        raise RequestError(503, "other_network", "The gallery was migrated to another network; restart the service.")
    await run_in_threadpool(service.check_gallery)
    await run_in_threadpool(service.check_networks)
    return {"status": "ready"}


@router.get("/metrics", response_class=Response, responses=FIGURES)
async def metrics(request: Request, caller: Annotated[Caller, Depends(allowed(READ))]) -> Response:
    """Figures in Prometheus' text format."""
    return Response(service_of(request).metrics.text(), media_type=TEXT)
