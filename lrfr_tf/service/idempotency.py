"""Answers that are given again where a request is repeated with its Idempotency-Key, as long as the process lives."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from lrfr_tf.service.request_error import RequestError

KEPT = 1000
LONGEST_KEY = 200


class Answered:
    """The last answers by key. Threads may share it, and each process has its own after a fork."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._lock = threading.Lock()
        self._answers: OrderedDict[tuple[str, ...], tuple[str, Any]] = OrderedDict()

    def begin(self, who: str, key: str, parts: Sequence[bytes]) -> Any:
        """What was answered to this request before; None where it is new, and is under way from now on.

        Raises:
            RequestError: the key belongs to another request, or to one that is under way.
        """
        if len(key) > LONGEST_KEY:
            raise RequestError(400, "malformed", f"Idempotency-Key has at most {LONGEST_KEY} characters.")
        digest = hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()
        with self._lock:
            known = self._answers.get((who, key))
            if known is None:
                self._answers[who, key] = (digest, None)
                while len(self._answers) > self._kept:
                    self._answers.popitem(last=False)
                return None
        if known[0] != digest:
            raise RequestError(409, "other_request", "This Idempotency-Key was used for another request.")
        if known[1] is None:
            raise RequestError(409, "under_way", "The same request is under way.", retry_after=1)
        return known[1]

    def end(self, who: str, key: str, answer: Any) -> None:
        """Notes the answer; None: it failed, and may be tried again."""
        with self._lock:
            known = self._answers.pop((who, key), None)
            if known is not None and answer is not None:
                self._answers[who, key] = (known[0], answer)
