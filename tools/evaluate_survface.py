"""See lrfr_tf.cli.evaluate_survface."""

from lrfr_tf.cli.evaluate_survface import Config, main
from lrfr_tf.main import run

if __name__ == "__main__":
    run(main, Config)
