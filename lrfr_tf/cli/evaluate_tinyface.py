"""Identifies TinyFace's probes among matches and distractors: native low-resolution faces, rank-1 to rank-20.

    python tools/evaluate_tinyface.py --model=saved_models/siamese --data=Datasets/TinyFace \\
        --output=runs/tinyface/siamese.json

--alignment says how an image becomes a square: none stretches it, pad sets it in a black square. With --landmarks faces
are aligned instead, as for many published rows, each in its own way; the table is made by

    python tools/make_landmarks.py --images=Datasets/TinyFace/tinyface/Testing_Set --enlarge=4 --output=tinyface.csv

Beside the result lies a picture, result.cmc.png.
"""

from lrfr_tf.benchmarks.tinyface import Settings as Config
from lrfr_tf.benchmarks.tinyface import TinyFaceBenchmark
from lrfr_tf.cli.evaluate_benchmark import check_flags as check_flags
from lrfr_tf.cli.evaluate_benchmark import evaluate


def main(config: Config) -> None:
    evaluate(TinyFaceBenchmark(), config)
