"""How many requests everybody may send within a minute."""

import threading
import time
from collections.abc import Callable

from lrfr_tf.plural import counted
from lrfr_tf.service.request_error import RequestError

MINUTE = 60.0
CALLERS = 10_000  # counted at once; beyond it counting begins anew


class Counts:
    """The requests of each caller since the first of a minute; threads may share it, processes make it after a fork.

    Args:
        now: seconds, of a clock that nobody sets.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._counts: dict[str, tuple[float, int]] = {}

    def count(self, who: str, most: int) -> None:
        """Counts a request of somebody, of whom so many are allowed a minute; 0: any number.

        Raises:
            RequestError: there were too many.
        """
        if not most:
            return
        with self._lock:
            now = self._now()
            began, count = self._counts.get(who, (now, 0))
            if now - began >= MINUTE:
                began, count = now, 0
            if count < most:
                if len(self._counts) >= CALLERS:
                    self._counts.clear()
                self._counts[who] = (began, count + 1)
                return
        message = f"{counted(most, 'request is', 'requests are')} allowed a minute."
        raise RequestError(429, "too_many_requests", message, {"most": most}, retry_after=MINUTE - (now - began))
