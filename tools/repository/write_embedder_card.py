"""Writes saved_models/siamese/MODEL_CARD.md and README's table out of measured results; no figure is typed.

The part about identifying people is left to tools/repository/write_people.py.

python tools/repository/write_embedder_card.py --flagfile=configs/write_embedder_card.cfg
"""

import dataclasses
from pathlib import Path
from typing import Any

from lrfr_tf.benchmarks.scface.protocol import pooled_difference
from lrfr_tf.config import option, required
from lrfr_tf.errors import UserError
from lrfr_tf.export.model_card import wrap_paragraphs
from lrfr_tf.files import atomic_file, read_json, replace_between_markers
from lrfr_tf.images.camera import CLEAN_LEVEL
from lrfr_tf.main import run
from lrfr_tf.networks.saved_model import find_version, read_record

MARK = "siamese"
SHORT_LEVELS = (CLEAN_LEVEL, "moderate")  # of README's table, which has room for two
SHORT_ROWS = 10
START = "w600k_mbf"  # how the tables call the network that the weights began as
LIMITS = """## Limits

- `moderate` and `harsh` are a model of cameras (`docs/camera.md`), and CelebA's faces are mostly frontal. Surveillance
  cameras look down on people who look elsewhere: there the figures are those of the table of real cameras, which is
  small (34 persons).
- Faces must be aligned: five landmarks on the template `centred`, 112 x 112 (`lrfr_tf.faces.align`). Where a face is
  too small for a detector the landmarks have to come from elsewhere.
- `calibration.json` keeps its rate for people like those it was made of; other cameras and other people shift it:
  calibrate on your own (`tools/calibrate.py`).
- Celebrities, mostly young and light-skinned; expect worse results for everybody else. No figure here is broken down by
  group.
- At 8 px many pairs cannot be told by anybody. A score is not evidence.
- Do not use it for covert surveillance, nor to identify people without a legal basis."""


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
    runs = [read_json(Path(folder) / "run.json") for folder in config.training]
    pairs = pairs_table(lfw, read_json(config.lfw_before), read_json(config.lfw_start))
    cameras = cameras_table(frmdb, read_json(config.frmdb_before), read_json(config.frmdb_start))
    tables = [pairs, cameras, *([ranks_table(ranks, before)] if ranks else [])]
    text = card(record, runs, Path(config.training[-1]), config.hours, tables, lfw["counts"], frmdb["counts"])
    short = None if config.lfw_facenet is None else short_table(lfw, read_json(config.lfw_facenet))
    with atomic_file(target / "MODEL_CARD.md") as temporary:
        temporary.write_text(wrap_paragraphs(text), encoding="utf-8")
    print(target / "MODEL_CARD.md")
    if config.readme is not None:
        replace_between_markers(config.readme, str(short), MARK)


def card(
    record: dict[str, Any],
    runs: list[dict[str, Any]],
    last: Path,
    hours: float,
    tables: list[str],
    pairs: dict[str, int],
    cameras: dict[str, int],
) -> str:
    """The text of the card."""
    commands = [f"python {' '.join(run['command'])}" for run in runs]
    commands.append(
        f"python tools/export_saved_model.py --model={last / Path(record['source']['model']).name} "
        f"--name={record['name']} --version={record['version']} --precision={record['stored_as']}"
    )
    views = sum(run["config"]["steps"] * run["config"]["batch_size"] for run in runs)
    faces, persons = (max(run[f"training_{what}"] for run in runs) for what in ("faces", "identities"))
    cost = record["cost_of_precision"]["smallest_cosine"]
    ranks = ""
    if len(tables) > 2:
        ranks = f"""

SCface look-alike (`tools/make_scface_lookalike.py`): one sharp mugshot and five probes a person, probes shrunk so that
the eyes are so many pixels apart (`configs/make_scface_10_17_30.cfg`, `configs/make_scface_4_6.cfg`); rank-1 among 130
held-out persons, 95 % intervals over persons:

{tables[2]}"""
    return f"""# siamese: faces of 8 to 112 pixels, as cameras make them, in one space

MobileFaceNet (batch norm folded into the convolutions), taught to see in a small, blurred, noisy or compressed face
what the published network `w600k_mbf` sees in the sharp photo. {record["parameters"]:,} parameters stored as
{record["stored_as"]}, {record["bytes"] / 1e6:.1f} MB (cosine to the float32 network's embeddings at least {cost:.5f}).

Made by `tools/repository/write_embedder_card.py`. Version {record["version"]}, sha256 of the content
`{record["sha256"][:16]}`.

## Terms

For non-commercial research. The weights began as InsightFace's `w600k_mbf` (trained on WebFace600K), whose models are
for non-commercial research only, and learned from CelebA and VGGFace2, whose images are, too. The images are not in
this repository.

## Use

SavedModel signatures `embed` (`faces`: uint8 RGB [N, H, W, 3] -> `embedding`: float32 [N, {record["dimensions"]}] of
unit length; also `serving_default`), `verify` (`faces_a`, `faces_b` -> `similarity`: float32 [N], the cosine),
`embed_bytes` and `verify_bytes` (JPEG, PNG or BMP files: `image_bytes`; `image_bytes_a`, `image_bytes_b`). A face is a
{record["input_size"]} x {record["input_size"]} crop, aligned by five landmarks on the template `{record["template"]}`;
a face of S pixels may come as S x S or enlarged.

## Training

{faces:,} photos of {persons:,} persons: head crops of VGGFace2 in all poses, and CelebA. Nobody learned from is held
out (numbers divisible by 5) or in the list of persons who are or may be in LFW, and no validation or test photo of the
closed-set tables was learned from. Teacher and student begin alike; the student sees {views:,} views of the photos
through the camera model of `docs/camera.md`, at all sizes, and is drawn to the teacher's embedding of the sharp photo.
About {hours:g} hours of two CPU cores. The trees are made by `configs/prepare_camera_*.cfg`; what each idea gained is
in `docs/siamese-ladder.md`.

```sh
{chr(10).join(commands)}
```

## Figures

Held-out persons only. {pairs["pairs"]:,} pairs of {pairs["persons"]} persons (`tools/make_pairs.py`, LFW's form, 10
folds), aligned by our own detector; image 1 sharp, image 2 at S px through the camera and enlarged by bicubic. Accuracy
in percent with 95 % intervals (bootstrap over pairs); errors (100 - accuracy) as a share of version
{record["version"] - 1}'s on the same pairs; the threshold is the cosine at which 1 % of these pairs of strangers pass.
The settings were chosen on other held-out persons.

{tables[0]}

**Real cameras**: {cameras["persons"]} persons of FRMDB, one frontal mugshot each, {cameras["probes"]} photos by five
surveillance cameras, shrunk to so many pixels; rank-1 in percent, 95 % intervals over persons
(`tools/evaluate_frmdb.py`). The settings were chosen on these persons, too, so these figures are a little flattered:

{tables[1]}{ranks}

## Identifying people

What `tools/identify.py` makes of photos of people whom it has never seen, detection included, at the threshold of
`calibration.json` beside this card (`configs/calibrate_siamese.cfg`, `configs/evaluate_people.cfg`):

<!-- people -->
<!-- end of people -->

{LIMITS}
"""


