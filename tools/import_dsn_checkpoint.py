"""See lrfr_tf.cli.import_dsn_checkpoint."""

from lrfr_tf.cli.import_dsn_checkpoint import Config, main
from lrfr_tf.main import run

if __name__ == "__main__":
    run(main, Config)
