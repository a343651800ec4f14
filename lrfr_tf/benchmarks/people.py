"""Open-set identification of people in photos: figures for each face height and gallery size."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lrfr_tf.benchmarks.curves import draw_curves
from lrfr_tf.benchmarks.figures import format_interval
from lrfr_tf.benchmarks.people_faces import Condition, PeopleFaces
from lrfr_tf.errors import UserError
from lrfr_tf.evaluation.random_galleries import (
    Outcome,
    Photos,
    check_gallery_size,
    det_curve,
    false_positive_rate,
    identify_in_galleries,
    known_share,
    pool_outcomes,
    tpir_at_fpir,
)
from lrfr_tf.plural import counted
from lrfr_tf.recognition.calibration import Threshold

HEIGHTS = (12, 16, 24, 32, 40)
POOLED = (16, 40)  # heights over which the false positive rate is taken together
RATES = (0.01, 0.05)  # FPIR at which TPIR is given
ROW = "{:>16} {:>8} {:>7} {:>7} {:>22} {:>7} {:>20} {:>21} {:>7}"

Curve = tuple[np.ndarray, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Drawing:
    """How galleries are drawn: photos of each enrolled person, number of drawings, seed."""

    photos: int
    draws: int
    seed: int


def protocol(drawing: Drawing) -> str:
    """The protocol in words, for the result."""
    return (
        f"In each of {drawing.draws} drawings some persons are enrolled with {counted(drawing.photos, 'photo')} each, "
        "as they "
        "are. All their other photos, and those of all other persons (strangers), are shrunk until the face is S "
        "pixels high (never enlarged), by Pillow's bicubic or as the camera model of docs/camera.md does it, and the "
        "largest face is looked for, aligned and embedded. A person is the mean embedding. FPIR: share of decisions "
        "about strangers that give a name; where no face is found there is no decision. TPIR: share of the enrolled "
        "persons' photos that get the right name; a face that is not found is a miss. Intervals: 95 %, persons drawn "
        "with replacement, for FPIR strangers and enrolled alike. 'At FPIR' takes the threshold from these very "
        "strangers: to compare networks, not a promise."
    )


def check_sizes(photos_each: Sequence[int], sizes: Sequence[int], photos: int) -> None:
    """Refuses galleries for which there are too few people, before anything takes time.

    Args:
        photos_each: how many photos there are of each person.
        sizes: numbers of persons in a gallery.
        photos: of each enrolled person.

    Raises:
        UserError: there are too few.
    """
    for size in sizes:
        try:
            check_gallery_size(np.array(photos_each), size, photos)
        except ValueError as error:
            raise UserError(str(error)) from None


def evaluate_people(
    faces: PeopleFaces,
    thresholds: Mapping[int, Threshold],
    drawing: Drawing,
    progress: Callable[[Iterable[int]], Iterable[int]] = iter,
) -> tuple[dict[str, Any], dict[str, Curve]]:
    """Measures each condition with each size of a gallery.

    Args:
        faces: as `embed_people` gives them.
        thresholds: number of persons in a gallery -> the threshold that is used for it.
        progress: wraps the gallery sizes.

    Returns:
        (figures for the result, the DET curve of each condition at the largest gallery).

    Raises:
        UserError: the people or their photos are too few for such galleries, or all faces are smaller.
    """
    rows: list[dict[str, Any]] = []
    pools: list[dict[str, Any]] = []
    curves: dict[str, Curve] = {}
    for size in progress(thresholds):
        outcomes: dict[Condition, Outcome] = {}
        for at, condition in enumerate(faces.conditions):
            photos = Photos(
                faces.persons, faces.embeddings[0], faces.embeddings[at], faces.found[at], faces.possible[at]
            )
            outcome = _identified(photos, size, thresholds[size], drawing)
            if outcome.strangers.sum() == 0 or outcome.known.sum() == 0:
                continue  # all faces are smaller than that, or none is found
            outcomes[condition] = outcome
            rows.append({**condition._asdict(), "persons": size, **_figures(outcome)})
            curves[condition.name] = det_curve(outcome)
        for camera in dict.fromkeys(condition.camera for condition in faces.conditions):
            within = [
                outcome
                for condition, outcome in outcomes.items()
                if condition.camera == camera and POOLED[0] <= condition.height <= POOLED[1]
            ]
            if within:
                rate, interval = false_positive_rate(pool_outcomes(within))
                pool = {"heights": list(POOLED), "camera": camera, "persons": size}
                pools.append({**pool, "fpir": rate, "interval_95": list(interval)})
    if not rows:
        raise UserError("No face of these people was found at any of the heights, so there is nothing to measure.")
    people = np.unique(faces.persons)
    measured = {
        "counts": {"persons": len(people), "photos": len(faces.persons)},
        "people": [faces.names[person] for person in people],
        "thresholds": {str(size): threshold.as_json() for size, threshold in thresholds.items()},
        "rows": rows,
        "pooled": pools,
    }
    return measured, curves


def _identified(photos: Photos, size: int, threshold: Threshold, drawing: Drawing) -> Outcome:
    least = np.inf if threshold.score is None else threshold.score
    try:
        return identify_in_galleries(photos, size, drawing.photos, least, draws=drawing.draws, seed=drawing.seed)
    except ValueError as error:
        raise UserError(str(error)) from None


def _figures(outcome: Outcome) -> dict[str, Any]:
    def shares(counts: np.ndarray) -> dict[str, Any]:
        share, interval = known_share(outcome, counts)
        return {"share": share, "interval_95": list(interval)}

    fpir, interval = false_positive_rate(outcome)
    at_rates = {}
    for rate in RATES:
        share, ends, score = tpir_at_fpir(outcome, rate)
        at_rates[str(rate)] = {"tpir": share, "interval_95": list(ends), "score": score}
    return {
        "asked": int(outcome.known.sum()),
        "strangers": int(outcome.strangers.sum()),
        "found": shares(outcome.known_found),
        "right": shares(outcome.right),
        "wrong_name": shares(outcome.wrong),
        "fpir": {"share": fpir, "interval_95": list(interval)},
        "tpir_at_fpir": at_rates,
    }


def people_lines(result: Mapping[str, Any]) -> list[str]:
    """The table of a result, in percent."""
    stated = result["config"]["fpir"]
    lines = [ROW.format("face height", "persons", "asked", "found", "right name", "wrong", "strangers named",
                        f"TPIR at FPIR {RATES[0]:.0%}", f"{RATES[1]:.0%}")]  # fmt: skip
    for row in result["rows"]:
        at = row["tpir_at_fpir"]
        first, second = (at[str(rate)] for rate in RATES)
        lines.append(
            ROW.format(
                Condition(row["height"], row["camera"]).name,
                row["persons"],
                row["asked"],
                f"{100 * row['found']['share']:.1f}",
                _percent(row["right"]),
                f"{100 * row['wrong_name']['share']:.1f}",
                _percent(row["fpir"], 2),
                _percent({"share": first["tpir"], **first}),
                f"{100 * second['tpir']:.1f}",
            )  # fmt: skip
        )
    for pool in result["pooled"]:
        first, last = pool["heights"]
        lines.append(
            f"{counted(pool['persons'], 'person')}, {pool['camera']}, {first} to {last} px: FPIR "
            f"{100 * pool['fpir']:.2f} % "
            f"{format_interval(pool['interval_95'], '.2f')}, stated {100 * stated:g} %"
        )
    return lines


def _percent(value: Mapping[str, Any], digits: int = 1) -> str:
    return f"{100 * value['share']:.{digits}f} {format_interval(value['interval_95'], f'.{digits}f')}"


def draw_people(output: Path, model: str, curves: Mapping[str, Curve]) -> None:
    """Draws result.det.png beside result.json."""
    draw_curves(
        output.with_suffix(".det.png"), model, "false positive identification rate", "false negative rate (1 - TPIR)",
        curves=dict(curves), log_x=True,
    )  # fmt: skip
