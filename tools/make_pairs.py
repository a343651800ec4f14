"""See lrfr_tf.cli.make_pairs."""

from lrfr_tf.cli.make_pairs import Config, main
from lrfr_tf.main import run

if __name__ == "__main__":
    run(main, Config)
