"""Teaches MobileFaceNet to see in a small face, as cameras make it, what it sees in the sharp photo.

python -m lrfr_tf.train_distillation --flagfile=configs/distill_mobilefacenet.cfg
"""

from lrfr_tf.main import run
from lrfr_tf.training.distillation import DistillationSettings as Config
from lrfr_tf.training.distillation import plan_distillation
from lrfr_tf.training.run import build_training


def main(config: Config) -> None:
    for sentence in build_training(config, plan_distillation).run():
        print(sentence)


if __name__ == "__main__":
    run(main, Config)
