"""Writes saved_models/siamese/MODEL_CARD.md and README's table out of measured results; no figure is typed.

The part about identifying people is left to tools/repository/write_people.py.

python tools/repository/write_embedder_card.py --flagfile=configs/write_embedder_card.cfg
"""

import dataclasses
from pathlib import Path
from typing import Any

import lrfr_tf.quiet  # noqa: F401

from lrfr_tf.benchmarks.scface.protocol import pooled_difference
from lrfr_tf.config import option, required
from lrfr_tf.errors import UserError
from lrfr_tf.export.model_card import fill_template, wrap_paragraphs
from lrfr_tf.files import atomic_file, read_json, replace_between_markers
from lrfr_tf.images.camera import CLEAN_LEVEL
from lrfr_tf.main import run
from lrfr_tf.networks.saved_model import find_version, read_record

TEMPLATE = Path(__file__).parent / "templates" / "embedder_card.md.jinja"
MARK = "siamese"
SHORT_LEVELS = (CLEAN_LEVEL, "moderate")  # of README's table, which has room for two
SHORT_ROWS = 10


@dataclasses.dataclass(frozen=True)
class Config:
    training: tuple[str, ...] = required("run folders of train_distillation, each going on from the one before")
    hours: float = required("how long the trainings took on two cores, in hours")
    lfw: str = required("result of tools/evaluate_lfw.py for the export, with --baseline=the previous version's")
    lfw_before: str = required("the previous version's result on the same pairs")
    lfw_start: str = required("the result of the network that the weights began as")
    frmdb: str = required("result of tools/evaluate_frmdb.py, with --baseline=that of the network it began as")
    frmdb_before: str = required("the previous version's")
    frmdb_start: str = required("that of the network that the weights began as")
    scface: tuple[str, ...] = option(
        (),
        "results of tools/evaluate_scface.py as 10-17-30=file (eyes apart, px), --baseline being the version before",
    )
    scface_before: tuple[str, ...] = option((), "the previous version's on the same trees, in the same form and order")
    lfw_facenet: str | None = option(None, "FaceNet's result on the same pairs, for the table of --readme")
    saved_model: str = option("saved_models/siamese", "the exports")
    readme: str | None = option(None, "a file whose part between two marks gets the table of --lfw_facenet")


def main(config: Config) -> None:
    target = Path(config.saved_model)
    version = find_version(target)
    if version is None:
        raise UserError(f"{target} holds no export; make it with tools/export_saved_model.py.")
    record = read_record(version)
    lfw, frmdb = read_json(config.lfw), read_json(config.frmdb)
    ranks = [(eyes, read_json(file)) for eyes, file in _named(config.scface)]
    before = [read_json(file) for _, file in _named(config.scface_before)]
    if config.readme is not None and config.lfw_facenet is None:
        raise UserError("--readme shows FaceNet beside ours; give its result as --lfw_facenet.")
    if len(ranks) != len(before):
        raise UserError("--scface and --scface_before name different numbers of results.")
    for result in (lfw, frmdb, *(result for _, result in ranks)):
        if result["model"]["sha256"] != record["sha256"]:
            raise UserError(f"A result is not that of {version}: evaluate that export first (its sha256 differs).")
    others = {
        name: read_json(getattr(config, name)) for name in ("lfw_before", "lfw_start", "frmdb_before", "frmdb_start")
    }
    for name in ("lfw_before", "lfw_start"):
        _check_same_pairs(lfw, others[name])
    text = fill_template(
        TEMPLATE,
        **_training(config, record),
        **others,
        record=record,
        lfw=lfw,
        frmdb=frmdb,
        scface=[(eyes, result, old) for (eyes, result), old in zip(ranks, before, strict=True)],
        pooled=pooled_difference([result for _, result in ranks], before) if ranks else None,
        format_interval=_interval,
        points=_difference,
    )
    short = None if config.lfw_facenet is None else short_table(lfw, read_json(config.lfw_facenet))
    with atomic_file(target / "MODEL_CARD.md") as temporary:
        temporary.write_text(wrap_paragraphs(text), encoding="utf-8")
    print(target / "MODEL_CARD.md")
    if config.readme is not None:
        replace_between_markers(config.readme, str(short), MARK)


def _training(config: Config, record: dict[str, Any]) -> dict[str, Any]:
    """How the network was trained and exported: commands, hours, and from how many faces, persons and views."""
    runs = [read_json(Path(folder) / "run.json") for folder in config.training]
    commands = [f"python {' '.join(run['command'])}" for run in runs]
    model = Path(config.training[-1]) / Path(record["source"]["model"]).name
    commands.append(
        f"python tools/export_saved_model.py --model={model} "
        f"--name={record['name']} --version={record['version']} --precision={record['stored_as']}"
    )
    return {
        "commands": commands,
        "hours": config.hours,
        "views": sum(run["config"]["steps"] * run["config"]["batch_size"] for run in runs),
        "faces": max(run["training_faces"] for run in runs),
        "persons": max(run["training_identities"] for run in runs),
        "cost": record["cost_of_precision"]["smallest_cosine"],
    }


def short_table(ours: dict[str, Any], facenet: dict[str, Any]) -> str:
    """FaceNet and ours at every size, one row each, at the levels of SHORT_LEVELS that were measured."""
    _check_same_pairs(ours, facenet)
    places = [(name, *_level_and_size(name)) for name in ours["sizes"] if name in facenet["sizes"]]
    levels = [level for level in SHORT_LEVELS if level in {place[1] for place in places}]
    names = {(level, size): name for name, level, size in places}
    sizes = sorted({size for level, size in names if level in levels})
    if not 0 < len(sizes) <= SHORT_ROWS:
        raise UserError(f"README's table has 1 to {SHORT_ROWS} rows, and these results have {len(sizes)} common sizes.")
    heads = [f"{network}, {level}" for level in levels for network in ("FaceNet", "`siamese`")]
    lines = [f"| image 2 | {' | '.join(heads)} |", "| --: " * (1 + len(heads)) + "|"]
    for size in sizes:
        cells = []
        for level in levels:
            name = names.get((level, size))
            cells += ["-", "-"] if name is None else [_accuracy(result["sizes"][name]) for result in (facenet, ours)]
        lines.append(f"| {size} px | {' | '.join(cells)} |")
    return "\n".join(lines)


def _check_same_pairs(ours: dict[str, Any], other: dict[str, Any]) -> None:
    if other["pairs_sha256"] != ours["pairs_sha256"]:
        raise UserError("Results of different pairs do not stand in one table.")


def _level_and_size(name: str) -> tuple[str, int]:
    level, _, size = name.rpartition(" ")
    return level or CLEAN_LEVEL, int(size)


def _accuracy(row: dict[str, Any]) -> str:
    return f"{100 * row['accuracy']:.1f} {_interval(row)}"


def _interval(row: dict[str, Any]) -> str:
    low, high = row["interval_95"]
    return f"[{100 * low:.1f}, {100 * high:.1f}]"


def _difference(difference: dict[str, Any]) -> str:
    low, high = difference["interval_95"]
    return f"{100 * difference['mean']:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]"


def _named(items: tuple[str, ...]) -> list[tuple[str, str]]:
    for item in items:
        if "=" not in item:
            raise UserError(f"{item!r} should be name=file.")
    return [(name, file) for name, _, file in (item.partition("=") for item in items)]


if __name__ == "__main__":
    run(main, Config)
