"""See lrfr_tf.cli.train_srgan."""

from lrfr_tf.cli.train_srgan import Config, main
from lrfr_tf.main import run

if __name__ == "__main__":
    run(main, Config)
