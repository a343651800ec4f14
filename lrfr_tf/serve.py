"""See lrfr_tf.cli.serve."""

from lrfr_tf.main import start

if __name__ == "__main__":
    start("lrfr_tf.cli.serve")
else:
    from lrfr_tf.cli.serve import Config, main  # noqa: F401
