"""What the routes of one service share, and who is allowed what."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from anyio import CapacityLimiter
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from lrfr_tf.errors import UserError
from lrfr_tf.gallery.gallery import NAMES_GIVEN, Gallery
from lrfr_tf.recognition.match import Match
from lrfr_tf.recognition.recognizer import Face
from lrfr_tf.service.batcher import Batcher, Job
from lrfr_tf.service.compute import Networks
from lrfr_tf.service.counts import Counts
from lrfr_tf.service.idempotency import Answers
from lrfr_tf.service.images import Images, Upload, read_images
from lrfr_tf.service.keys import LOCAL, Caller, Keys
from lrfr_tf.service.metrics import Metrics
from lrfr_tf.service.request_error import RequestError
from lrfr_tf.service.settings import Settings

WRITTEN_AGAIN = 1.0  # seconds after which it is tried again whether the gallery can be written
ENROLLING = 4  # requests at once; their photos are judged one after another

_bearer = HTTPBearer(auto_error=False, description="A key, as `lrfr key create` printed it.")


@dataclass(frozen=True, eq=False)
class Undecided:
    """Faces of a request, and how many candidates it wants for each."""

    faces: Sequence[Face]
    candidates: int


@dataclass
class Service:
    """A gallery, its networks and what stands around them.

    Attributes:
        keys: None: nobody needs a key, which is for tests and programs in this process.
        ready: all is warmed up.
        written: when it was last found that the gallery can be written, by time.monotonic().
        check_networks: raises NetworkAwayError while a network that is elsewhere cannot be asked.
    """

    gallery: Gallery
    networks: Networks
    batcher: Batcher
    decider: Batcher
    settings: Settings
    metrics: Metrics
    keys: Keys | None = None
    ready: bool = False
    answers: Answers = field(default_factory=Answers)
    check_networks: Callable[[], None] = lambda: None
    enrolling: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(ENROLLING))
    written: float = -WRITTEN_AGAIN
    counts: Counts = field(default_factory=Counts)

    def acting_for(self, caller: Caller) -> Gallery:
        """The gallery; what it changes and decides is noted with the caller's key."""
        return self.gallery.acting_as(caller.id)

    async def compute(self, kind: str, uploads: Sequence[Upload]) -> list[Any]:
        """What is wanted of each image, computed with others' (see `Networks.compute`).

        Raises:
            RequestError: an image cannot be decoded.
        """
        answers = [self.batcher.submit(Job(kind, one.data, one.pixels)) for one in uploads]
        done = await asyncio.gather(*map(asyncio.wrap_future, answers), return_exceptions=True)
        for number, one in enumerate(done):
            if isinstance(one, RequestError):
                raise RequestError(one.status, one.code, one.message, {**one.details, "image": number})
            if isinstance(one, BaseException):
                raise one
        return done

    async def decide(self, caller: Caller, faces: Sequence[Face], candidates: int = NAMES_GIVEN) -> list[Match]:
        """A match for each face, with so many candidates and their persons' ids.

        Decisions of one caller at one moment are noted in the audit together.

        Raises:
            UserError: the gallery cannot be read or written, or holds embeddings of another network.
        """
        return await asyncio.wrap_future(self.decider.submit(Job(caller.id, Undecided(faces, candidates))))

    def caller(self, text: str | None) -> Caller:
        """Who asks.

        Raises:
            RequestError: a key is needed, and there is none or a wrong one.
        """
        if self.keys is None or not self.needs_keys():
            return LOCAL
        with _keys_explained():
            caller = None if text is None else self.keys.caller(text)
        if text is None:
            raise RequestError(401, "key_missing", "The request needs a key: Authorization: Bearer lrfr_...")
        if caller is None:
            raise RequestError(401, "key_invalid", "The key is not known, or was revoked.")
        return caller

    def check_gallery(self) -> None:
        """Makes sure that the gallery can be read, and written if it could at the beginning.

        Raises:
            UserError: it cannot.
        """
        self.gallery.store.changes()
        if self.gallery.audits_decisions and time.monotonic() > self.written + WRITTEN_AGAIN:
            self.gallery.store.check_writable()
            self.written = time.monotonic()

    def needs_keys(self) -> bool:
        """Whether nobody comes in without a key.

        Raises:
            RequestError: the file of keys cannot be read, or is gone since there were keys in it.
        """
        with _keys_explained():
            return self.keys is not None and self.keys.are_needed()


@contextlib.contextmanager
def _keys_explained() -> Iterator[None]:
    try:
        yield
    except UserError:  # it names the file, so that nobody is told
        raise RequestError(503, "keys_unreadable", "The file of keys is missing or damaged.", retry_after=1) from None


def service_of(request: Request) -> Service:
    """The service that a request was sent to."""
    return request.app.state.service


def admitted(*, each_by_itself: bool = False) -> Callable[[Request], AsyncIterator[Images]]:
    """A dependency of a route, behind `allowed`: the images of a request, with a place in the queue for each.

    The first place is taken before the body is read, so that bodies do not pile up.

    Args:
        each_by_itself: whether the route answers each image by itself, also one that is no image.

    Raises:
        RequestError: the queue is full; or see `read_images`.
    """

    async def images_of(request: Request) -> AsyncIterator[Images]:
        service = service_of(request)
        with service.batcher.places(1):
            images = await read_images(request, service.settings, each_by_itself)
            with service.batcher.places(len(images.uploads) - 1):
                yield images

    return images_of


Sent = Annotated[Images, Depends(admitted())]
SentToEnroll = Annotated[Images, Depends(admitted(each_by_itself=True))]


def allowed(role: str) -> Callable[..., Caller]:
    """A dependency of a route: the caller, who has this role.

    Raises:
        RequestError: a key is missing or wrong, its role is another, or it asks too often.
    """

    def check(
        request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)] = None
    ) -> Caller:
        service = service_of(request)
        caller = service.caller(None if given is None else given.credentials)
        request.state.caller = caller.id
        address = request.client.host if request.client else ""
        service.counts.count(address if caller is LOCAL else caller.id, service.settings.requests_per_minute)
        if not caller.may(role):
            raise RequestError(403, "role_too_low", f"This needs a key with the role {role}.", {"role": role})
        return caller

    return check
