"""Writes docs/results-celeba.md out of what the experiments left in their run folders; no figure is typed by hand.

    python tools/repository/write_results.py --experiments=runs/celeba_face,runs/celeba_squash,runs/celeba_people \\
        --trainings=runs/srcnn,runs/srgan --output=docs/results-celeba.md --readme=docs/study.md
"""

import dataclasses
import os
import shlex
from pathlib import Path
from typing import Any

from lrfr_tf.config import option, required
from lrfr_tf.files import atomic_file, read_json, replace_between_markers
from lrfr_tf.images.camera import CLEAN_LEVEL
from lrfr_tf.main import run
from lrfr_tf.study.report.pixels import picture_path
from lrfr_tf.study.report.tables import blocks_by_camera, headline_rows
from lrfr_tf.study.report.text import pixels_markdown, table_markdown
from lrfr_tf.study.report.words import ON_HR, method_name, siamese_sentence

INTRODUCTION = """# Both systems on CelebA

Here you find all figures of the experiment on CelebA, with intervals: how often each method names the right person,
where detectors find the face, PSNR and SSIM, accuracy against pixels. [study.md](study.md) says how to run it yourself.

Made by `tools/repository/write_results.py` from the `result.json` of each experiment; the commands stand below each
table.

Who is in these 16 x 16 pixels? Each test image is one photo; a head chooses among all identities of the data set. An
image in which the detector finds no face counts as wrong ("all images"). "Fitted on HR" is a head that saw sharp
faces only; "fitted on" a method saw that method's own training images. The networks never learned from identities
whose number is divisible by 5 (the first block, the headline), nor from any test or validation image.

The data are a slice of CelebA, not the whole: the first 8,000 aligned images at half size (89 x 109 pixels), and 581
persons in unaligned head crops with a short side of at most 160 pixels; prepared by

    python tools/prepare_celeba.py --flagfile=configs/prepare_celeba_face.cfg
    python tools/prepare_celeba.py --flagfile=configs/prepare_celeba_squash.cfg
    python tools/prepare_folder.py --flagfile=configs/prepare_celeba_people.cfg

So there are fewer training images an identity than in the full set, and the HR faces of `squash` hold fewer true
pixels than they would at full size.

Seconds are those of the last start of a command, on a machine with other work: what an earlier start had finished is
not in them.

Reading the tables. Most of what is lost from HR to any 16 x 16 row is lost in the 16 x 16 pixels: all methods see the
same ones. The sentence under each table names the rows in which a network is behind bicubic. In `squash` the face is
about 26 of 64 pixels wide, so that 16 x 16 holds some 7 pixels across a face, fewer than any method here was made for.

The rows of the Siamese network answer the other way to ask: the same 16 x 16 pixels, embedded without super-resolution.
Its face is aligned by a similarity, which cannot undo the unequal scales of `squash`."""

SHIPPED = "Those in `saved_models/`; how each was trained stands in its MODEL_CARD.md."


@dataclasses.dataclass(frozen=True)
class Config:
    experiments: tuple[str, ...] = required("run folders of tools/run_experiment.py")
    trainings: tuple[str, ...] = option((), "run folders of train_srcnn and train_srgan; without: see the model cards")
    output: str = option("docs/results-celeba.md", "the document")
    readme: str | None = option(None, "a file whose part between two marks gets the short table")


def main(config: Config) -> None:
    parts = [INTRODUCTION, "## The networks"]
    parts += [training_text(Path(folder)) for folder in config.trainings] or [SHIPPED]
    results = [read_json(Path(folder) / "report" / "result.json") for folder in config.experiments]
    for folder, result in zip(config.experiments, results, strict=True):
        parts += [f"## {result['title']}", data_text(result), table_markdown(result)]
        parts += pixels_text(Path(folder), Path(config.output).parent)
        parts += ["Commands and seconds:", steps_text(read_json(Path(folder) / "steps.json"))]
    parts += ["## Versions", versions_text(results[0])]
    with atomic_file(config.output) as temporary:
        temporary.write_text("\n\n".join(part.strip() for part in parts) + "\n", encoding="utf-8")
    print(config.output)
    if config.readme:
        replace_between_markers(config.readme, short_table(results), "results")


