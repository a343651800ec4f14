"""See lrfr_tf.cli.evaluate_all."""

from lrfr_tf.cli.evaluate_all import Config, main
from lrfr_tf.main import run

if __name__ == "__main__":
    run(main, Config)
