"""The answer to "whose face is this?"."""

import dataclasses
from typing import NamedTuple

from lrfr_tf.recognition.calibration import KNOWN, UNKNOWN, Threshold


class Candidate(NamedTuple):
    """A name that a face may have, and how well it fits."""

    name: str
    score: float


@dataclasses.dataclass(frozen=True)
class Match:
    """Whose a face is.

    Attributes:
        candidates: the best names with their scores, best first; none where nobody is enrolled.
        rule: the score from which on the best one is given, and what that promises.
        record: the number of the decision in the gallery's audit; None where it is not noted.
        persons: the ids of the candidates' persons, in the same order, where they were asked for; None: forgotten, or
            merged, meanwhile.
    """

    candidates: tuple[Candidate, ...]
    rule: Threshold
    record: int | None = None
    persons: tuple[str | None, ...] = ()

    @property
    def decision(self) -> str:
        """ "known" or "unknown"."""
        return self.rule.decision(self.score) if self.candidates else UNKNOWN

    @property
    def name(self) -> str | None:
        """The best name; None unless the face is known."""
        return self.candidates[0].name if self.decision == KNOWN else None

    @property
    def score(self) -> float:
        """Of the best name, given or not: the cosine in [-1, 1] with a gallery (-1 if nobody is enrolled), or a head's
        probability."""
        return self.candidates[0].score if self.candidates else -1.0

    @property
    def threshold(self) -> float | None:
        """The least score for a name; None where no score gives one."""
        return self.rule.score

    @property
    def next_best(self) -> tuple[Candidate, ...]:
        """Whose else it may be, best first: without the name that is given."""
        return self.candidates[self.decision == KNOWN :]
