"""See lrfr_tf.cli.evaluate_super_resolution."""

from lrfr_tf.cli.evaluate_super_resolution import Config, main
from lrfr_tf.main import run

if __name__ == "__main__":
    run(main, Config)
