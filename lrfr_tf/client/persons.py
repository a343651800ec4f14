"""Persons, of which `Client.persons` is one."""

from collections.abc import Iterator, Sequence

from lrfr_tf.client.build import build
from lrfr_tf.client.people import Forgotten, Person
from lrfr_tf.client.transport import Transport, json_of

PAGE = 100


class Persons:
    """Those who are enrolled; they go by id. All methods raise `ServiceError` where the service refuses."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, contains: str | None = None) -> Iterator[Person]:
        """Everybody, in the order of enrollment, page by page as they are read; `contains` is a part of the name."""
        cursor: str | None = None
        while True:
            query = {"contains": contains or None, "cursor": cursor, "limit": PAGE}
            page = json_of(self._transport.ask("GET", "/v1/persons", query=query))
            for one in page["persons"]:
                yield build(Person, one)
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def get(self, id: str) -> Person:
        """One person."""
        return build(Person, json_of(self._transport.ask("GET", "/v1/persons/{id}", place={"id": id})))

    def create(self, name: str) -> Person:
        """Takes in somebody new; photos come later (`Client.enroll`)."""
        answer = self._transport.ask("POST", "/v1/persons", body={"name": name}, again=False)
        return build(Person, json_of(answer))

    def rename(self, id: str, name: str) -> Person:
        """Gives a person another name."""
        return self._change(id, {"name": name})

    def expire(self, id: str, day: str | None) -> Person:
        """Sets the last day in force, "2026-12-31"; None: no end."""
        return self._change(id, {"expires": day})

    def merge(self, id: str, into: str) -> Person:
        """Makes two persons one: the references of this one become those of `into`, whose name and id stay."""
        return self._after("/v1/persons/{id}/merge", id, {"into": into})

    def split(self, id: str, references: Sequence[str], name: str) -> Person:
        """Makes one person two: these references, by id, become those of a new person, which is the answer."""
        return self._after("/v1/persons/{id}/split", id, {"references": [*references], "name": name})

    def forget(self, id: str, *, confirm: str) -> Forgotten:
        """Removes a person with all data; `confirm` is the person's name once more, or nothing is removed."""
        answer = self._transport.ask(
            "POST", "/v1/persons/{id}/forget", place={"id": id}, body={"confirm": confirm}, again=False
        )
        return build(Forgotten, json_of(answer))

    def subject_export(self, id: str) -> bytes:
        """Everything that is stored about a person, as a zip."""
        return self._transport.ask("POST", "/v1/persons/{id}/subject-export", place={"id": id}).content

    def _change(self, id: str, body: dict[str, str | None]) -> Person:
        answer = self._transport.ask("PATCH", "/v1/persons/{id}", place={"id": id}, body=body)
        return build(Person, json_of(answer))

    def _after(self, route: str, id: str, body: dict[str, object]) -> Person:
        answer = self._transport.ask("POST", route, place={"id": id}, body=body, again=False)
        return build(Person, json_of(answer))
