"""The one error of the client."""

from collections.abc import Mapping
from typing import Any

# Codes that the client gives itself: nobody answers, not in time, not to the end, or not as the service does.
UNREACHABLE, TIMEOUT, BROKEN_OFF, NO_ANSWER = "unreachable", "timeout", "broken_off", "no_answer_of_the_service"


class ServiceError(Exception):
    """A request that was not done, or whose answer did not come.

    Attributes:
        status: of HTTP; 0: there was no answer.
        code: for programs, such as "no_such_person"; it never changes.
        message: one sentence for people.
        details: more for programs.
        request_id: under which the service's log has it; empty: unknown.
        retry_after: seconds after which it may go well, if the service says so.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        details: Mapping[str, Any] | None = None,
        *,
        request_id: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{message} ({code})")
        self.status, self.code, self.message = status, code, message
        self.details = dict(details or {})
        self.request_id, self.retry_after = request_id, retry_after
