"""Writes saved_models/siamese/MODEL_CARD.md, its curve and README's table out of measured results; no figure is typed.

The part about identifying people is left to tools/write_people.py.

python tools/write_embedder_card.py --flagfile=configs/write_embedder_card.cfg
"""

import dataclasses
import os
from pathlib import Path
from typing import Any

from lrfr_tf.config import option, required
from lrfr_tf.errors import UserError
from lrfr_tf.evaluation.model_card import draw_training, joined_history, wrapped
from lrfr_tf.files import put_between_marks, read_json, written_whole
from lrfr_tf.main import run
from lrfr_tf.recognition.saved_model import find_version, read_record
from lrfr_tf.weights.backbone import MIX_RECORD

SIZES = ("8", "12", "16", "20", "128")
PANELS = {"area under the ROC curve": {f"auc_{size}": f"{size} px" for size in SIZES}}
LIMITS = """## Limits

- One degradation: antialiased bicubic. Blur, noise, compression and the head poses of real cameras were not in training
  beyond what the photos hold; light and colour were, as far as `--varied` changes them (`lrfr_tf.data.vary`).
- Faces must be aligned: five landmarks on the template `lai`, 128 x 128 (`lrfr_tf.faces.align`). Where a face is too
  small for a detector the landmarks have to come from elsewhere.
- The thresholds of the pairs above are theirs alone. `calibration.json` keeps its rate for people like those it was
  made of; other cameras and other people shift it: calibrate on your own (`tools/calibrate.py`).
- CelebA shows celebrities, mostly young and light-skinned; expect worse results for everybody else. No figure here is
  broken down by group.
- At 8 px many pairs cannot be told by anybody. A score is not evidence.
- Do not use it for covert surveillance, nor to identify people without a legal basis."""

PARTS = """

Inside are two networks, and each face goes to one of them, by how much detail its middle holds
(`lrfr_tf.models.detail`: the power of what more than 40 pixels show to that of what 20 to 40 show). Below
{threshold:g}, which is a sharp face shrunk to about 38 px, it goes to the network for small faces, whether it comes
enlarged or not."""


@dataclasses.dataclass(frozen=True)
class Config:
    training: tuple[str, ...] = required("run folders of train_siamese, each going on from the one before")
    lfw: str = required("result of tools/evaluate_lfw.py for the export, with --baseline=FaceNet's result")
    lfw_facenet: str = required("FaceNet's own result on the same pairs")
    training_of_larger: str | None = option(
        None, "run folder of the network for the larger faces, where the export has one"
    )
    other_ways: tuple[str, ...] = option((), "further results of tools/evaluate_lfw.py for the export, as name=file")
    scface: tuple[str, ...] = option((), "results of tools/evaluate_scface.py, as 10-17-30=file (eyes apart, px)")
    scface_facenet: tuple[str, ...] = option((), "FaceNet's results on the same trees, in the same form and order")
    saved_model: str = option("saved_models/siamese", "the exports")
    curves: str = option("docs/curves", "the folder for the picture of the training")
    readme: str | None = option(None, "a file whose part between two marks gets the table")


def main(config: Config) -> None:
    target = Path(config.saved_model)
    version = find_version(target)
    if version is None:
        raise UserError(f"{target} holds no export; make it with tools/export_saved_model.py.")
    record = read_record(version)
    lfw, facenet = read_json(config.lfw), read_json(config.lfw_facenet)
    if ("source_of_larger" in record) != (config.training_of_larger is not None):
        raise UserError(f"--training_of_larger goes with an export of two networks, and only then: see {version}.")
    ways = {name: read_json(file) for name, file in _named(config.other_ways)}
    ours = [(name, read_json(file)) for name, file in _named(config.scface)]
    theirs = [read_json(file) for _, file in _named(config.scface_facenet)]
    if len(ours) != len(theirs):
        raise UserError("--scface and --scface_facenet name different numbers of results.")
    for result in (lfw, *ways.values(), *(result for _, result in ours)):
        if result["model"]["sha256"] != record["sha256"]:
            raise UserError(f"A result is not that of {version}: evaluate that export first (its sha256 differs).")
    runs = [Path(folder) for folder in config.training]
    history = joined_history(runs)
    curve = Path(config.curves) / f"{record['name']}.png"
    draw_training(curve, history, PANELS)
    table = verification_table(lfw, facenet)
    exported = [runs[-1] / Path(record["source"]["model"]).name]
    if config.training_of_larger:
        exported.append(Path(config.training_of_larger) / Path(record["source_of_larger"]["model"]).name)
    text = card(
        record,
        [read_json(folder / "run.json") for folder in runs],
        read_json(Path(config.training_of_larger) / "run.json") if config.training_of_larger else None,
        exported,
        Path(os.path.relpath(curve, target)).as_posix(),
        history,
        [table, ways_table(lfw, ways), ranks_table(ours, theirs)],
        lfw["counts"],
    )
    with written_whole(target / "MODEL_CARD.md") as temporary:
        temporary.write_text(wrapped(text), encoding="utf-8")
    print(target / "MODEL_CARD.md")
    if config.readme is not None:
        put_between_marks(config.readme, f"{table}\n\n{ranks_table(ours, theirs)}", "siamese")


