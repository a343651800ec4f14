"""The application: routes, what is said of errors, and what happens at the beginning and the end."""

import contextlib
import dataclasses
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.routing import Match as PathMatch
from starlette.types import ASGIApp

import lrfr_tf
from lrfr_tf.errors import UserError
from lrfr_tf.gallery.gallery import Gallery
from lrfr_tf.gallery.references import name_of
from lrfr_tf.gallery.store_error import StoreError
from lrfr_tf.networks.away import NetworkAwayError
from lrfr_tf.recognition.match import Match
from lrfr_tf.service import about, audit, checking, corrections, enrolling, faces, forms, health, persons, references
from lrfr_tf.service.batcher import Batcher, Job
from lrfr_tf.service.compute import Networks
from lrfr_tf.service.guard import Guard
from lrfr_tf.service.idempotency import Answers, answers_beside
from lrfr_tf.service.keys import Keys
from lrfr_tf.service.log import REQUESTS
from lrfr_tf.service.metrics import Metrics
from lrfr_tf.service.page_files import router as page
from lrfr_tf.service.request_error import RequestError
from lrfr_tf.service.settings import Settings
from lrfr_tf.service.state import Service, service_of

MODULES = (about, faces, persons, corrections, references, enrolling, checking, audit, health)
MOST_PROBLEMS = 20  # of a request that are told
CODES = {404: "no_such_route", 405: "method_not_allowed"}

_logger = logging.getLogger(REQUESTS)


def make_service(
    gallery: Gallery,
    settings: Settings,
    keys: Keys | None = None,
    super_resolver: str = "srgan_camera",
    *,
    check_networks: Callable[[], None] = lambda: None,
) -> Service:
    """What an application needs; the gallery's network is loaded, unless the gallery uses one elsewhere.

    Args:
        check_networks: raises NetworkAwayError while a network that is elsewhere cannot be asked.

    Raises:
        UserError: the network is missing or another one, or the keys are damaged.
    """
    if keys is not None:
        keys.all()
    metrics = Metrics()
    gallery.audits_decisions = not gallery.store.read_only
    networks = Networks(gallery.recognizer, metrics, super_resolver, settings.pixels)
    batcher = Batcher(
        networks.compute,
        places=settings.queue,
        most=settings.batch,
        wait=settings.batch_wait_ms / 1000,
        threads=settings.threads,
        observe=metrics.batch_images.observe,
    )
    decider = Batcher(lambda who, jobs: decide_together(gallery, who, jobs), most=settings.queue, wait=0.0)
    metrics.watch_queue(lambda: batcher.depth)
    answers = Answers(None if gallery.store.path is None else answers_beside(gallery.store.path))
    return Service(
        gallery,
        networks,
        batcher,
        decider,
        settings,
        metrics,
        keys=keys,
        answers=answers,
        check_networks=check_networks,
    )


def make_app(service: Service) -> ASGIApp:
    """The ASGI application of a service."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        service.batcher.start()
        service.decider.start()
        await run_in_threadpool(forget_answers, service)
        await run_in_threadpool(service.networks.warm_up)
        service.ready = True
        _logger.info("ready")
        try:
            yield
        finally:
            service.ready = False
            await run_in_threadpool(service.batcher.stop)
            await run_in_threadpool(service.decider.stop)
            service.answers.close()
            _logger.info("ended")

    app = FastAPIOffline(
        redoc_url=None,
        title="lrfr_tf",
        version=lrfr_tf.__version__,
        summary="Who is in these pixels? Answers are leads, never proof.",
        lifespan=lifespan,
        responses={"4XX": {"model": forms.Failure}, "5XX": {"model": forms.Failure}},
    )
    app.state.service = service
    for module in MODULES:
        app.include_router(module.router)
    app.include_router(page)
    for kind in (RequestError, UserError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, _refuse)
    return Guard(app, service.settings, service.metrics)


def decide_together(gallery: Gallery, who: str, jobs: Sequence[Job]) -> list[list[Match]]:
    """The matches of each job's faces, noted in the audit in one transaction: it waits for the disk once."""
    faces = [face for job in jobs for face in job.data.faces]
    most = max(job.data.candidates for job in jobs)
    matches = iter(gallery.acting_as(who).identify_all(faces, most, ids=True))
    return [[_with(next(matches), job.data.candidates) for _ in job.data.faces] for job in jobs]


def _with(match: Match, candidates: int) -> Match:
    persons = match.persons[:candidates]
    return dataclasses.replace(match, candidates=match.candidates[:candidates], persons=persons)


def forget_answers(service: Service) -> None:
    """Removes what is kept of requests about persons who were forgotten while the service did not run."""
    with contextlib.suppress(RequestError):  # whoever sends a request with a key is told
        persons = service.answers.persons()
        service.answers.forget([id for id in persons if name_of(service.gallery.store, id) is None])


def allowed_methods(request: Request) -> list[str]:
    """The methods of all routes at the address of a request; what was tried first names only its own."""
    routes: list[Any] = [route for module in MODULES for route in module.router.routes]
    found = [route.methods for route in routes if route.matches(request.scope)[0] is not PathMatch.NONE]
    return sorted({method for methods in found for method in methods})


async def _refuse(request: Request, error: Exception) -> Response:
    service = service_of(request)
    refusal = _refusal_of(error, service, request)
    request.state.code = refusal.code
    service.metrics.refusals.labels(refusal.code).inc()
    return refusal.response(request.state.request_id)


def _refusal_of(error: Any, service: Service, request: Request) -> RequestError:
    if isinstance(error, RequestError):
        return error
    if isinstance(error, RequestValidationError):  # without what was sent, which may be a name
        details = [{"place": list(one["loc"]), "problem": one["type"]} for one in error.errors()[:MOST_PROBLEMS]]
        return RequestError(
            422, "malformed", "The request has not the form that /openapi.json describes.", {"at": details}
        )
    if isinstance(error, HTTPException) and error.status_code == 400 and error.__cause__ is not None:
        # A form could not be read: FastAPI says so of a body that is no JSON and of one over a limit alike.
        cause = error.__cause__
        return cause if isinstance(cause, RequestError) else RequestError(400, "malformed", "The body is not JSON.")
    if isinstance(error, HTTPException):
        allow: list[str] = []
        if error.status_code == 405:
            allow = allowed_methods(request) or [(error.headers or {}).get("Allow", "GET")]
        return RequestError(error.status_code, CODES.get(error.status_code, "refused"), f"{error.detail}.", allow=allow)
    if not isinstance(error, UserError):  # the log says where, see Guard
        return RequestError(500, "internal", "The service failed; its log says where.")
    if isinstance(error, NetworkAwayError):  # its sentence names an address
        message = "The network that embeds faces cannot be asked at the moment."
        return RequestError(
            503, "backend_unavailable", message, {"reason": error.reason}, retry_after=error.retry_after
        )
    message = str(error).replace(service.gallery.store.label, "The gallery")
    if isinstance(error, StoreError):
        return RequestError(503, "gallery_unavailable", message, retry_after=1)
    return RequestError(409, "refused", message)
