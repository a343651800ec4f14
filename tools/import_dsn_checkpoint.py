"""See lrfr_tf.cli.import_dsn_checkpoint."""

from lrfr_tf.main import start

if __name__ == "__main__":
    start("lrfr_tf.cli.import_dsn_checkpoint")
else:
    from lrfr_tf.cli.import_dsn_checkpoint import Config, main  # noqa: F401