def batches_of(run: dict[str, Any]) -> str:
    """How long a run was, and what one of its steps saw."""
    config = run["config"]
    return (
        f"`{Path(config['output']).name}`: {config['steps']:,} steps of {config['batch_size']} persons with "
        f"{len(config['sizes'])} views each"
    )


def commands_of(run: dict[str, Any]) -> list[str]:
    """The commands that made a run: where it began with mixed weights, the mixing comes first."""
    return [
        *mixing_of(Path(run["config"].get("initial_weights", "random")).parent),
        f"python {' '.join(run['command'])}",
    ]


def mixing_of(folder: Path) -> list[str]:
    """The command that mixed the weights in a folder, if they were mixed."""
    if not (folder / MIX_RECORD).is_file():
        return []
    mix = read_json(folder / MIX_RECORD)
    other = f" --other_model={mix['other_model']}" if "other_model" in mix else ""
    return [f"python tools/mix_weights.py --model={mix['model']}{other} --share={mix['share']:g} --output={folder}"]


def export_of(record: dict[str, Any], exported: list[Path]) -> str:
    """The command that made the export, of one model folder or two."""
    computes_in = record.get("computes_in", "float32")
    # What computes in another type is stored in that one, too.
    way = f"--precision={record['stored_as']}" if computes_in == "float32" else f"--compute={computes_in}"
    named = f"--name={record['name']} --version={record['version']} {way}"
    models = [f"--{flag}={folder}" for flag, folder in zip(("model", "larger_model"), exported, strict=False)]
    return " \\\n    ".join(["python tools/export_saved_model.py", *models, named])


def card(
    record: dict[str, Any],
    runs: list[dict[str, Any]],
    larger: dict[str, Any] | None,
    exported: list[Path],
    curve: str,
    history: list[dict[str, Any]],
    tables: list[str],
    counts: dict[str, int],
) -> str:
    """The text of the card."""
    lines = [line for run in [*runs, *([larger] if larger else [])] for line in commands_of(run)]
    lines += [line for folder in exported for line in mixing_of(folder)]
    commands = "\n".join([*lines, export_of(record, exported)])
    first = runs[0]
    cost = ""
    if "cost_of_precision" in record:
        smallest = record["cost_of_precision"]["smallest_cosine"]
        cost = f" (cosine to the float32 network's embeddings at least {smallest:.5f})"
    if "cost_of_compute" in record:
        smallest = record["cost_of_compute"]["smallest_cosine"]
        cost += (
            f"; computes in {record['computes_in']} (cosine at least {smallest:.5f}), slower where the CPU has no AMX"
        )
    batches = "\n".join(f"- {batches_of(run)}" for run in runs)
    parts = two = ""
    if larger:
        batches += f"\n- {batches_of(larger)}: the network for the larger faces"
        if (exported[1] / MIX_RECORD).is_file():
            share = read_json(exported[1] / MIX_RECORD)["share"]
            batches += f", which has {share:g} of these weights and {1 - share:g} of those it began with"
        parts = PARTS.format(threshold=record["detail_of_small_faces"])
        two = " Two such networks share one space: one for small faces, one for the others."
    return f"""# siamese: faces of 8 to 128 pixels in one space

FaceNet 128-D (Inception-ResNet-v1, batch norm folded into the convolutions), fine-tuned so that a small face lands
where its sharp photo does.{two} {record["parameters"]:,} parameters stored as {record["stored_as"]},
{record["bytes"] / 1e6:.1f} MB{cost}.

Made by `tools/write_embedder_card.py`. Version {record["version"]}, sha256 of the content `{record["sha256"][:16]}`.

## Use

SavedModel signatures `embed` (`faces`: uint8 RGB [N, H, W, 3] -> `embedding`: float32 [N, {record["dimensions"]}] of
unit length; also `serving_default`), `verify` (`faces_a`, `faces_b` -> `similarity`: float32 [N], the cosine),
`embed_bytes` and `verify_bytes` (JPEG, PNG or BMP files: `image_bytes`; `image_bytes_a`, `image_bytes_b`). A face is a
128 x 128 crop, aligned by five landmarks on the off-centre template `lai`; a face of S pixels may come as S x S or
enlarged to 128.{parts}

```sh
python tools/evaluate_lfw.py --model=saved_models/siamese --help
```

## Training

Data: CelebA, non-commercial research only; its images are not in this repository, and whoever uses this model should
heed these terms. Three files: the first 8,000 aligned images at half size, 7,030 unaligned head crops of 581 persons of
its test split, and 25,546 further aligned images at 64 x 64. Identities whose number is divisible by 5, the 92
identities that may also be in LFW, and the validation and test image of each identity with three images or more (in the
first two files) were never learned from: {first["training_faces"]:,} images of {first["training_identities"]:,} persons
were left. The trees are made by `configs/prepare_aligned_{{people,slice,64}}.cfg`. The weights began as FaceNet 128-D
(MIT; trained on MS-Celeb-1M, which was withdrawn), which also was the frozen teacher: its embeddings of the sharp
photos, or of the changed ones, are the targets, and where there is a classifier their means are its first rows.

```sh
{commands}
```

On two CPU cores:

{batches}

The curve is that of {first["validation_identities"]} persons who were not trained on, sharp photos against small ones{
        ", both seen by the network for small faces" if larger else ""
    }:

![Area under the ROC curve on the validation persons during training]({curve})

## Figures

Held-out persons only. {counts["pairs"]:,} pairs of {counts["persons"]} persons (`tools/make_pairs.py`, LFW's form, 10
folds), aligned by our own detector; image 1 sharp, image 2 at S px and enlarged by bicubic. Intervals: 95 %, bootstrap
over pairs; differences on the same pairs. The thresholds (cosine) are those of these pairs: FAR 0.1 % is 3 of their
3,000 pairs of strangers. About ten versions of the network were compared on them (`docs/siamese-ladder.md`), so that
the best of them is a little flattered; nothing was trained on these persons.

{tables[0]}

Other ways to feed it, accuracy on the same pairs:

{tables[1]}

SCface look-alike (`tools/make_scface_lookalike.py`): one sharp mugshot and five probes a person, probes shrunk so that
the eyes are so many pixels apart (`configs/make_scface_10_17_30.cfg`, `configs/make_scface_4_6.cfg`); rank-1 among 130
persons, 95 % intervals over persons:

{tables[2]}

## Identifying people

What `tools/identify.py` makes of photos of people whom it has never seen, detection included, at the threshold of
`calibration.json` beside this card (`configs/calibrate_siamese.cfg`, `configs/evaluate_people.cfg`):

<!-- people -->
<!-- end of people -->

{LIMITS}
"""


