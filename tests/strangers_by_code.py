"""A tail of stranger comparisons with numbers that can be checked by hand."""

from lrfr_tf.evaluation.stranger_tail import BODY, StrangerTail


def strangers(**options: float) -> dict[str, StrangerTail]:
    """A calibration of one kind of templates; options as for `exponential_tail`."""
    return {"several": exponential_tail(**options)}  # type: ignore[arg-type]


def exponential_tail(start: float = 0.3, scale: float = 0.05, pairs: int = 100, spread: float = 0.0) -> StrangerTail:
    """Of all comparisons 2 % are above `start`, and each `scale` more is reached by a share 1/e of those.

    Args:
        pairs: pairs of persons with a score of `start` + 0.5; so many are beyond each threshold below that.
        spread: the scales of the bootstrap samples lie so far to both sides, as a share of `scale`.
    """
    resamples = tuple((0.02, 0.0, scale * (1 + sign * spread)) for sign in (-1.0, 0.0, 1.0))
    body = tuple((share, round(start - share, 6)) for share in BODY)
    return StrangerTail(50, 1_000_000, start, 0.02, 0.0, scale, resamples, body, (start + 0.5,) * pairs)
