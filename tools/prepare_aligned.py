"""See lrfr_tf.cli.prepare_aligned."""

from lrfr_tf.cli.prepare_aligned import Config, main
from lrfr_tf.main import run

if __name__ == "__main__":
    run(main, Config)
