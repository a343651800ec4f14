"""See lrfr_tf.cli.super_resolve."""

from lrfr_tf.cli.super_resolve import Config, main
from lrfr_tf.main import run

if __name__ == "__main__":
    run(main, Config)
