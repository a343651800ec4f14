"""Verifies pairs of QMUL-SurvFace, and identifies its probes in an open set: native low-resolution faces, unaligned.

    python tools/evaluate_survface.py --model=saved_models/siamese --data=Datasets/QMUL-SurvFace \\
        --output=runs/survface/siamese.json

Beside the result lie two pictures, result.roc.png and result.open_set.png.
"""

from lrfr_tf.benchmarks.survface.benchmark import Settings as Config
from lrfr_tf.benchmarks.survface.benchmark import SurvFaceBenchmark
from lrfr_tf.cli.evaluate_benchmark import check_flags as check_flags
from lrfr_tf.cli.evaluate_benchmark import evaluate


def main(config: Config) -> None:
    evaluate(SurvFaceBenchmark(), config)
