"""Writes docs/results-celeba.md out of what the experiments left in their run folders; no figure is typed by hand.

    python tools/write_results.py --experiments=runs/celeba_face,runs/celeba_squash,runs/celeba_people \\
        --trainings=runs/srcnn,runs/srgan --output=docs/results-celeba.md
"""

import dataclasses
import os
import shlex
from pathlib import Path
from typing import Any

from lrfr_tf.config import option, required
from lrfr_tf.evaluation.report.text import table_markdown
from lrfr_tf.files import read_json, written_whole
from lrfr_tf.main import run

INTRODUCTION = """# The first system on CelebA

Made by `tools/write_results.py` from the `result.json` of each experiment; the commands stand below each table.

Who is in these 16 x 16 pixels? Each test image is one photo; a head chooses among all identities of the data set. An
image in which the detector finds no face counts as wrong ("all images"). "Fitted on HR" is a head that saw sharp
faces only; "fitted on" a method saw that method's own training images. The networks never learned from identities
whose number is divisible by 5 (the first block, the headline), nor from any test or validation image.

The data are a slice of CelebA, not the whole: the first 8,000 aligned images at half size (89 x 109 pixels), and 581
persons in unaligned head crops with a short side of at most 160 pixels. So there are fewer training images an identity
than in the full set, and the HR faces of `squash` hold fewer true pixels than they would at full size."""


@dataclasses.dataclass(frozen=True)
class Config:
    experiments: tuple[str, ...] = required("run folders of tools/run_experiment.py")
    trainings: tuple[str, ...] = required("run folders of train_srcnn and train_srgan")
    output: str = option("docs/results-celeba.md", "the document")


def main(config: Config) -> None:
    parts = [INTRODUCTION, "## The networks", *(training_text(Path(folder)) for folder in config.trainings)]
    for folder in config.experiments:
        result = read_json(Path(folder) / "report" / "result.json")
        parts += [f"## {result['title']}", data_text(result), table_markdown(result).replace("\n### ", "\n#### ")]
        parts += ["Commands and seconds:", steps_text(read_json(Path(folder) / "steps.json"))]
    parts += ["## Versions", versions_text(read_json(Path(config.experiments[0]) / "report" / "result.json"))]
    with written_whole(config.output) as temporary:
        temporary.write_text("\n\n".join(part.strip() for part in parts) + "\n", encoding="utf-8")
    print(config.output)


def training_text(folder: Path) -> str:
    """What a network learned from, how long it took, and how it does on validation faces."""
    record, history = read_json(folder / "run.json"), read_json(folder / "validation.json")
    settings = record["config"]
    # From the start of the run to the stored model; an interrupted run would count its pause.
    seconds = (folder / "model" / "super_resolver.json").stat().st_mtime - (folder / "run.json").stat().st_mtime
    last = history[-1]
    return (
        f"**{folder.name}**: {last['step']:,} steps of {settings['batch_size']} faces out of "
        f"{record['training_faces']:,}, {seconds / 60:.0f} minutes on {os.cpu_count()} CPU cores; on "
        f"{record['validation_faces']} validation faces PSNR {last['psnr']:.2f} dB ({last['psnr_gain']:+.2f} over "
        f"bicubic), SSIM {last['ssim']:.3f}.\n\n    {command_text(record['command'])}"
    )


def data_text(result: dict[str, Any]) -> str:
    """What was measured on."""
    data, counts = result["data"], result["data"]["images"]
    images = ", ".join(f"{counts[split]:,} {split}" for split in ("train", "val", "test"))
    return (
        f"{data['data_set']}, framing: {data['framing']}. {data['identities']:,} identities; images: {images}; "
        f"{data['dropped_identities']:,} identities with too few images were dropped. Embedder {result['embedder']}; "
        f"detector {result['detector']['name']} with thresholds {result['detector']['thresholds']}; where no face is "
        f"found: {result['policy']}."
    )


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
