"""Identifies SCface's surveillance images among the mugshots: rank-1 for each distance and camera, and the CMC.

    python tools/evaluate_scface.py --model=saved_models/siamese --data=Datasets/SCface_database \\
        --landmarks=Datasets/landmarks --output=runs/scface/siamese.json

--landmarks is a folder with scface_mugshot.csv and scface_distance1.csv to scface_distance3.csv; without it MTCNN looks
for the faces. Beside the result lies a picture, result.cmc.png.
"""

from lrfr_tf.benchmarks.scface.benchmark import SCfaceBenchmark
from lrfr_tf.benchmarks.scface.benchmark import Settings as Config
from lrfr_tf.cli.evaluate_benchmark import check_flags as check_flags
from lrfr_tf.cli.evaluate_benchmark import evaluate


def main(config: Config) -> None:
    evaluate(SCfaceBenchmark(), config)
