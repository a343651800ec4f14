"""The client: a method for each route of the service."""

import secrets
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Self

from lrfr_tf.client.build import build
from lrfr_tf.client.check import Check
from lrfr_tf.client.faces import Detected, Embedded, Identified, Verified
from lrfr_tf.client.images import Image, fields_of
from lrfr_tf.client.people import About, AuditRow, Confirmation, Enrolled, Health, Reference, ReferenceState
from lrfr_tf.client.persons import PAGE, Persons
from lrfr_tf.client.service_error import ServiceError
from lrfr_tf.client.transport import Transport, json_of

if TYPE_CHECKING:
    import httpx


class Client:
    """A service, as `lrfr serve` runs it.

    Images are paths of files, or the bytes of files. Where the service is busy or its gallery is locked (503 with
    Retry-After), the same request is sent again, a few times. All methods raise `ServiceError`, and OSError for a file
    that cannot be read. Threads may share a client; after a fork each process makes its own.

    Args:
        address: such as "http://127.0.0.1:8000".
        key: as `lrfr key create` printed it; None: the service asks for none.
        timeout: seconds that connecting, sending and each part of an answer may take.
        retries: how often a request is sent again, at most.
        longest_wait: most seconds that a request waits between its tries.
        http: an httpx.Client of your own, with proxies or certificates; it stays open.

    Attributes:
        persons: those who are enrolled, see `Persons`.
    """

    def __init__(
        self,
        address: str = "http://127.0.0.1:8000",
        key: str | None = None,
        *,
        timeout: float = 30.0,
        retries: int = 3,
        longest_wait: float = 30.0,
        http: "httpx.Client | None" = None,
    ) -> None:
        self._transport = Transport(
            address, key, timeout=timeout, retries=retries, longest_wait=longest_wait, http=http
        )
        self.persons = Persons(self._transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self._transport.address!r})"  # without the key

    def close(self) -> None:
        """Ends the connections."""
        self._transport.close()

    def identify(
        self, images: Image | Sequence[Image], *, candidates: int | None = None, pictures: bool = False
    ) -> Identified:
        """Whose each face is.

        Args:
            candidates: how many names for each face, up to 20.
            pictures: whether each face comes with its pixels, as the network saw them.
        """
        query = {"candidates": candidates, "pictures": "true" if pictures else None}
        return build(Identified, self._of_images("/v1/identify", images, query=query))

    def verify(self, image_a: Image, image_b: Image, *, far: float | None = None) -> Verified:
        """Whether two images show one person; `far` is the share of strangers who may pass, 0.001 unless given."""
        fields = {} if far is None else {"far": repr(far)}
        return build(Verified, self._of_images("/v1/verify", [image_a, image_b], fields=fields))

    def detect(self, images: Image | Sequence[Image]) -> Detected:
        """Where faces are."""
        return build(Detected, self._of_images("/v1/detect", images))

    def embed(self, images: Image | Sequence[Image]) -> Embedded:
        """The embedding of each face."""
        return build(Embedded, self._of_images("/v1/embed", images))

    def super_resolve(self, image: Image) -> bytes:
        """A small face, cut out, as a PNG of 64 x 64. Its detail is invented: it is not evidence."""
        return self._transport.ask("POST", "/v1/super-resolve", images=fields_of(image)).content

    def enroll(
        self,
        person: str,
        photos: Image | Sequence[Image],
        *,
        level: str | None = None,
        box: Sequence[float] | None = None,
        idempotency_key: str | None = None,
    ) -> Enrolled:
        """Enrolls photos of a person; each is answered by itself.

        The request has an Idempotency-Key, so that nothing is enrolled twice where it is sent again.

        Args:
            person: an id.
            level: what to make of poor photos: "off", "standard" (unless given) or "strict".
            box: x1, y1, x2, y2 in pixels of the one photo: the face that is meant.
            idempotency_key: one of your own, to ask again after this process has ended.
        """
        return build(
            Enrolled,
            json_of(
                self._transport.ask(
                    "POST",
                    "/v1/persons/{id}/references",
                    place={"id": person},
                    query={"level": level},
                    images=fields_of(photos),
                    fields={} if box is None else {"box": ",".join(repr(float(value)) for value in box)},
                    headers={"idempotency-key": idempotency_key or secrets.token_hex(16)},
                )
            ),
        )

    def references(self, person: str) -> tuple[Reference, ...]:
        """The enrolled faces of a person, by its id; those that are set aside, too."""
        value = json_of(self._transport.ask("GET", "/v1/persons/{id}/references", place={"id": person}))
        return tuple(build(Reference, one) for one in value["references"])

    def picture(self, reference: str) -> bytes:
        """The stored pixels of a reference, a PNG or a JPEG."""
        return self._transport.ask("GET", "/v1/references/{reference}/picture", place={"reference": reference}).content

    def set_aside(self, reference: str, reason: str | None = None) -> ReferenceState:
        """Takes a reference out of the comparison; it is kept."""
        body = {} if reason is None else {"reason": reason}
        return self._changed("POST", "/v1/references/{reference}/set-aside", reference, body)

    def restore(self, reference: str) -> ReferenceState:
        """Puts a reference back in force."""
        return self._changed("POST", "/v1/references/{reference}/restore", reference, None)

    def move(self, reference: str, to: str) -> ReferenceState:
        """Gives a reference to another person, by its id."""
        return self._changed("POST", "/v1/references/{reference}/move", reference, {"to": to})

    def expire(self, reference: str, day: str | None) -> ReferenceState:
        """Sets a reference's last day in force, "2026-12-31"; None: no end."""
        return self._changed("PATCH", "/v1/references/{reference}", reference, {"expires": day})

    def confirm(self, record: int, agrees: bool, *, who: str | None = None) -> Confirmation:
        """Notes that somebody looked at a decision, by its `record`, and confirms or refutes it.

        Args:
            who: looked; None: the key's id.
        """
        body = {"agrees": agrees} | ({} if who is None else {"who": who})
        answer = self._transport.ask(
            "POST", "/v1/decisions/{record}/confirm", place={"record": record}, body=body, again=False
        )
        return build(Confirmation, json_of(answer))

    def gallery(self) -> About:
        """What the gallery is, and what the key may do with it."""
        return build(About, json_of(self._transport.ask("GET", "/v1/gallery")))

    def check(self) -> Check:
        """Whether everybody is recognized, and who is taken for whom; of thousands of persons it takes seconds."""
        return build(Check, json_of(self._transport.ask("GET", "/v1/gallery/check"))["check"])

    def audit(
        self, person: str | None = None, *, order: str | None = None, what: str | None = None
    ) -> Iterator[AuditRow]:
        """Changes and decisions, page by page as they are read; about one person, by its id, or all.

        Args:
            order: "oldest" (unless given) or "newest" first.
            what: only rows of this kind, such as "decision".
        """
        cursor: str | None = None
        while True:
            query = {"person": person, "what": what, "order": order, "cursor": cursor, "limit": PAGE}
            page = json_of(self._transport.ask("GET", "/v1/audit", query=query))
            names = page.get("names", {})
            for row in page["rows"]:
                yield build(AuditRow, {**row, "name": names.get(row.get("person"))})
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def health(self) -> Health:
        """Whether the service answers, and can be used; it is asked once, and what is wrong is in the answer."""
        try:
            self._transport.ask("GET", "/v1/health/live", retries=0)
        except ServiceError as error:
            return Health(False, False, error.code, error.message)
        try:
            self._transport.ask("GET", "/v1/health/ready", retries=0)
        except ServiceError as error:
            return Health(True, False, error.code, error.message)
        return Health(True, True)

    def _of_images(self, route: str, images: Image | Sequence[Image], **more: Any) -> Any:
        return json_of(self._transport.ask("POST", route, images=fields_of(images), **more))

    def _changed(self, method: str, route: str, reference: str, body: Any) -> ReferenceState:
        answer = self._transport.ask(method, route, place={"reference": reference}, body=body)
        return build(ReferenceState, json_of(answer))