def verification_table(ours: dict[str, Any], facenet: dict[str, Any]) -> str:
    """Both models at every size."""
    lines = [
        "| image 2 | FaceNet 128-D, bicubic | `siamese` | difference, points | TAR at FAR 1 % | TAR at FAR 0.1 % "
        "| threshold at FAR 1 % | at FAR 0.1 % |",
        "| --: | --: | --: | --: | --: | --: | --: | --: |",
    ]
    for size, row in ours["sizes"].items():
        difference = ours["difference_to_baseline"][size]
        low, high = difference["interval_95"]
        rates, thresholds = row["tar_at_far"], row["threshold_at_far"]
        lines.append(
            f"| {size} px | {_accuracy(facenet['sizes'][size])} | {_accuracy(row)} "
            f"| {100 * difference['mean']:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}] "
            f"| {rates['0.01']:.1%} | {rates['0.001']:.1%} "
            f"| {thresholds['0.01']:.3f} | {thresholds['0.001']:.3f} |"
        )
    return "\n".join(lines)


def ways_table(ours: dict[str, Any], ways: dict[str, dict[str, Any]]) -> str:
    """The accuracy of the same export fed in other ways."""
    sizes = list(ours["sizes"])
    lines = [f"| | {' | '.join(f'{size} px' for size in sizes)} |", f"| :-- | {' | '.join('--:' for _ in sizes)} |"]
    for name, result in {"enlarged to 128, template `lai`": ours, **ways}.items():
        cells = [f"{100 * result['sizes'][size]['accuracy']:.2f}" if size in result["sizes"] else "" for size in sizes]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def ranks_table(ours: list[tuple[str, dict[str, Any]]], theirs: list[dict[str, Any]]) -> str:
    """Rank-1 of both models at every distance."""
    lines = ["| eyes apart | FaceNet 128-D | `siamese` | difference, points |", "| --: | --: | --: | --: |"]
    for (eyes, result), baseline in zip(ours, theirs, strict=True):
        for pixels, (distance, row) in zip(eyes.split("-"), result["distances"].items(), strict=True):
            difference = result["difference_to_baseline"][distance]
            low, high = difference["interval_95"]
            lines.append(
                f"| {pixels} px | {_rank(baseline['distances'][distance])} | {_rank(row)} "
                f"| {100 * difference['mean']:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}] |"
            )
    return "\n".join(lines)


def _accuracy(row: dict[str, Any]) -> str:
    low, high = row["interval_95"]
    return f"{100 * row['accuracy']:.2f} [{100 * low:.1f}, {100 * high:.1f}]"


def _rank(row: dict[str, Any]) -> str:
    low, high = row["interval_95"]
    return f"{100 * row['rank_1']:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def _named(items: tuple[str, ...]) -> list[tuple[str, str]]:
    for item in items:
        if "=" not in item:
            raise UserError(f"{item!r} should be name=file.")
    return [(name, file) for name, _, file in (item.partition("=") for item in items)]


if __name__ == "__main__":
    run(main, Config)