def pairs_table(ours: dict[str, Any], before: dict[str, Any], start: dict[str, Any]) -> str:
    """The three networks at every camera level and size."""
    for other in (before, start):
        if other["pairs_sha256"] != ours["pairs_sha256"]:
            raise UserError("Results of different pairs do not stand in one table.")
    lines = [
        f"| image 2 | version before | `{START}` | `siamese` | errors, share | TAR at FAR 1 %: before | `siamese` "
        "| threshold |",
        "| :-- | --: | --: | --: | --: | --: | --: | --: |",
    ]
    for name, row in ours["sizes"].items():
        old = before["sizes"][name]
        share = (1 - row["accuracy"]) / max(1 - old["accuracy"], 1e-9)
        lines.append(
            f"| {_condition(name)} | {100 * old['accuracy']:.2f} | {100 * start['sizes'][name]['accuracy']:.2f} "
            f"| {100 * row['accuracy']:.2f} {_interval(row)} | {share:.2f} | {100 * old['tar_at_far']['0.01']:.1f} "
            f"| {100 * row['tar_at_far']['0.01']:.1f} | {row['threshold_at_far']['0.01']:.3f} |"
        )
    return "\n".join(lines)


def short_table(ours: dict[str, Any], facenet: dict[str, Any]) -> str:
    """FaceNet and ours at every size, one row each, at the levels of SHORT_LEVELS that were measured."""
    if facenet["pairs_sha256"] != ours["pairs_sha256"]:
        raise UserError("Results of different pairs do not stand in one table.")
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


def cameras_table(ours: dict[str, Any], before: dict[str, Any], start: dict[str, Any]) -> str:
    """The three networks on real cameras: by size, and by camera over all sizes."""
    lines = [
        f"| faces | version before | `{START}` | `siamese` | difference to `{START}`, points |",
        "| :-- | --: | --: | --: | --: |",
    ]
    names = {"native": "as they are", "mean": "mean of these"}
    for size, row in ours["sizes"].items():
        others = (f"{100 * other['sizes'][size]['rank_1']:.1f}" for other in (before, start))
        name = names.get(size, f"{size} px")
        compared = _difference(ours["difference_to_baseline"][size])
        lines.append(f"| {name} | {' | '.join(others)} | {100 * row['rank_1']:.1f} {_interval(row)} | {compared} |")
    both = ours["difference_to_baseline"]["16 and 12"]
    lines.append(f"| 16 and 12 px |  |  |  | {_difference(both)} |")
    for camera in ours["sizes"]["mean"]["cameras"]:
        cells = (f"{100 * result['sizes']['mean']['cameras'][camera]:.1f}" for result in (before, start, ours))
        lines.append(f"| mean, camera {camera} | {' | '.join(cells)} |  |")
    return "\n".join(lines)


def ranks_table(ours: list[tuple[str, dict[str, Any]]], before: list[dict[str, Any]]) -> str:
    """Rank-1 of both versions at every distance, and over all of them."""
    lines = ["| eyes apart | version before | `siamese` | difference, points |", "| --: | --: | --: | --: |"]
    for (eyes, result), old in zip(ours, before, strict=True):
        for pixels, (distance, row) in zip(eyes.split("-"), result["distances"].items(), strict=True):
            compared = _difference(result["difference_to_baseline"][distance])
            theirs = old["distances"][distance]
            cells = " | ".join(f"{100 * each['rank_1']:.1f} {_interval(each)}" for each in (theirs, row))
            lines.append(f"| {pixels} px | {cells} | {compared} |")
    pooled = pooled_difference([result for _, result in ours], before)
    return "\n".join([*lines, f"| all |  |  | {_difference(pooled)} |"])


def _condition(name: str) -> str:
    return f"{name} px" if " " in name else f"clean {name} px"


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
