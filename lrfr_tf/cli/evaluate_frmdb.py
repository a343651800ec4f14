"""Identifies persons on photos by real surveillance cameras (FRMDB), native and shrunk: rank-1 among their mugshots.

    python tools/evaluate_frmdb.py --model=saved_models/siamese/1 --template=lai --side=128 --data=Datasets/frmdb \\
        --output=runs/frmdb/siamese.json
    python tools/evaluate_frmdb.py --model=w600k_mbf --data=Datasets/frmdb --output=runs/frmdb/w600k_mbf.json

--baseline=RESULT.json adds the paired difference to another result, with its interval over persons.
"""

import dataclasses
import time
from pathlib import Path

from lrfr_tf.benchmarks.benchmark_result import benchmark_result, embedder_of
from lrfr_tf.benchmarks.frmdb import NATIVE, SIZES, differences, frmdb_lines, identify_frmdb, protocol
from lrfr_tf.benchmarks.frmdb_files import find_frmdb
from lrfr_tf.config import option, required
from lrfr_tf.errors import UserError
from lrfr_tf.faces.align import TEMPLATES
from lrfr_tf.files import check_result_file, read_json, write_json
from lrfr_tf.models.mobilefacenet import INPUT_SIZE
from lrfr_tf.networks.embedding import BACKBONES


@dataclasses.dataclass(frozen=True)
class Config:
    model: str = required(
        "w600k_mbf, facenet, the folder of an exported embedder, or a file *.weights.h5 (with --backbone)"
    )
    data: str = required("folder of <person>/mugshot.jpg, <person>/cam1.jpg to cam5.jpg and points.csv")
    output: str = required("the result to write (JSON)")
    template: str = option("centred", "the template that the model's faces are aligned on", TEMPLATES)
    side: int = option(INPUT_SIZE, "side of the model's aligned faces in pixels", at_least=8)
    sizes: tuple[str, ...] = option(SIZES, "sizes that the photos are shrunk to in pixels, or native")
    baseline: str | None = option(None, "another result, to compare with")
    backbone: str = option("mobilefacenet", "network that a file of weights belongs to", BACKBONES)
    facenet_weights: str | None = option(None, "the published file of a named network; without it, the cache")
    flip: bool = option(False, "mean of the embeddings of a face and its mirror image")


def main(config: Config) -> None:
    started = time.monotonic()
    check_result_file(config.output)
    for size in config.sizes:
        if size != NATIVE and not (size.isdecimal() and 1 <= int(size) <= config.side):
            raise UserError(f"--sizes={','.join(config.sizes)}: each is {NATIVE}, or 1 to {config.side}.")
    images = find_frmdb(Path(config.data))
    baseline = read_json(config.baseline) if config.baseline else None
    embedder = embedder_of(config)
    rows = identify_frmdb(embedder, images, config.template, config.side, config.sizes)
    measured = {
        "counts": {"persons": len(images.persons), "probes": len(images.probes)},
        "sizes": rows,
        "difference_to_baseline": differences(rows, images, baseline, config.baseline) if config.baseline else None,
        "probes": images.probes,
    }
    rules = protocol(config.template, config.side, len(images.persons), config.flip)
    result = benchmark_result("frmdb", rules, embedder, measured, config, started)
    write_json(config.output, result)
    print("\n".join(frmdb_lines(result)))
    print(f"result: {config.output}")
