"""See lrfr_tf.cli.identify."""

from lrfr_tf.cli.identify import Config, main
from lrfr_tf.main import run

if __name__ == "__main__":
    run(main, Config)
