"""Writes how well people are identified into docs/identifying.md and the model card, out of measured results.

    python tools/repository/write_people.py --result=runs/evaluation/people.json \\
        --before=runs/evaluation/people_before.json --documents=docs/identifying.md,saved_models/siamese/MODEL_CARD.md

Only persons of the reported half are written down, at the threshold of the shipped calibration; no figure is typed.
"""

import dataclasses
from pathlib import Path
from typing import Any

import lrfr_tf.quiet  # noqa: F401

from lrfr_tf.benchmarks.people_faces import Condition
from lrfr_tf.config import option, required
from lrfr_tf.data.held_out import REPORTED, held_out_half
from lrfr_tf.errors import UserError
from lrfr_tf.export.model_card import fill_template, wrap_paragraphs
from lrfr_tf.files import read_json, replace_between_markers
from lrfr_tf.main import run

TEMPLATE = Path(__file__).parent / "templates" / "people.md.jinja"
MARK = "people"
# What must be alike for two networks to be compared.
COMPARED = ("gallery_photos", "draws", "seed", "min_face_size")


@dataclasses.dataclass(frozen=True)
class Config:
    result: str = required("result of tools/evaluate_people.py")
    before: str | None = option(None, "the result of another network on the same people: a second table compares both")
    documents: tuple[str, ...] = option(("docs/identifying.md",), "files whose part between two marks gets the table")


def main(config: Config) -> None:
    result = read_json(config.result)
    wrong = [name for name in result["people"] if held_out_half(name) != REPORTED]
    if wrong:
        raise UserError(f"{config.result} measures {wrong[0]}, who is not in the half that is reported.")
    rules = {threshold["rule"] for threshold in result["thresholds"].values()}
    if rules != {"fpir"}:
        raise UserError(f"{config.result} was measured at a threshold that no calibration gave.")
    missed = []
    if config.before is not None:
        before = read_json(config.before)
        if (
            any(before["config"][flag] != result["config"][flag] for flag in COMPARED)
            or before["people"] != result["people"]
        ):
            raise UserError(f"{config.before} was measured on other people, or drawn in another way.")
        missed = missed_by_both(result, before)
    sizes = sorted({row["persons"] for row in result["rows"]})
    text = wrap_paragraphs(
        fill_template(TEMPLATE, result=result, sizes=sizes, conditions=conditions(result, sizes), missed=missed)
    )
    for document in config.documents:
        replace_between_markers(document, text.strip(), MARK)
        print(document)


def conditions(result: dict[str, Any], sizes: list[int]) -> list[tuple[Condition, list[dict[str, Any]]]]:
    """Each camera and face height, with the rows of each gallery size."""
    by_place = {(Condition(row["height"], row["camera"]), row["persons"]): row for row in result["rows"]}
    ordered = sorted({place[0] for place in by_place}, key=lambda place: (place.camera, place.height or 10_000))
    return [(condition, [by_place[condition, size] for size in sizes]) for condition in ordered]


def missed_by_both(result: dict[str, Any], before: dict[str, Any]) -> list[tuple[str, float, float]]:
    """(condition, the share of those enrolled that the other network misses, that this one does), largest gallery."""
    persons = max(row["persons"] for row in result["rows"])
    new, old = (
        {
            Condition(row["height"], row["camera"]).name: 1 - row["tpir_at_fpir"]["0.01"]["tpir"]
            for row in each["rows"]
            if row["persons"] == persons
        }
        for each in (result, before)
    )
    return [(name, old[name], missed) for name, missed in new.items() if name in old]


if __name__ == "__main__":
    run(main, Config)
