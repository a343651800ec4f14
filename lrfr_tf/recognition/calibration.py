"""From which score on a name is given: `calibration.json` beside a model card, and what is read out of it.

{"schema": 2, "model": name, "sha256": content checksum, "score": "cosine",
 "strangers": {"several": {"persons": n, "comparisons": n, "start": u, "share": p, "shape": x, "scale": s,
                           "resamples": [[p, x, s], ...], "body": [[p, score], ...], "pairs": [score, ...]},
               "one": {...}},
 "made_of": {...}}

Each part of "strangers" is an `evaluation.stranger_tail.StrangerTail`: how alike strangers and enrolled persons get,
where a person is a template of several photos, and of one. Templates of several are a little more like everybody. A
threshold is the higher of what the parts ask for, so that it keeps its promise for either kind. A calibration belongs
to one export, so the file names its checksum; if it was carried over from another export whose cosines are the same,
"measured_with" names that one's.

The promise is a false positive identification rate (FPIR): the share of decisions about strangers that give a name. A
decision about a stranger compares the face with each of N persons; it gives a name if one of the N scores reaches the
threshold. So the threshold is the score that a share 1 - (1 - fpir)^(1/N) of single comparisons reaches. A false accept
rate (FAR) is that share itself.
"""

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lrfr_tf.errors import UserError
from lrfr_tf.evaluation.stranger_tail import BODY, Quantile, StrangerTail
from lrfr_tf.files import read_json, write_json
from lrfr_tf.networks.saved_model import RECORD
from lrfr_tf.plural import counted

SCHEMA = 2
Strangers = Mapping[str, StrangerTail]  # by kind of template, "one" or "several" photos
CALIBRATION = "calibration.json"
KNOWN, UNKNOWN = "known", "unknown"  # decisions
SCORE = "cosine"
FPIR = 0.01
LARGEST_RATE = BODY[-1]
LEAST_PAIRS = 10  # of persons beyond a threshold; with fewer, the upper end of its interval is used
HIGHEST_SCORE = 0.95  # of a threshold; photos of one person on one day reach it hardly ever


