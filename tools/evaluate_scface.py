"""See lrfr_tf.cli.evaluate_scface."""

from lrfr_tf.cli.evaluate_scface import Config, main
from lrfr_tf.main import run

if __name__ == "__main__":
    run(main, Config)
