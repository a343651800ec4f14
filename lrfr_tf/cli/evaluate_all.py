"""Runs every benchmark whose data is there (LFW, SCface, QMUL-SurvFace, TinyFace) and writes one folder of results.

    python tools/evaluate_all.py --model=saved_models/siamese --data_root=Datasets --output=runs/benchmarks/siamese

Each benchmark is run as by its own tool, with the defaults. One that fails is reported and the others go on; the exit
code is then 2. The folder gets a result and pictures for each benchmark, summary.json and summary.md.
"""

import dataclasses
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lrfr_tf.benchmarks.benchmark_tree import FOLDERS, BenchmarkTree, find_benchmarks
from lrfr_tf.benchmarks.summary import ABSENT, FAILED, MEASURED, headline_figures, summary_lines, write_summary
from lrfr_tf.cli import evaluate_lfw, evaluate_scface, evaluate_survface, evaluate_tinyface
from lrfr_tf.config import option, required
from lrfr_tf.errors import UserError
from lrfr_tf.files import make_folder, read_json
from lrfr_tf.networks.embedding import BACKBONES


@dataclasses.dataclass(frozen=True)
class Config:
    model: str = required("facenet, the folder of an exported embedder, or a file *.weights.h5 (with --backbone)")
    data_root: str = required(f"folder that holds some of {', '.join(FOLDERS.values())}")
    output: str = required("folder for the results")
    benchmarks: tuple[str, ...] = option(tuple(FOLDERS), "which to run", tuple(FOLDERS))
    landmarks: str | None = option(
        None,
        "folder of landmark tables (LFW.csv, scface_*.csv, TinyFace.csv); without it they are looked for beside the "
        "images",
    )
    backbone: str = option("spherenet20", "network that a file of weights belongs to", BACKBONES)
    facenet_weights: str | None = option(None, "FaceNet's weight file; without it, the cache or a download")
    flip: bool = option(False, "mean of the embeddings of a face and its mirror image")


def main(config: Config) -> None:
    tree = find_benchmarks(Path(config.data_root))
    output = Path(config.output)
    make_folder(output)
    rows: dict[str, dict[str, Any]] = {}
    for benchmark in config.benchmarks:
        if benchmark not in tree.folders:
            rows[benchmark] = {"status": ABSENT, "reason": tree.absent()[benchmark], "figures": {}}
            continue
        print(f"\n--- {benchmark}: {tree.folders[benchmark]}", flush=True)
        try:
            EVALUATE[benchmark](config, tree, output)
            figures = headline_figures(read_json(output / f"{benchmark}.json"))
            rows[benchmark] = {"status": MEASURED, "reason": None, "figures": figures}
        except UserError as error:
            print(f"{benchmark} failed: {error}")
            rows[benchmark] = {"status": FAILED, "reason": str(error), "figures": {}}
        except Exception as error:  # a defect of ours in one benchmark is no reason to lose the others
            traceback.print_exc()
            rows[benchmark] = {"status": FAILED, "reason": f"{type(error).__name__}: {error}", "figures": {}}
    write_summary(output, rows, config.model)
    print("\n" + "\n".join(summary_lines(rows, config.model)) + f"\nresults: {output}")
    failed = [benchmark for benchmark, row in rows.items() if row["status"] == FAILED]
    if failed:
        raise UserError(f"{', '.join(failed)} failed; {output / 'summary.md'} says why, and holds the others' figures.")


def lfw(config: Config, tree: BenchmarkTree, output: Path) -> None:
    landmarks = tree.lfw_landmarks(Path(config.landmarks) if config.landmarks else None)
    evaluate_lfw.main(
        evaluate_lfw.Config(
            **_shared(config, output, "lfw"), data=str(tree.lfw_images()), pairs=str(tree.lfw_pairs()),
            landmarks=str(landmarks) if landmarks else None,
            save_landmarks=None if landmarks else str(output / "landmarks" / "LFW.csv"),
        )
    )  # fmt: skip


def scface(config: Config, tree: BenchmarkTree, output: Path) -> None:
    landmarks = tree.scface_landmarks(Path(config.landmarks) if config.landmarks else None)
    evaluate_scface.main(
        evaluate_scface.Config(
            **_shared(config, output, "scface"), data=str(tree.folders["scface"]),
            landmarks=str(landmarks) if landmarks else None,
            save_landmarks=None if landmarks else str(output / "landmarks"),
        )
    )  # fmt: skip


def survface(config: Config, tree: BenchmarkTree, output: Path) -> None:
    task = tree.survface_tasks()
    if task != "both":
        print(f"note: there is only the test set of the {task}.")
    evaluate_survface.main(
        evaluate_survface.Config(
            **_shared(config, output, "survface"), data=str(tree.folders["survface"]), task=task
        )
    )  # fmt: skip


def tinyface(config: Config, tree: BenchmarkTree, output: Path) -> None:
    landmarks = tree.tinyface_landmarks(Path(config.landmarks) if config.landmarks else None)
    evaluate_tinyface.main(
        evaluate_tinyface.Config(
            **_shared(config, output, "tinyface"), data=str(tree.folders["tinyface"]),
            landmarks=str(landmarks) if landmarks else None,
        )
    )  # fmt: skip


def _shared(config: Config, output: Path, benchmark: str) -> dict[str, Any]:
    return {
        "model": config.model,
        "output": str(output / f"{benchmark}.json"),
        "backbone": config.backbone,
        "facenet_weights": config.facenet_weights,
        "flip": config.flip,
    }


EVALUATE: dict[str, Callable[[Config, BenchmarkTree, Path], None]] = {
    "lfw": lfw, "scface": scface, "survface": survface, "tinyface": tinyface,
}  # fmt: skip
