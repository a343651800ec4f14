"""See lrfr_tf.cli.evaluate_people."""

from lrfr_tf.cli.evaluate_people import Config, main
from lrfr_tf.main import run

if __name__ == "__main__":
    run(main, Config)
