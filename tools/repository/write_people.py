"""Writes how well people are identified into docs/identifying.md and the model card, out of measured results.

    python tools/repository/write_people.py --result=runs/evaluation/people.json \\
        --before=runs/evaluation/people_before.json --documents=docs/identifying.md,saved_models/siamese/MODEL_CARD.md

Only persons of the reported half are written down, at the threshold of the shipped calibration; no figure is typed.
"""

import dataclasses
import textwrap
from typing import Any

from lrfr_tf.benchmarks.people_faces import Condition
from lrfr_tf.config import option, required
from lrfr_tf.data.held_out import REPORTED, held_out_half
from lrfr_tf.errors import UserError
from lrfr_tf.files import read_json, replace_between_markers
from lrfr_tf.main import run

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
    text = people_table(result)
    if config.before is not None:
        before = read_json(config.before)
        if (
            any(before["config"][flag] != result["config"][flag] for flag in COMPARED)
            or before["people"] != result["people"]
        ):
            raise UserError(f"{config.before} was measured on other people, or drawn in another way.")
        text += f"\n\n{misses_table(result, before)}"
    for document in config.documents:
        replace_between_markers(document, text, MARK)
        print(document)


def people_table(result: dict[str, Any]) -> str:
    """The figures of each height and gallery size, in percent, and what holds over all of them."""
    sizes = sorted({row["persons"] for row in result["rows"]})
    heads = [f"{what}, {size} persons" for size in sizes for what in ("right name", "strangers named")]
    lines = ["| face height | found | " + " | ".join(heads) + " |", "| --: " * (2 + len(heads)) + "|"]
    by_place = {(Condition(row["height"], row["camera"]), row["persons"]): row for row in result["rows"]}
    for condition in sorted({place[0] for place in by_place}, key=lambda place: (place.camera, place.height or 10_000)):
        rows = [by_place[condition, size] for size in sizes]
        cells = [cell for row in rows for cell in (_percent(row["right"], 1), _percent(row["fpir"], 2))]
        lines.append(f"| {condition.name} | {100 * rows[0]['found']['share']:.1f} | {' | '.join(cells)} |")
    pools = [
        f"{100 * pool['fpir']:.2f} % [{100 * pool['interval_95'][0]:.2f}, {100 * pool['interval_95'][1]:.2f}] with "
        f"{pool['persons']} persons ({pool['camera']})"
        for pool in result["pooled"]
    ]
    first = result["pooled"][0]["heights"]
    thresholds = [f"{value['score']:.3f} for {size}" for size, value in result["thresholds"].items()]
    counts, config = result["counts"], result["config"]
    words = (
        f"In percent, with 95 % intervals over persons. {counts['photos']:,} photos of {counts['persons']} persons "
        f"whom neither the network nor its calibration has seen, {config['draws']} random drawings of the gallery; "
        f"{config['gallery_photos']} photos a person are enrolled, as they are, and all other photos are asked about, "
        f"shrunk, and faces of {config['min_face_size']} px and more looked for. Stated: "
        f"{100 * config['fpir']:g} % of decisions about strangers give a name; realized over "
        f"{first[0]} to {first[1]} px: {' and '.join(pools)}. The threshold is a cosine of {', '.join(thresholds)} "
        "persons."
    )
    return "\n".join([*lines, "", *textwrap.wrap(words, 120, break_long_words=False, break_on_hyphens=False)])


def misses_table(result: dict[str, Any], before: dict[str, Any]) -> str:
    """How many of those who are enrolled two networks miss, in the largest gallery, 1 % of strangers named."""
    persons = max(row["persons"] for row in result["rows"])
    tables = [
        {
            Condition(row["height"], row["camera"]).name: 1 - row["tpir_at_fpir"]["0.01"]["tpir"]
            for row in each["rows"]
            if row["persons"] == persons
        }
        for each in (result, before)
    ]
    lines = ["| face height | missed by the version before | missed | share |", "| --: | --: | --: | --: |"]
    for name, missed in tables[0].items():
        if name in tables[1]:
            old = tables[1][name]
            lines.append(f"| {name} | {100 * old:.1f} | {100 * missed:.1f} | {missed / max(old, 1e-9):.2f} |")
    words = (
        f"Of {persons} persons, both networks at the threshold at which 1 % of these very strangers get a name: that "
        "compares networks, and promises nothing. A face that is not found is missed, by both alike."
    )
    return "\n".join([*lines, "", *textwrap.wrap(words, 120, break_long_words=False, break_on_hyphens=False)])


def _percent(value: dict[str, Any], digits: int) -> str:
    low, high = value["interval_95"]
    return f"{100 * value['share']:.{digits}f} [{100 * low:.{digits}f}, {100 * high:.{digits}f}]"


if __name__ == "__main__":
    run(main, Config)
