"""Speed targets: what had to be reached, and what was."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from lrfr_tf.speed.peers import BFLOAT16, FACENET_PYTORCH, OURS
from lrfr_tf.speed.record import Row

Result = dict[str, Any]
BATCHED = "64 images of 64 x 64"
LIMITS_MS = {"SRGAN + FaceNet + softmax head": 60.0, "Siamese + gallery": 45.0}


@dataclasses.dataclass(frozen=True)
class Target:
    """What had to be reached in a stage, and what was. `held` is None where it was not measured in this run."""

    stage: str
    must: str
    reached: str
    held: bool | None


def targets(results: dict[str, Result]) -> list[Target]:
    """Every target whose stage was measured. Ratios are of medians, and the least over cases (and threads) counts."""
    judges = {
        "detect": _detect_targets,
        "embed": _embed_targets,
        "super_resolve": _super_resolve_targets,
        "identify": _identify_targets,
        "extract": _extract_targets,
        "start": _start_targets,
    }
    return [target for stage, judge in judges.items() if stage in results for target in judge(results[stage])]


def ratios(rows: Sequence[Row], peer: str, measure: str, ours: str = OURS) -> dict[tuple[str, int, int], float]:
    """(case, threads, batch) -> how many times our time the peer takes; cases that one of them lacks are left out.

    Args:
        measure: "cpu" or "wall"; the medians are compared.
    """

    def times(name: str) -> dict[tuple[str, int, int], float]:
        chosen = [row for row in rows if row.peer == name]
        return {(row.case, row.threads, row.batch): getattr(row, f"{measure}_ms_median") for row in chosen}

    mine, theirs = times(ours), times(peer)
    return {key: theirs[key] / mine[key] for key in mine if key in theirs}


def _least(stage: str, must: str, found: dict[Any, float], at_least: float) -> Target:
    if not found:
        return Target(stage, must, "not measured", None)
    lowest, highest = min(found.values()), max(found.values())
    span = f"{lowest:.2f} to {highest:.2f} times" if len(found) > 1 else f"{lowest:.2f} times"
    return Target(stage, must, span, lowest >= at_least)


def _detect_targets(result: Result) -> list[Target]:
    def compare(peer: str, batched: bool) -> dict[Any, float]:
        return {
            key: value for key, value in ratios(result["rows"], peer, "cpu").items() if (key[0] == BATCHED) is batched
        }

    torch = "CPU time of facenet-pytorch's MTCNN against ours: at least 1, batch 1"
    return [
        _least("detect", torch, compare(FACENET_PYTORCH, False), 1.0),
        _least("detect", "the mtcnn package against ours, CPU time: at least 3, batch 1", compare("mtcnn", False), 3.0),
        _least("detect", f"the same, {BATCHED} in one call: at least 2", compare("mtcnn", True), 2.0),
    ]


def _embed_targets(result: Result) -> list[Target]:
    must = "CPU time of facenet-pytorch, as it hands on its crops, against ours: at least 1.7"
    found = ratios(result["rows"], FACENET_PYTORCH, "cpu")
    rounded = ratios(result["rows"], FACENET_PYTORCH, "cpu", OURS + BFLOAT16)
    return [
        _least("embed", must, found, 1.7),
        _least("embed", "the same, ours with the same weights computing in bfloat16: at least 1.7", rounded, 1.7),
    ]


def _super_resolve_targets(result: Result) -> list[Target]:
    facts, rows = result["facts"], result["rows"]
    title = "srgan" if any(row.case == "srgan" for row in rows) else rows[0].case
    of_shipped = [row for row in rows if row.case == title]
    predict = ratios([row for row in of_shipped if row.batch == 1], "model.predict", "wall")
    found = [_least("super-resolve", "model.predict against ours, batch 1: at least 4", predict, 4.0)]
    for row in of_shipped:
        if row.peer == OURS and row.batch == 32:
            product = facts["matrix_product_gflop_per_second"][f"{title}, batch 32"]
            share = facts["gflop_a_face"][title] * 1000 / row.wall_ms_median / product
            must = "batch 32 at 65 % of the float32 matrix product's rate or more"
            found.append(Target("super-resolve", must, f"{share:.0%}", share >= 0.65))
    return found


def _identify_targets(result: Result) -> list[Target]:
    found = []
    for row in result["rows"]:
        if row.case in LIMITS_MS:
            limit, reached = LIMITS_MS[row.case], row.wall_ms_median
            must = f"{row.case}, one 16 px probe, warm: at most {limit:.0f} ms"
            found.append(Target("identify", must, f"{reached:.1f} ms", reached <= limit))
    return found


def _extract_targets(result: Result) -> list[Target]:
    facts = result["facts"]
    memory = {int(crops): size for crops, size in facts["memory_mb"].items()}
    share = facts["crops_per_second"] / facts["network_alone_crops_per_second"]
    rate = f"{facts['crops_per_second']:.1f} crops/s, {share:.1%} of the network alone"
    found = [Target("extract", "rate within 10 % of the network alone", rate, share >= 0.9)]
    if len(memory) > 1:
        first, last = min(memory), max(memory)
        growth = memory[last] - memory[first]
        must = f"no memory growth between crop {first:,} and {last:,}"
        # The allocator's own noise; one shard of crops that stayed would be 79 MB.
        found.append(
            Target("extract", must, f"{growth:+.0f} MB at {memory[last]:.0f} MB", growth <= 0.02 * memory[first])
        )
    return found


def _start_targets(result: Result) -> list[Target]:
    heavy = result["facts"]["heavy_packages_of_import_lrfr_tf"]
    reached = "imports " + ", ".join(heavy) if heavy else "nothing"
    return [Target("start", "`import lrfr_tf` imports nothing heavy", reached, not heavy)]
