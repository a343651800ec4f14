"""See lrfr_tf.cli.evaluate_pixels."""

from lrfr_tf.main import start

if __name__ == "__main__":
    start("lrfr_tf.cli.evaluate_pixels")
else:
    from lrfr_tf.cli.evaluate_pixels import Config, main  # noqa: F401
