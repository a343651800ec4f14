"""Verifies pairs of QMUL-SurvFace, and identifies its probes in an open set: native low-resolution faces, unaligned.

    python tools/evaluate_survface.py --model=saved_models/siamese --data=Datasets/QMUL-SurvFace \\
        --output=runs/survface/siamese.json

Beside the result lie two pictures, result.roc.png and result.open_set.png.
"""

import dataclasses
import time
from pathlib import Path
from typing import Any

from lrfr_tf.benchmarks.benchmark_result import benchmark_result, embedder_of
from lrfr_tf.benchmarks.survface import (
    TASKS,
    Curve,
    draw_survface,
    identify_open_set,
    protocol,
    survface_lines,
    verify_pairs,
)
from lrfr_tf.benchmarks.survface_files import find_open_set, find_verification_pairs
from lrfr_tf.config import option, required
from lrfr_tf.files import check_result_file, write_json
from lrfr_tf.networks.embedding import BACKBONES


@dataclasses.dataclass(frozen=True)
class Config:
    model: str = required("facenet, the folder of an exported embedder, or a file *.weights.h5 (with --backbone)")
    data: str = required("the folder QMUL-SurvFace")
    output: str = required("the result to write (JSON)")
    task: str = option("both", "what to measure", (*TASKS, "both"))
    backbone: str = option("spherenet20", "network that a file of weights belongs to", BACKBONES)
    facenet_weights: str | None = option(None, "FaceNet's weight file; without it, the cache or a download")
    flip: bool = option(False, "mean of the embeddings of a face and its mirror image")


def main(config: Config) -> None:
    started = time.monotonic()
    check_result_file(config.output)
    tasks = TASKS if config.task == "both" else (config.task,)
    # All lists are read before anything takes time.
    pairs = find_verification_pairs(Path(config.data)) if "verification" in tasks else None
    faces = find_open_set(Path(config.data)) if "identification" in tasks else None
    embedder = embedder_of(config)
    metrics: dict[str, dict[str, Any] | None] = dict.fromkeys(TASKS)
    curves: dict[str, Curve] = {}
    if pairs is not None:
        metrics["verification"], curves["verification"] = verify_pairs(embedder, pairs)
    if faces is not None:
        metrics["identification"], curves["identification"] = identify_open_set(embedder, faces)
    result = benchmark_result(
        "survface", protocol(tasks, embedder.aligned_size, config.flip), embedder, metrics, config, started
    )
    draw_survface(Path(config.output), embedder.name, curves)
    write_json(config.output, result)
    print("\n".join(survface_lines(result)))
    print(f"result: {config.output}")
