"""Trains SRGAN's generator on pixels alone, then against a discriminator.

python -m lrfr_tf.train_srgan --flagfile=configs/celeba_srgan.cfg
"""

from lrfr_tf.main import run
from lrfr_tf.training.run import build_training
from lrfr_tf.training.srgan import SrganSettings as Config
from lrfr_tf.training.srgan import plan_srgan


def main(config: Config) -> None:
    for sentence in build_training(config, plan_srgan, ("pixel_steps", "adversarial_steps")).run():
        print(sentence)


if __name__ == "__main__":
    run(main, Config)
