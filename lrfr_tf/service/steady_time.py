"""The time, as it goes on while somebody sets the clock."""

import time

_clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # it goes on while the machine sleeps, where it can
_began = time.time() - time.clock_gettime(_clock)


def steady_time() -> float:
    """Seconds since 1970, by what the clock said when the process began; setting it makes nothing older or younger."""
    return _began + time.clock_gettime(_clock)
