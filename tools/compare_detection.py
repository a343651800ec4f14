"""See lrfr_tf.cli.compare_detection."""

from lrfr_tf.cli.compare_detection import Config, main
from lrfr_tf.main import run

if __name__ == "__main__":
    run(main, Config)
