"""What stands before every route: addresses that are allowed, limits of bodies, ids of requests, log and figures."""

import asyncio
import logging
import re
import secrets
import time
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lrfr_tf.service import page_files
from lrfr_tf.service.log import REQUESTS
from lrfr_tf.service.metrics import Metrics
from lrfr_tf.service.request_error import RequestError
from lrfr_tf.service.settings import Settings

REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
LONGEST_LENGTH = 18  # digits
CLIENT_GONE = 499  # in the log: nobody waits for the answer
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
POLICY = "default-src 'none'; frame-ancestors 'none'"
# Swagger's page has a script and styles of its own in it.
DOCS = "/docs"
DOCS_POLICY = (
    "default-src 'none'; connect-src 'self'; img-src 'self' data:; script-src 'self' 'unsafe-inline'; "
    "style-src 'self' 'unsafe-inline'; frame-ancestors 'none'"
)

_logger = logging.getLogger(REQUESTS)


class Guard:
    """An ASGI application around another one."""

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics) -> None:
        self.app, self.settings, self.metrics = app, settings, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":  # no route takes websockets
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = Headers(scope=scope)
        asked = headers.get("x-request-id", "")
        id = asked if REQUEST_ID.fullmatch(asked) else secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = id
        answer = _Answer(send, id, _policy_of(scope["path"]))
        began = time.monotonic()
        try:
            self._check_addresses(headers, page_files.is_page(scope["path"]))
            body = _Body(receive, self.settings, headers, scope)
            await self.app(scope, body.receive, answer.send)
        except RequestError as refusal:
            await self._refuse(refusal, scope, receive, answer)
        except ClientDisconnect:
            answer.status = answer.status or CLIENT_GONE
        except Exception:
            _logger.exception("failed", extra={"fields": {"request_id": id}})
            failed = RequestError(500, "internal", "The service failed; its log says where.")
            await self._refuse(failed, scope, receive, answer)
        finally:
            self._note(scope, answer.status, time.monotonic() - began, id)

    def _check_addresses(self, headers: Headers, is_page: bool) -> None:
        host = headers.get("host", "")
        if _host_of(host) not in self.settings.hosts:
            raise RequestError(403, "host_not_allowed", "The service is not called by this name.")
        origin = headers.get("origin")
        if origin is None:
            if headers.get("sec-fetch-site") == "cross-site" and not is_page:  # a link to the page is no call
                raise RequestError(403, "origin_not_allowed", "Pages of other sites may not call the service.")
            return
        if origin not in (f"http://{host}", f"https://{host}", *self.settings.origins):
            raise RequestError(403, "origin_not_allowed", "Pages of this origin may not call the service.")

    async def _refuse(self, refusal: RequestError, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        if not answer.status:
            self.metrics.refusals.labels(refusal.code).inc()
            await refusal.response(answer.id)(scope, receive, answer.send)

    def _note(self, scope: Scope, status: int, seconds: float, id: str) -> None:
        # The template of the route: what was typed may hold anything.
        route = getattr(scope.get("route"), "path", "other")
        self.metrics.requests.labels(route, str(status)).inc()
        self.metrics.request_seconds.labels(route).observe(seconds)
        fields = {
            "request_id": id,
            "method": scope["method"] if scope["method"] in METHODS else "other",
            "route": route,
            "status": status,
            "seconds": round(seconds, 4),
            "key": scope["state"].get("caller"),
            "code": scope["state"].get("code"),
        }
        _logger.info("request", extra={"fields": {name: value for name, value in fields.items() if value is not None}})


class _Answer:
    """Adds headers to what is answered, and remembers its status."""

    def __init__(self, send: Send, id: str, policy: str) -> None:
        self._send, self.id, self._policy = send, id, policy
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["x-request-id"] = self.id
            headers["x-content-type-options"] = "nosniff"
            headers["referrer-policy"] = "no-referrer"
            headers["content-security-policy"] = self._policy
            headers["cache-control"] = "no-store"
        await self._send(message)


class _Body:
    """Receives a body within its limits."""

    def __init__(self, receive: Receive, settings: Settings, headers: Headers, scope: Scope) -> None:
        self._receive, self._settings, self._scope = receive, settings, scope
        self._bytes = 0
        self._until: float | None = None
        self._is_whole = False
        length = headers.get("content-length", "0")
        if len(length) > LONGEST_LENGTH or (length.isdecimal() and int(length) > settings.body_bytes):
            raise self._too_large(settings.body_bytes)

    async def receive(self) -> Message:
        if self._is_whole:
            return await self._receive()  # waits for the client to go
        if self._until is None:  # the client is not slow where it was the service that looked late
            self._until = time.monotonic() + self._settings.body_seconds
        try:
            message = await asyncio.wait_for(self._receive(), max(0.0, self._until - time.monotonic()))
        except TimeoutError:
            raise RequestError(408, "too_slow", "The body did not arrive in time.") from None
        if message["type"] == "http.request":
            self._bytes += len(message.get("body", b""))
            self._is_whole = not message.get("more_body", False)
            most = self._settings.body_bytes
            if getattr(self._scope.get("route"), "body_field", None) is not None:  # a form in JSON, without images
                most = min(most, self._settings.form_bytes)
            if self._bytes > most:
                raise self._too_large(most)
        return message

    def _too_large(self, most: int) -> RequestError:
        return RequestError(413, "body_too_large", f"A request's body has at most {most:,} bytes.", {"most": most})


def _policy_of(path: str) -> str:
    """The Content-Security-Policy of what an address answers."""
    if page_files.is_page(path):
        return page_files.POLICY
    return DOCS_POLICY if path.startswith(DOCS) else POLICY


def _host_of(netloc: str) -> str:
    """The name in "name:port" or "[::1]:port"; empty where it is none."""
    try:
        return (urlsplit(f"//{netloc}").hostname or "") if netloc and not set(netloc) & set("/@?#\\") else ""
    except ValueError:
        return ""
