"""See lrfr_tf.cli.calibrate."""

from lrfr_tf.cli.calibrate import Config, main
from lrfr_tf.main import run

if __name__ == "__main__":
    run(main, Config)
