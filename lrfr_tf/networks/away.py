"""What is raised where a network is computed elsewhere, and cannot be had at the moment."""

from lrfr_tf.errors import UserError

# Why: nobody listens, the answer takes too long, another network answers, or the server fails.
UNREACHABLE, SLOW, OTHER_NETWORK, FAILED = "unreachable", "slow", "other_network", "failed"


class NetworkAwayError(UserError):
    """A network on another machine does not answer, or another one answers in its place; it may be back later.

    Args:
        sentence: what is wrong, with the address.
        reason: one of UNREACHABLE, SLOW, OTHER_NETWORK and FAILED.
        retry_after: seconds after which another try makes sense.
    """

    def __init__(self, sentence: str, reason: str, retry_after: float = 1.0) -> None:
        super().__init__(sentence)
        self.reason, self.retry_after = reason, retry_after
