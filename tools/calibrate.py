"""See lrfr_tf.cli.calibrate."""

from lrfr_tf.main import start

if __name__ == "__main__":
    start("lrfr_tf.cli.calibrate")
else:
    from lrfr_tf.cli.calibrate import Config, main  # noqa: F401
