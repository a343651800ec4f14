"""Writes docs/results-celeba.md out of what the experiments left in their run folders; no figure is typed by hand.

    python tools/repository/write_results.py --experiments=runs/celeba_face,runs/celeba_squash,runs/celeba_people \\
        --trainings=runs/srcnn,runs/srgan --output=docs/results-celeba.md --readme=docs/study.md
"""

import dataclasses
import os
import shlex
from pathlib import Path
from typing import Any

import lrfr_tf.quiet  # noqa: F401

from lrfr_tf.config import option, required
from lrfr_tf.export.model_card import fill_template
from lrfr_tf.files import atomic_file, read_json, replace_between_markers
from lrfr_tf.images.camera import CLEAN_LEVEL
from lrfr_tf.main import run
from lrfr_tf.study.report.pixels import picture_path
from lrfr_tf.study.report.sentences import ON_HR, method_name, siamese_sentence
from lrfr_tf.study.report.tables import blocks_by_camera, headline_rows
from lrfr_tf.study.report.text import pixels_markdown, table_markdown

TEMPLATE = Path(__file__).parent / "templates" / "results.md.jinja"


@dataclasses.dataclass(frozen=True)
class Config:
    experiments: tuple[str, ...] = required("run folders of tools/run_experiment.py")
    trainings: tuple[str, ...] = option((), "run folders of train_srcnn and train_srgan; without: see the model cards")
    output: str = option("docs/results-celeba.md", "the document")
    readme: str | None = option(None, "a file whose part between two marks gets the short table")


def main(config: Config) -> None:
    folders = [Path(folder) for folder in config.experiments]
    results = [read_json(folder / "report" / "result.json") for folder in folders]
    text = fill_template(
        TEMPLATE,
        networks=[trained_network(Path(folder)) for folder in config.trainings],
        cores=os.cpu_count(),
        experiments=[
            {
                "result": result,
                "pixels": pixels_text(folder, Path(config.output).parent),
                "steps": read_json(folder / "steps.json"),
            }
            for folder, result in zip(folders, results, strict=True)
        ],
        command_text=command_text,
        siamese_sentence=siamese_sentence,
        table_markdown=table_markdown,
    )
    with atomic_file(config.output) as temporary:
        temporary.write_text(text.strip() + "\n", encoding="utf-8")
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


def trained_network(folder: Path) -> dict[str, Any]:
    """What a network learned from, how many minutes it took, and how each network of the run does in the end."""
    # From the start of the run to the stored model; an interrupted run would count its pause.
    seconds = (folder / "model" / "super_resolver.json").stat().st_mtime - (folder / "run.json").stat().st_mtime
    last = {entry["network"]: entry for entry in read_json(folder / "validation.json")}
    return {"name": folder.name, "run": read_json(folder / "run.json"), "minutes": seconds / 60, "last": last}


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


def command_text(words: list[str]) -> str:
    """A command line as a reader can use it: of a path outside the checkout only the file's name is shown."""
    shown = []
    for word in words:
        name, equals, value = word.partition("=")
        shown.append(f"{name}={Path(value).name}" if equals and os.path.isabs(value) else word)
    return shlex.join(["python", *shown])


if __name__ == "__main__":
    run(main, Config)
