"""Runs every benchmark whose data is there (LFW, SCface, QMUL-SurvFace, TinyFace) and writes one folder of results.

    lrfr evaluate all --model=saved_models/siamese --data_root=Datasets --output=runs/benchmarks/siamese

Each benchmark is run as by its own tool, with the defaults. One that fails is reported and the others go on; the exit
code is then 2. The folder gets a result and pictures for each benchmark, summary.json and summary.md.
"""

import dataclasses
import traceback
from pathlib import Path
from typing import Any

from lrfr_tf.benchmarks.registry import find_benchmarks, folder_names, missing, registered
from lrfr_tf.benchmarks.summary import ABSENT, FAILED, MEASURED, summary_lines, write_summary
from lrfr_tf.cli.evaluate_benchmark import evaluate, print_note
from lrfr_tf.config import option, required
from lrfr_tf.errors import UserError
from lrfr_tf.files import make_folder
from lrfr_tf.networks.embedding import BACKBONES


@dataclasses.dataclass(frozen=True)
class Config:
    model: str = required("facenet, the folder of an exported embedder, or a file *.weights.h5 (with --backbone)")
    data_root: str = required(f"folder that holds some of {folder_names()}")
    output: str = required("folder for the results")
    benchmarks: tuple[str, ...] = option(tuple(registered()), "which to run", tuple(registered()))
    landmarks: str | None = option(
        None,
        "folder of landmark tables (LFW.csv, scface_*.csv, TinyFace.csv); without it they are looked for beside the "
        "images",
    )
    backbone: str = option("spherenet20", "network that a file of weights belongs to", BACKBONES)
    facenet_weights: str | None = option(None, "FaceNet's weight file; without it, the cache or a download")
    flip: bool = option(False, "mean of the embeddings of a face and its mirror image")


def main(config: Config) -> None:
    root, output = Path(config.data_root), Path(config.output)
    folders = find_benchmarks(root)
    make_folder(output)
    rows: dict[str, dict[str, Any]] = {}
    for name in config.benchmarks:
        benchmark = registered()[name]
        if name not in folders:
            rows[name] = {"status": ABSENT, "reason": missing(root, name), "figures": {}}
            continue
        print(f"\n--- {name}: {folders[name]}", flush=True)
        try:
            tables = Path(config.landmarks) if config.landmarks else None
            settings = benchmark.settings(
                model=config.model,
                output=str(output / f"{name}.json"),
                backbone=config.backbone,
                facenet_weights=config.facenet_weights,
                flip=config.flip,
                **benchmark.settings_in(folders[name], tables, output / "landmarks", print_note),
            )
            figures = benchmark.main_figures(evaluate(benchmark, settings))
            rows[name] = {"status": MEASURED, "reason": None, "figures": figures}
        except UserError as error:
            print(f"{name} failed: {error}")
            rows[name] = {"status": FAILED, "reason": str(error), "figures": {}}
        except Exception as error:  # a defect of ours in one benchmark is no reason to lose the others
            traceback.print_exc()
            rows[name] = {"status": FAILED, "reason": f"{type(error).__name__}: {error}", "figures": {}}
    write_summary(output, rows, config.model)
    print("\n" + "\n".join(summary_lines(rows, config.model)) + f"\nresults: {output}")
    failed = [name for name, row in rows.items() if row["status"] == FAILED]
    if failed:
        raise UserError(f"{', '.join(failed)} failed; {output / 'summary.md'} says why, and holds the others' figures.")
