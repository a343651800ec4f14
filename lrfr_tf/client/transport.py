"""Requests and their answers: the key, errors, and when to ask again."""

import math
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from lrfr_tf.client.images import Field
from lrfr_tf.client.service_error import BROKEN_OFF, NO_ANSWER, TIMEOUT, UNREACHABLE, ServiceError

try:
    import httpx
except ImportError:
    raise ImportError("httpx is missing; pip install 'lrfr-tf[client]' brings it.") from None

PLACE = re.compile(r"\{(\w+)\}")
UNDER_WAY = "under_way"  # the first try, of which no answer came
FIRST_WAIT = 0.5  # seconds, where the service does not say


class Transport:
    """Speaks to one service.

    Args:
        address: such as "https://faces.example".
        key: as `lrfr key create` printed it; None: the service asks for none.
        timeout: seconds that connecting, sending and each part of the answer may take.
        retries: how often to ask again where the service says that it may go well later.
        longest_wait: most seconds to wait for that, all waits of a request together.
        http: an httpx.Client of your own, with proxies or certificates; it stays open.
    """

    def __init__(
        self,
        address: str,
        key: str | None,
        *,
        timeout: float,
        retries: int,
        longest_wait: float,
        http: httpx.Client | None,
    ) -> None:
        self.address = address.rstrip("/")
        self._headers = {} if key is None else {"authorization": f"Bearer {key}"}
        self._timeout, self._retries, self._longest_wait = timeout, retries, longest_wait
        self._own = http is None
        self._http = httpx.Client() if http is None else http

    def close(self) -> None:
        """Ends the connections, but of a client that was given."""
        if self._own:
            self._http.close()

    def ask(
        self,
        method: str,
        route: str,
        *,
        place: Mapping[str, str | int] | None = None,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        images: Sequence[Field] = (),
        fields: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        again: bool = True,
        retries: int | None = None,
    ) -> httpx.Response:
        """The answer to a request, if it was done.

        Args:
            route: as in /openapi.json, such as "/v1/persons/{id}".
            place: what stands in the braces.
            query, body, images, fields: what is sent; None in the query is left out.
            again: whether the request may be sent once more where nobody knows whether it was done.
            retries: in place of those of all requests.

        Raises:
            ServiceError: it was not done, or nobody knows.
        """
        parts = place or {}
        path = PLACE.sub(lambda found: quote(str(parts[found[1]]), safe=""), route)
        sent: dict[str, Any] = {
            "params": {name: value for name, value in (query or {}).items() if value is not None},
            "headers": {**self._headers, **(headers or {})},
            "timeout": self._timeout,
        }
        if body is not None:
            sent["json"] = body
        if images:
            sent |= {"files": list(images), "data": dict(fields or {})}
        waited, tries, most = 0.0, 0, self._retries if retries is None else retries
        while True:
            try:
                return self._once(method, path, sent)
            except ServiceError as error:
                wait = _wait_after(error, tries, again, "idempotency-key" in sent["headers"])
                is_under_way = error.code == UNDER_WAY
                if wait is None or (tries >= most and not is_under_way) or waited + wait > self._longest_wait:
                    raise
            time.sleep(wait)
            waited, tries = waited + wait, tries + (not is_under_way)

    def _once(self, method: str, path: str, sent: dict[str, Any]) -> httpx.Response:
        try:
            answer = self._http.request(method, f"{self.address}{path}", **sent)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise ServiceError(0, UNREACHABLE, f"{self.address} cannot be reached: {_reason(error)}.") from None
        except httpx.TimeoutException:
            raise ServiceError(0, TIMEOUT, f"{self.address} did not answer within {self._timeout:g} seconds.") from None
        except httpx.HTTPError as error:
            raise ServiceError(0, BROKEN_OFF, f"The answer of {self.address} broke off: {_reason(error)}.") from None
        if answer.is_success:
            return answer
        raise _refusal(answer)


def json_of(answer: httpx.Response) -> Any:
    """What an answer in JSON holds.

    Raises:
        ServiceError: it is none.
    """
    try:
        return answer.json()
    except ValueError:
        raise ServiceError(answer.status_code, NO_ANSWER, "The answer is not JSON.") from None


def _wait_after(error: ServiceError, tries: int, again: bool, has_key: bool) -> float | None:
    """Seconds until the same request is sent again; None: it is not.

    503 with Retry-After says that nothing was done. Where no connection came about nothing was, either; where one broke
    off nobody knows. Who waited in vain waits no longer, unless an Idempotency-Key brings the answer to the first try.
    """
    if error.status == 503 or error.code == UNDER_WAY:
        return error.retry_after
    if error.code == UNREACHABLE or (error.code == BROKEN_OFF and again) or (error.code == TIMEOUT and has_key):
        return FIRST_WAIT * 2**tries
    return None


def _refusal(answer: httpx.Response) -> ServiceError:
    wait = _seconds(answer.headers.get("retry-after"))
    try:
        value = answer.json()
        error = value["error"]
        said = int(answer.status_code), str(error["code"]), str(error["message"]), dict(error["details"])
        return ServiceError(*said, request_id=str(value["request_id"]), retry_after=wait)
    except (ValueError, KeyError, TypeError):  # of something that stands in front of the service, or of another one
        message = f"The answer is not one of the service: {answer.status_code} {answer.reason_phrase}."
        id = answer.headers.get("x-request-id", "")
        return ServiceError(answer.status_code, NO_ANSWER, message, request_id=id, retry_after=wait)


def _seconds(text: str | None) -> float | None:
    try:
        seconds = float(text or "")
    except ValueError:  # a date, which the service never sends
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _reason(error: Exception) -> str:
    return str(error).rstrip(".") or type(error).__name__
