"""See lrfr_tf.cli.convert_model."""

from lrfr_tf.cli.convert_model import Config, main
from lrfr_tf.main import run

if __name__ == "__main__":
    run(main, Config)
