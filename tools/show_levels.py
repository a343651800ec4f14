"""See lrfr_tf.cli.show_levels."""

from lrfr_tf.cli.show_levels import Config, main
from lrfr_tf.main import run

if __name__ == "__main__":
    run(main, Config)
