"""See lrfr_tf.cli.export_saved_model."""

from lrfr_tf.cli.export_saved_model import Config, main
from lrfr_tf.main import run

if __name__ == "__main__":
    run(main, Config)