def short_table(results: list[dict[str, Any]]) -> str:
    """The headline of each experiment and camera level: held-out identities, logistic head."""
    lines = [
        "| faces | method | face found | PSNR | SSIM | top-1, fitted on HR | top-1, fitted on the method |",
        "| :-- | :-- | --: | --: | --: | --: | --: |",
    ]
    for result in results:
        for camera, block in blocks_by_camera(result, next(iter(result["blocks"]))).items():
            rows = headline_rows(block, "logistic")
            shown = [row for row in rows if camera == CLEAN_LEVEL or row["method"] not in ON_HR]
            faces = (
                f"{result['title']} (n = {block['images']})" if camera == CLEAN_LEVEL else f"through a {camera} camera"
            )
            lines += [f"| {faces if row is shown[0] else ''} | {short_cells(row)} |" for row in shown]
    return "\n".join(lines)


def short_cells(row: dict[str, Any]) -> str:
    """The cells of one method."""
    psnr, ssim, on_hr, on_own = ((row[key] or {}).get("mean") for key in ("psnr_rgb", "ssim_rgb", "on_hr", "on_own"))
    cells = [
        method_name(row["method"]),
        percent(row["detected"]["mean"]),
        "-" if psnr is None else f"{psnr:.2f} dB",
        "-" if ssim is None else f"{ssim:.3f}",
        percent(on_hr),
        percent(on_hr if row["method"] == "hr" else on_own),
    ]
    return " | ".join(cells)


def percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


def training_text(folder: Path) -> str:
    """What a network learned from, how long it took, and how it does on validation faces."""
    record, history = read_json(folder / "run.json"), read_json(folder / "validation.json")
    settings = record["config"]
    # From the start of the run to the stored model; an interrupted run would count its pause.
    seconds = (folder / "model" / "super_resolver.json").stat().st_mtime - (folder / "run.json").stat().st_mtime
    networks = {entry["network"]: entry for entry in history}
    figures = "; ".join(
        f"{name} after {last['step']:,} steps PSNR {last['psnr']:.2f} dB ({last['psnr_gain']:+.2f} over bicubic), "
        f"SSIM {last['ssim']:.3f}"
        for name, last in networks.items()
    )
    return (
        f"**{folder.name}**: batches of {settings['batch_size']} out of {record['training_faces']:,} faces, "
        f"{seconds / 60:.0f} minutes on {os.cpu_count()} CPU cores. On {record['validation_faces']} validation faces: "
        f"{figures}.\n\n    {command_text(record['command'])}"
    )


def data_text(result: dict[str, Any]) -> str:
    """What was measured on."""
    data, counts = result["data"], result["data"]["images"]
    images = ", ".join(f"{counts[split]:,} {split}" for split in ("train", "val", "test"))
    return (
        f"{data['data_set']}, framing: {data['framing']}. {data['identities']:,} identities; images: {images}; "
        f"{data['dropped_identities']:,} identities with too few images were dropped. Embedder {result['embedder']}; "
        f"detector {result['detector']['name']} with thresholds {result['detector']['thresholds']}; where no face is "
        f"found: {result['policy']}. {siamese_sentence(result)}"
    )


def pixels_text(experiment: Path, documents: Path) -> list[str]:
    """Accuracy against pixels of an experiment: its picture goes to `<documents>/curves`; nothing if not measured.

    The picture is that of the first block, the headline; a curve shows no face.
    """
    path = experiment / "pixels" / "result.json"
    if not path.is_file():
        return []
    result = read_json(path)
    block = next(iter(result["blocks"]))
    picture = Path("curves") / f"pixels-{experiment.name}.png"
    with atomic_file(documents / picture) as temporary:
        temporary.write_bytes(picture_path(path, block).read_bytes())
    return ["### Accuracy against pixels", *pixels_markdown(result, {block: picture.as_posix()})]


def steps_text(steps: list[dict[str, Any]]) -> str:
    """The commands that led from the prepared tree to the table, each with its wall time."""
    rows = [f"| {step['seconds']:.0f} | `{command_text(step['command'])}` |" for step in steps]
    return "\n".join(["| s | command |", "| --: | :-- |", *rows])


def command_text(words: list[str]) -> str:
    """A command line as a reader can use it: of a path outside the checkout only the file's name is shown."""
    shown = []
    for word in words:
        name, equals, value = word.partition("=")
        shown.append(f"{name}={Path(value).name}" if equals and os.path.isabs(value) else word)
    return shlex.join(["python", *shown])


def versions_text(result: dict[str, Any]) -> str:
    """The packages that decide the figures."""
    return ", ".join(f"{name} {version}" for name, version in result["versions"].items())


if __name__ == "__main__":
    run(main, Config)
