"""See lrfr_tf.cli.photograph_tree."""

from lrfr_tf.cli.photograph_tree import Config, main
from lrfr_tf.main import run

if __name__ == "__main__":
    run(main, Config)
