"""What clients of a service saw -> figures: throughput, latencies, refusals, and whether the answers are right."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lrfr_tf.speed.load import BUSY, OK, Load, Sent
from lrfr_tf.speed.targets import Target

# Of one request alone: they differ however equal the answers are.
OF_A_REQUEST = ("request_id", "record")


@dataclasses.dataclass(frozen=True)
class LoadFigures:
    """One load.

    Attributes:
        clients: at once.
        seconds: for which they sent.
        answered: requests with a good answer.
        per_second: good answers that came within these seconds, a second.
        p50_s, p99_s, longest_s: seconds of good answers.
        share_busy: of all requests, those refused with 503.
        all_say_when: whether each refusal had Retry-After.
        other: requests that ended in any other way.
        same: good answers that are bit for bit those to a single client.
        same_names: those with the same faces, decisions and names.
        largest_difference: of a score, to that of a single client.
        clients_cpu: of the processors' time, what the clients needed themselves, in processors.
    """

    clients: int
    seconds: float
    answered: int
    per_second: float
    p50_s: float
    p99_s: float
    longest_s: float
    share_busy: float
    all_say_when: bool
    other: int
    same: int
    same_names: int
    largest_difference: float
    clients_cpu: float


def figures_of(clients: int, load: Load, serial: Mapping[int, Any]) -> LoadFigures:
    """The figures of a load.

    Args:
        serial: the answer to each photo that a single client got, by position, as `answer_of` gives it.
    """
    good = [one for one in load.sent if one.status == OK]
    busy = [one for one in load.sent if one.status == BUSY]
    pace = pace_of(load)
    answers = [(answer_of(one), serial[one.photo]) for one in good]
    return LoadFigures(
        clients,
        round(load.seconds, 1),
        len(good),
        pace.per_second,
        pace.p50_s,
        pace.p99_s,
        max((one.seconds for one in good), default=float("nan")),
        len(busy) / max(1, len(load.sent)),
        all(one.retry_after is not None for one in busy),
        pace.failed - len(busy),
        sum(answer == expected for answer, expected in answers),
        sum(_names(answer) == _names(expected) for answer, expected in answers),
        max((_difference(answer, expected) for answer, expected in answers), default=0.0),
        load.cpu_seconds / load.seconds,
    )


@dataclasses.dataclass(frozen=True)
class Pace:
    """How fast a service answered a load, whatever the answers.

    Attributes:
        per_second: good answers that came within the seconds of the load, a second.
        p50_s, p99_s: seconds of good answers; NaN where there was none.
        failed: requests without a good answer.
    """

    per_second: float
    p50_s: float
    p99_s: float
    failed: int


def pace_of(load: Load) -> Pace:
    """How fast the service of this load answered."""
    good = [one for one in load.sent if one.status == OK]
    seconds = np.array([one.seconds for one in good] or [np.nan])
    in_time = sum(one.began + one.seconds <= load.seconds for one in good)
    p50, p99 = (float(np.quantile(seconds, share)) for share in (0.5, 0.99))
    return Pace(in_time / load.seconds, p50, p99, len(load.sent) - len(good))


def answer_of(one: Sent) -> Any:
    """What was answered, without what belongs to one request alone."""
    return _without(json.loads(one.body))


def load_targets(facts: Mapping[str, Any]) -> list[Target]:
    """What each load must hold; `facts` as tools/repository/bench_service.py writes them."""
    single, own, queue = facts["single"], facts["recognizer_per_second"], facts["queue"]
    found = []
    for row in facts["loads"]:
        clients, rate, p99 = row["clients"], row["per_second"], row["p99_s"]
        name = f"{clients} clients"
        if clients <= queue:
            found.append(Target(name, "no 503", f"{row['share_busy']:.1%}", row["share_busy"] == 0))
        else:
            text = f"{row['share_busy']:.0%} of requests"
            found.append(Target(name, "503 with Retry-After", text, row["share_busy"] > 0 and row["all_say_when"]))
        if clients <= 8:
            most, what = 8 * single["p50_s"], "8 times a single call"
        elif clients <= queue:
            most, what = 1.5 * clients / rate, f"1.5 times {clients} / throughput"
        else:
            most, what = 2 * queue / rate, f"2 times {queue} / throughput"
        found.append(Target(name, f"p99 at most {what}: {most:.2f} s", f"{p99:.2f} s", p99 <= most))
        if 8 < clients <= queue:
            share = rate / own
            found.append(Target(name, "85 % of the recognizer's own rate", f"{share:.0%}", share >= 0.85))
        wrong = row["answered"] - row["same_names"] + row["other"]
        found.append(Target(name, "answers as to a single client", f"{wrong} others", wrong == 0))
    memory = facts["memory_mb"]
    growth = memory["end"] - memory["after_first_load"]
    text = f"{growth:+.0f} MB at {memory['end']:.0f} MB"
    must = "memory flat after the first load, within 5 %"
    return [*found, Target("all", must, text, growth <= 0.05 * memory["after_first_load"])]


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without(one) for name, one in value.items() if name not in OF_A_REQUEST}
    return [_without(one) for one in value] if isinstance(value, list) else value


def _names(answer: Any) -> list[tuple[str, str | None]]:
    return [(face["decision"], face["name"]) for face in answer["faces"]]


def _difference(answer: Any, expected: Any) -> float:
    pairs: Sequence[tuple[Any, Any]] = list(zip(answer["faces"], expected["faces"], strict=False))
    return max((abs(one["score"] - other["score"]) for one, other in pairs), default=0.0)
