"""See lrfr_tf.cli.make_scface_lookalike."""

from lrfr_tf.cli.make_scface_lookalike import Config, main
from lrfr_tf.main import run

if __name__ == "__main__":
    run(main, Config)
