"""Trains SRCNN on the HR faces of prepared trees.

python -m lrfr_tf.train_srcnn --flagfile=configs/celeba_srcnn.cfg
"""

from lrfr_tf.main import run
from lrfr_tf.training.run import build_training
from lrfr_tf.training.srcnn import SrcnnSettings as Config
from lrfr_tf.training.srcnn import plan_srcnn


def main(config: Config) -> None:
    for sentence in build_training(config, plan_srcnn).run():
        print(sentence)


if __name__ == "__main__":
    run(main, Config)
