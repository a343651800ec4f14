"""Compares where MTCNN finds the face in bicubic, SRCNN and SRGAN images with where it finds it in the HR images.

Writes summary.json, boxes_<method>.csv (one line an image) and boxes.png into --output, and prints a table.

python -m lrfr_tf.cli.compare_detection --embeddings=runs/celeba_face/embeddings --output=runs/celeba_face/boxes
"""

import csv
import dataclasses
import time
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from lrfr_tf.config import option, required, versions
from lrfr_tf.data.embeddings import EmbeddingSet, load_embeddings, read_manifest
from lrfr_tf.errors import UserError
from lrfr_tf.files import atomic_file, write_json
from lrfr_tf.main import start
from lrfr_tf.plural import counted
from lrfr_tf.printable import ESCAPED
from lrfr_tf.study.box_comparison import MEASURES, BoxComparison, compare_boxes


@dataclasses.dataclass(frozen=True)
class Config:
    embeddings: str = required("folder written by lrfr embed, with hr and the methods in it")
    output: str = required("folder for the tables and the plot")
    methods: tuple[str, ...] = option(("bicubic", "srcnn", "srgan"), "methods to compare with hr")
    split: str = option("test", "the split to compare on")


def main(config: Config) -> None:
    started = time.monotonic()
    folder, output = Path(config.embeddings), Path(config.output)
    hr, detector = load_embeddings(folder / "hr", config.split), read_manifest(folder / "hr")["detector"]
    comparisons = {}
    for method in config.methods:
        if read_manifest(folder / method)["detector"] != detector:
            raise UserError(f"{folder / method} and {folder / 'hr'} were made with different detector settings.")
        other = aligned(load_embeddings(folder / method, config.split), hr, folder / method)
        comparisons[method] = compare_boxes(hr.boxes, hr.landmarks, other.boxes, other.landmarks)
    for method, comparison in comparisons.items():
        write_csv(output / f"boxes_{method}.csv", hr.paths, comparison)
    with atomic_file(output / "boxes.png") as temporary:
        draw(temporary, comparisons)
    summaries = {method: comparison.summary() for method, comparison in comparisons.items()}
    record = {"split": config.split, "detector": detector, "methods": summaries, "versions": versions()}
    write_json(output / "summary.json", {**record, "seconds": round(time.monotonic() - started, 2)})
    print_table(summaries)


def aligned(rows: EmbeddingSet, hr: EmbeddingSet, folder: Path) -> EmbeddingSet:
    """The rows in the order of HR's; every image must be in both, or the counts would not be paired."""
    position = {path: index for index, path in enumerate(rows.paths)}
    unpaired = sorted(set(hr.paths) ^ position.keys())
    if unpaired:
        raise UserError(
            f"{folder} and HR differ in {counted(len(unpaired), 'image')}, such as {unpaired[0]}; extract both anew."
        )
    return rows.rows(np.array([position[path] for path in hr.paths], np.int64))


def write_csv(path: Path, images: list[str], comparison: BoxComparison) -> None:
    with atomic_file(path) as temporary, open(temporary, "w", newline="", encoding="utf-8", errors=ESCAPED) as file:
        writer = csv.DictWriter(file, ("path", "hr_found", "method_found", *MEASURES))
        writer.writeheader()
        for image, row in zip(images, comparison.rows(), strict=True):
            writer.writerow({"path": image, **row})


def draw(path: Path, comparisons: dict[str, BoxComparison]) -> None:
    figure = Figure(figsize=(10, 4), layout="constrained")  # without pyplot no screen is needed
    left, right = figure.subplots(1, 2)
    rates = {}
    for method, comparison in comparisons.items():
        values = comparison.iou[~np.isnan(comparison.iou)]
        shares = np.histogram(values, bins=20, range=(0, 1))[0] / max(1, len(values))
        left.stairs(shares, np.linspace(0, 1, 21), label=f"{method} (n = {len(values)})")
        rates["hr"] = comparison.hr_found.mean()
        rates[method] = comparison.method_found.mean()
    left.set(xlabel="IoU with the HR box", ylabel="share of images with both boxes")
    left.legend()
    right.bar(list(rates), list(rates.values()))
    right.set(ylabel="share of images with a face found", ylim=(0, 1))
    figure.savefig(path, dpi=120)


def print_table(summaries: dict[str, dict]) -> None:
    print(
        f"{'method':<10}{'both':>7}{'HR only':>9}{'only it':>9}{'neither':>9}" + "".join(f"{m:>16}" for m in MEASURES)
    )
    for method, summary in summaries.items():
        found = summary["found"]
        counts = f"{found['both']:>7}{found['hr_only']:>9}{found['method_only']:>9}{found['neither']:>9}"
        means = [summary[measure]["mean"] for measure in MEASURES]
        cells = "".join(f"{'-':>16}" if mean is None else f"{mean:>16.4f}" for mean in means)
        print(f"{method:<10}{counts}{cells}")


if __name__ == "__main__":
    start("lrfr_tf.cli.compare_detection")
