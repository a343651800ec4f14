"""See lrfr_tf.cli.fetch_samples."""

from lrfr_tf.cli.fetch_samples import Config, main
from lrfr_tf.main import run

if __name__ == "__main__":
    run(main, Config)
