"""See lrfr_tf.cli.prepare_folder."""

from lrfr_tf.cli.prepare_folder import Config, main
from lrfr_tf.main import run

if __name__ == "__main__":
    run(main, Config)
