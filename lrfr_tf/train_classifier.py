"""See lrfr_tf.cli.train_classifier."""

from lrfr_tf.cli.train_classifier import Config, main
from lrfr_tf.main import run

if __name__ == "__main__":
    run(main, Config)
