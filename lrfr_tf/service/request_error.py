"""What a request is refused with: one envelope for all errors, {error: {code, message, details}, request_id}."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import JSONResponse

from lrfr_tf.errors import UserError

NOT_READ = (408, 413)  # the rest of the body would come for nothing


class RequestError(UserError):
    """A request that is not done; nothing is wrong with the gallery.

    Args:
        status: of HTTP.
        code: for programs, such as "no_face"; it never changes.
        message: one sentence for people.
        details: more for programs.
        retry_after: seconds after which it may go well.
        allow: the methods that the address takes, for 405.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        details: Mapping[str, Any] | None = None,
        *,
        retry_after: float | None = None,
        allow: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.details = dict(details or {})
        self.retry_after, self.allow = retry_after, tuple(allow)

    def response(self, request_id: str) -> JSONResponse:
        """The answer that says so."""
        error = {"code": self.code, "message": self.message, "details": self.details}
        headers = {}
        if self.retry_after is not None:
            headers["retry-after"] = str(max(1, math.ceil(self.retry_after)))
        if self.status == 401:
            headers["www-authenticate"] = "Bearer"
        if self.allow:
            headers["allow"] = ", ".join(self.allow)
        if self.status in NOT_READ:
            headers["connection"] = "close"
        return JSONResponse({"error": error, "request_id": request_id}, self.status, headers)
