"""Identifies TinyFace's probes among matches and distractors: native low-resolution faces, rank-1 to rank-20.

    python tools/evaluate_tinyface.py --model=saved_models/siamese --data=Datasets/TinyFace \\
        --output=runs/tinyface/siamese.json

--alignment says how an image becomes a square: none stretches it, pad sets it in a black square. With --landmarks faces
are aligned instead, as for many published rows, each in its own way; the table is made by

    python tools/make_landmarks.py --images=Datasets/TinyFace/tinyface/Testing_Set --enlarge=4 --output=tinyface.csv

Beside the result lies a picture, result.cmc.png.
"""

import dataclasses
import time
from pathlib import Path

from lrfr_tf.benchmarks.benchmark_result import benchmark_result, embedder_of
from lrfr_tf.benchmarks.tinyface import (
    CROPS,
    draw_tinyface,
    identify,
    protocol,
    tinyface_landmarks,
    tinyface_lines,
)
from lrfr_tf.benchmarks.tinyface_files import find_tinyface
from lrfr_tf.config import option, required
from lrfr_tf.files import check_result_file, write_json
from lrfr_tf.networks.embedding import BACKBONES, template_for


@dataclasses.dataclass(frozen=True)
class Config:
    model: str = required("facenet, the folder of an exported embedder, or a file *.weights.h5 (with --backbone)")
    data: str = required("the folder tinyface, or its Testing_Set")
    output: str = required("the result to write (JSON)")
    alignment: str = option("none", "none: resized to a square; pad: set in a black square, then resized", tuple(CROPS))
    landmarks: str | None = option(
        None, "table of landmarks (CSV) to align faces by; faces that it does not list are treated as --alignment says"
    )
    no_distractors: bool = option(False, "leave the distractors out, which is quick and is not the protocol")
    backbone: str = option("spherenet20", "network that a file of weights belongs to", BACKBONES)
    facenet_weights: str | None = option(None, "FaceNet's weight file; without it, the cache or a download")
    flip: bool = option(False, "mean of the embeddings of a face and its mirror image")


def main(config: Config) -> None:
    started = time.monotonic()
    check_result_file(config.output)
    faces = find_tinyface(Path(config.data), distractors=not config.no_distractors)
    counts, landmarks = faces.counts(), None
    if config.landmarks:
        landmarks, counts["images_without_landmarks"] = tinyface_landmarks(Path(config.landmarks), faces)
        print(f"note: {counts['images_without_landmarks']:,} images have no landmarks.")
    embedder = embedder_of(config)
    template = None if landmarks is None else template_for(embedder)
    metrics, shares = identify(embedder, faces, config.alignment, landmarks)
    measured = {"counts": counts, "identification": metrics}
    rules = protocol(config.alignment, embedder.aligned_size, not config.no_distractors, config.flip, template)
    result = benchmark_result("tinyface", rules, embedder, measured, config, started)
    draw_tinyface(Path(config.output), embedder.name, shares)
    write_json(config.output, result)
    print("\n".join(tinyface_lines(result)))
    print(f"result: {config.output}")