@dataclasses.dataclass(frozen=True)
class Threshold:
    """The least score for a name, and what it promises.

    Attributes:
        score: a cosine, or a probability of a closed set; None: no name is ever given.
        rule: "fpir", "far", "given" (by whoever asked), "closed_set" or "none".
        rate: of the rule "fpir" or "far".
        persons: in the gallery; None where the rule does not depend on it.
        interval: 95 % interval of the score that keeps the rate, over the persons of the calibration.
        pairs_beyond: pairs of different persons in the calibration of whom a comparison was above it.
        extrapolated: fewer than 10 pairs of persons were above it, so `score` is the upper end of the interval.
    """

    score: float | None
    rule: str
    rate: float | None = None
    persons: int | None = None
    interval: tuple[float, float] | None = None
    pairs_beyond: int | None = None
    extrapolated: bool = False

    def reached_by(self, score: float) -> bool:
        """Whether a score gives a name; one that is not a number does not."""
        return self.score is not None and score >= self.score

    def decision(self, score: float) -> str:
        """ "known" or "unknown", by the score of the best name."""
        return KNOWN if self.reached_by(score) else UNKNOWN

    def as_json(self) -> dict[str, Any]:
        """What an answer says about it."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in dataclasses.asdict(self).items()
            if value is not None
        }

    def in_words(self) -> str:
        """What it is and what it promises, in a sentence or two."""
        if self.rule == "given":
            return f"A name needs a score of {self.score:.3f}, as asked; what that promises, nobody has measured."
        if self.rule == "closed_set":
            return (
                f"A name needs a probability of {self.score:g}; the classifier takes every face for one of its own "
                "persons and cannot tell strangers."
            )
        if self.rule == "none":
            return "The classifier gives probabilities and cannot tell strangers, so nobody is named."
        if self.rule == "far":
            text = f"a FAR of {self.rate:.1%} of each comparison with one person"
        else:
            text = f"an FPIR of {self.rate:.1%} for {self.persons:,} person{'s' if self.persons != 1 else ''}"
        if self.score is None:
            return f"No threshold keeps {text} with this calibration, so nobody is named; ask for a larger rate."
        return f"A name needs a cosine of {self.score:.3f}, for {text}.{self._extrapolation()}"

    def _extrapolation(self) -> str:
        if not self.extrapolated:
            return ""
        pairs = counted(self.pairs_beyond or 0, "pair of persons was", "pairs of persons were")
        return f" It is extrapolated: only {pairs} so alike in the calibration."


@dataclasses.dataclass(frozen=True)
class DecisionRule:
    """What a user asks for.

    Attributes:
        fpir: false positive identification rate, in (0, 0.5].
        far: false accept rate of single comparisons, in (0, 0.5], in its place.
        threshold: the least score itself, in the place of both.

    Raises:
        UserError: a rate is out of range.
    """

    fpir: float = FPIR
    far: float | None = None
    threshold: float | None = None

    def __post_init__(self) -> None:
        for name, rate in (("fpir", self.fpir), ("far", self.far)):
            if rate is not None and not 0 < rate <= LARGEST_RATE:
                raise UserError(f"The {name.upper()} is {rate}; it must be above 0 and at most {LARGEST_RATE}.")
        if self.threshold is not None and not math.isfinite(self.threshold):
            raise UserError(f"The threshold is {self.threshold}; it must be a number.")

    def threshold_for(self, strangers: Strangers | None, persons: int) -> Threshold:
        """The threshold for a gallery of so many persons.

        Args:
            strangers: the calibration of the network; None where there is none.

        Raises:
            UserError: there is no calibration, and no threshold was given.
        """
        if self.threshold is not None:
            return Threshold(self.threshold, "given")
        if strangers is None:
            raise UserError("There is no calibration to take a threshold from.")
        if self.far is not None:
            return _threshold(strangers, self.far, "far", self.far, persons=None)
        # Equal to 1 - (1 - fpir)^(1 / persons), without the rounding of large galleries.
        share = -math.expm1(math.log1p(-self.fpir) / persons)
        return _threshold(strangers, share, "fpir", self.fpir, persons=persons)


def _threshold(strangers: Strangers, share: float, rule: str, rate: float, *, persons: int | None) -> Threshold:
    def least_score(quantile: Quantile) -> float:
        return quantile.interval[1] if quantile.pairs_beyond < LEAST_PAIRS else quantile.score

    quantile = max((tail.quantile(share) for tail in strangers.values()), key=least_score)
    score = least_score(quantile)
    extrapolated = quantile.pairs_beyond < LEAST_PAIRS
    kept = score if score <= HIGHEST_SCORE else None
    return Threshold(kept, rule, rate, persons, quantile.interval, quantile.pairs_beyond, extrapolated)


def write_calibration(
    folder: Path, record: Mapping[str, Any], strangers: Strangers, made_of: Mapping[str, Any]
) -> Path:
    """Writes `<folder>/calibration.json`, whole or not at all, and returns its path.

    Args:
        folder: that of the model, such as saved_models/siamese: the files of a version are check-summed.
        record: the `model.json` of the export that was measured.
        made_of: what the calibration was made of, to be read by people.
    """
    value = {
        "schema": SCHEMA,
        "model": record["name"],
        "sha256": record["sha256"],
        "score": SCORE,
        "strangers": {kind: _rounded(dataclasses.asdict(tail)) for kind, tail in strangers.items()},
        "made_of": dict(made_of),
    }
    write_json(folder / CALIBRATION, value)
    return folder / CALIBRATION


def carry_calibration(source: Path, folder: Path, record: Mapping[str, Any]) -> Path | None:
    """Gives an export that gives the cosines of another one the calibration of that one.

    It is the same embedder in another precision, or a classifier that compares its embeddings with templates.

    Args:
        source: version folder of the export that was calibrated.
        folder: that of the new model, such as saved_models/siamese_bfloat16.
        record: `model.json` of the new export.

    Returns:
        The path of the new file; None where the source has none of its own, or the folder has one already.
    """
    path = source.resolve().parent / CALIBRATION
    if not path.is_file() or (folder / CALIBRATION).exists():
        return None
    stored = read_json(path)
    measured_with = read_json(source / RECORD)["sha256"]
    if not isinstance(stored, dict) or stored.get("sha256") != measured_with:
        return None
    carried = {"model": record["name"], "sha256": record["sha256"], "measured_with": measured_with}
    write_json(folder / CALIBRATION, {**stored, **carried})
    return folder / CALIBRATION


def read_calibration(version: Path, checksum: str) -> Strangers | None:
    """Reads the calibration of an export, which lies beside its version folder.

    Args:
        version: the version folder, such as saved_models/siamese/1.
        checksum: SHA-256 of its content, as `lrfr_tf.networks.saved_model.content_checksum` gives it.

    Returns:
        None where there is no such file.

    Raises:
        UserError: the file is damaged or belongs to another export; the message names it.
    """
    path = version.resolve().parent / CALIBRATION
    if not path.exists():
        return None
    stored = read_json(path)
    if not isinstance(stored, dict) or stored.get("schema") != SCHEMA or stored.get("score") != SCORE:
        raise UserError(
            f"{path} holds no {SCORE} calibration of schema {SCHEMA}; lrfr calibrate makes one (an older one holds "
            "thresholds of pairs, which do not say how often a stranger is named)."
        )
    if stored.get("sha256") != checksum:
        raise UserError(f"{path} was made for another export than {version} (sha256 differs); see lrfr calibrate.")
    try:
        strangers = {kind: _stranger_tail(tail) for kind, tail in stored["strangers"].items()}
        if not strangers:
            raise ValueError("no tail")
        return strangers
    except (AttributeError, KeyError, TypeError, ValueError):
        raise UserError(f"{path} is damaged: it does not hold the tail of the comparisons of strangers.") from None


def _rounded(value: Any) -> Any:
    """The same with six digits of each number: more than the data give, and a file half as long."""
    if isinstance(value, dict):
        return {name: _rounded(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(item) for item in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _stranger_tail(stored: Mapping[str, Any]) -> StrangerTail:
    resamples = tuple((float(share), float(shape), float(scale)) for share, shape, scale in stored["resamples"])
    body = tuple((float(share), float(score)) for share, score in stored["body"])
    pairs = tuple(float(score) for score in stored["pairs"])
    start, share, shape, scale = (float(stored[name]) for name in ("start", "share", "shape", "scale"))
    tail = StrangerTail(
        int(stored["persons"]), int(stored["comparisons"]), start, share, shape, scale, resamples, body, pairs
    )
    numbers = [start, shape, *pairs, *(value for row in (*resamples, *body) for value in row)]
    shares = [share, *(row[0] for row in (*resamples, *body))]
    scales = [scale, *(row[2] for row in resamples)]
    good = all(map(math.isfinite, numbers)) and all(0 < value < 1 for value in shares) and min(scales) > 0
    if not good or not resamples or not body or body[-1][0] != LARGEST_RATE:
        raise ValueError("not the tail of a distribution")
    return tail
