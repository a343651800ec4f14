"""See lrfr_tf.cli.prepare_aligned."""

from lrfr_tf.main import start

if __name__ == "__main__":
    start("lrfr_tf.cli.prepare_aligned")
else:
    from lrfr_tf.cli.prepare_aligned import Config, main  # noqa: F401
