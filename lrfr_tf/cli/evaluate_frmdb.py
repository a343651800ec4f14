"""Identifies persons on photos by real surveillance cameras (FRMDB), native and shrunk: rank-1 among their mugshots.

    python tools/evaluate_frmdb.py --model=saved_models/siamese/1 --template=lai --side=128 --data=Datasets/frmdb \\
        --output=runs/frmdb/siamese.json
    python tools/evaluate_frmdb.py --model=w600k_mbf --data=Datasets/frmdb --output=runs/frmdb/w600k_mbf.json

--baseline=RESULT.json adds the paired difference to another result, with its interval over persons.
"""

from lrfr_tf.benchmarks.frmdb import FrmdbBenchmark
from lrfr_tf.benchmarks.frmdb import Settings as Config
from lrfr_tf.cli.evaluate_benchmark import check_flags as check_flags
from lrfr_tf.cli.evaluate_benchmark import evaluate


def main(config: Config) -> None:
    evaluate(FrmdbBenchmark(), config)
