"""Verifies faces at low resolution: image 1 of a pair as it is, image 2 at 8, 12, 16 and 20 pixels and as it is.

    python tools/evaluate_lfw.py --model=saved_models/siamese --data=Datasets/lfw --pairs=Datasets/lfw/pairs.txt \\
        --landmarks=Datasets/lfw/LFW.csv --output=runs/lfw/siamese.json

--data is LFW, or any folder or zip of <person>/<photo> with a list of tools/make_pairs.py. Beside the result lie two
pictures, result.accuracy.png and result.roc.png.
"""

from lrfr_tf.benchmarks.lfw.benchmark import LfwBenchmark
from lrfr_tf.benchmarks.lfw.benchmark import Settings as Config
from lrfr_tf.cli.evaluate_benchmark import check_flags as check_flags
from lrfr_tf.cli.evaluate_benchmark import evaluate


def main(config: Config) -> None:
    evaluate(LfwBenchmark(), config)
